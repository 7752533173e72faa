/** @file The shared sources and the kernels compile where there is neither Node nor a browser. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import ts from "typescript";
import { root } from "./sources.ts";

/** What Node, browsers, web workers and editors all have, though the language's own library does not declare it. */
const everywhere = `declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes: Uint8Array): string;
}`;

const ambientFile = join(root, "test/architecture/everywhere.d.ts");

describe("without Node and without a browser", () => {
  for (const part of ["src/shared", "kernels"])
    it(`${part} compiles`, () => {
      const { options, fileNames } = ts.parseJsonConfigFileContent(
        {
          extends: part === "kernels" ? "./kernels/tsconfig.json" : "./tsconfig.json",
          compilerOptions: { types: [] },
          include: [part],
          exclude: ["**/assembly/**"],
        },
        ts.sys,
        root,
      );
      assert(fileNames.length > 0);
      const files = ts.createCompilerHost(options);
      const host: ts.CompilerHost = {
        ...files,
        getSourceFile: (name, language) =>
          name === ambientFile
            ? ts.createSourceFile(name, everywhere, language)
            : files.getSourceFile(name, language),
      };
      const program = ts.createProgram([...fileNames, ambientFile], options, host);
      const found = fileNames
        .map((name) => program.getSourceFile(name))
        .flatMap((file) => [...program.getSemanticDiagnostics(file)])
        .map(({ file, messageText }) =>
          [file?.fileName, ts.flattenDiagnosticMessageText(messageText, "\n")].join(": "),
        );
      assert.deepEqual(found, []);
    });
});
