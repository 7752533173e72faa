/** @file The walls: which part may import which, with the reason for each, and what stays pure. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { imports, isInside, isModuleOf, sources, textOf } from "./sources.ts";

interface Wall {
  /** A file or folder; the longest that fits a file is the one that counts. */
  readonly part: string;
  /** Parts of ours that it may import beside itself. */
  readonly ours: readonly string[];
  /** Packages; `node:` stands for everything of Node. */
  readonly packages: readonly string[];
  readonly why: string;
}

/** What is not in the list is forbidden. */
const walls: readonly Wall[] = [
  {
    part: "src/shared",
    ours: [],
    packages: ["yaml"],
    why: "Both sides of every wire agree on it, so it must run in any of them.",
  },
  {
    part: "kernels",
    ours: [],
    packages: [],
    why: "Numerics that anything may use; the bytes of the WebAssembly come in as an argument.",
  },
  {
    part: "src/engine",
    ours: ["src/shared", "kernels"],
    packages: [
      "node:",
      "csv-parse",
      "hyparquet",
      "hyparquet-compressors",
      "@huggingface/jinja",
      "@huggingface/tokenizers",
    ],
    why: "Headless: it must not know who shows its results, or how.",
  },
  {
    part: "src/engine/runtime/ort.ts",
    ours: ["src/engine", "src/shared"],
    packages: ["onnxruntime-node"],
    why: "One place knows ONNX Runtime's interface, so that another can take its place.",
  },
  {
    part: "src/cli",
    ours: ["src/engine", "src/shared"],
    packages: ["node:"],
    why: "Thin over the engine; numerics are the engine's business.",
  },
  {
    part: "src/cli/commands/lsp.ts",
    ours: ["server", "src/cli", "src/shared"],
    packages: ["node:"],
    why: "The one command that starts the language server.",
  },
  {
    part: "src/cli/language-server",
    ours: ["server/src/facts.ts", "server/src/world.ts", "src/engine", "src/shared"],
    packages: ["node:"],
    why: "Gives the language server its files: it reads and caches what the service asks for.",
  },
  {
    part: "src/cli/language-server/check-file.ts",
    ours: [
      "server/src/analysis.ts",
      "server/src/facts.ts",
      "server/src/findings.ts",
      "src/cli/language-server",
      "src/engine",
      "src/shared",
    ],
    packages: ["node:"],
    why: "What an editor marks, the command line says: one set of checks for both.",
  },
  {
    part: "src/cli/version.ts",
    ours: ["src/shared", "package.json"],
    packages: ["node:", "onnxruntime-node/package.json"],
    why: "Reads which versions a run is computed with, without loading them; ours goes into the bundle.",
  },
  {
    part: "src/build",
    ours: ["server/src/codes.ts", "src/cli", "src/engine", "src/shared", "kernels"],
    packages: ["node:", "@vscode/vsce", "esbuild", "eslint", "typescript"],
    why: "Makes what is shipped, the sample among it, which the command line trains.",
  },
  {
    part: "src/extension",
    ours: ["src/shared"],
    packages: ["node:", "vscode", "vscode-languageclient"],
    why: "The editor's host never trains: it starts the command line and listens.",
  },
  {
    part: "server",
    ours: [
      "src/shared",
      "src/engine/catalog.ts",
      "src/engine/catalog-pairs.ts",
      "src/engine/plan",
      "src/engine/models",
      "src/engine/methods/targets.ts",
      "src/engine/data/examples/example-store.ts",
      "src/engine/data/examples/plain-text.ts",
    ],
    packages: ["yaml"],
    why: "Pure functions of a document; files reach them through facts that are given.",
  },
  {
    part: "server/src/protocol.ts",
    ours: ["server", "src/shared"],
    packages: ["vscode-languageserver", "vscode-languageserver-textdocument"],
    why: "The service's answers as the protocol's types.",
  },
  {
    part: "server/src/main.ts",
    ours: ["server", "src/shared", "src/engine/catalog.ts"],
    packages: ["vscode-languageserver", "vscode-languageserver-textdocument"],
    why: "The one file of the service that runs the protocol.",
  },
  {
    part: "media",
    ours: ["src/shared"],
    packages: ["uplot"],
    why: "Runs in a web view, which has neither files nor processes.",
  },
];

/** Reach nothing of Node and no ONNX Runtime, however far one follows: what a language server and a browser can load. */
const pure: readonly string[] = [
  "src/shared",
  "kernels",
  "src/engine/catalog.ts",
  "src/engine/catalog-evidence.ts",
  "src/engine/catalog-layer.ts",
  "src/engine/catalog-list.ts",
  "src/engine/catalog-results.ts",
  "src/engine/catalog-row.ts",
  "src/engine/config.ts",
  "src/engine/core",
  "src/engine/autodiff",
  "src/engine/models",
  "src/engine/methods",
  "src/engine/initialisers",
  "src/engine/quantizers",
  "src/engine/optimizers",
  "src/engine/schedules",
  "src/engine/active-layers",
  "src/engine/sharings",
  "src/engine/catalog-pairs.ts",
  "src/engine/programs",
  "src/engine/network",
  "src/engine/plan",
  "server",
  "src/engine/analyze",
  "src/engine/report",
  "src/engine/onnx",
  "src/engine/compare",
];

/** The parts of the engine that read, write or compute. */
const impure: Readonly<Record<string, string>> = {
  "src/engine/adapters": "reads adapters",
  "src/engine/data": "reads tables and tokenizers",
  "src/engine/weights": "reads and writes safetensors",
  "src/engine/runtime": "computes",
  "src/engine/train": "saves its state",
  "src/engine/queue": "keeps what waits to run",
  "src/engine/runs": "keeps the records of runs",
  "src/engine/metrics": "writes results",
  "src/engine/statistics": "draws samples",
  "src/engine/exports": "writes adapters and models",
  "src/engine/sweeps": "reads runs",
  "src/engine/quantize": "writes quantized models",
  "src/engine/lab": "reads weights and keeps analyses",
  "src/engine/session": "puts all of it together",
};

describe("walls", () => {
  for (const { part, ours, packages, why } of walls)
    it(`${part} imports ${[...ours, ...packages].join(", ") || "nothing"}`, () => {
      const found = [...imports].flatMap(([file, its]) =>
        wallOf(file)?.part === part
          ? [
              ...its.ours.filter((name) => ![part, ...ours].some((one) => isInside(name, one))),
              ...its.others.filter((name) => !packages.some((one) => isModuleOf(name, one))),
            ].map((name) => `${file} imports ${name}`)
          : [],
      );
      assert.deepEqual(found, [], why);
    });

  it("stand around every source outside the tests", () => {
    const outside = sources.filter((file) => !isInside(file, "test") && !wallOf(file));
    assert.deepEqual(outside, [], "Give the part a row that says what it may import.");
  });

  it("cannot be passed by an import whose name is computed", () => {
    const found = sources.filter(
      (file) =>
        !["src/build", "test"].some((part) => isInside(file, part)) &&
        /\b(?:import|require)\((?!\s*["'])/.test(textOf(file)),
    );
    assert.deepEqual(found, []);
  });
});

describe("pure parts", () => {
  for (const part of pure)
    it(`${part} reaches neither Node nor ONNX Runtime`, () => {
      const found = modulesReachedFrom(part)
        .filter(({ name }) => ["node:", "onnxruntime-node"].some((one) => isModuleOf(name, one)))
        .map(({ way, name }) => [...way, name].join(" → "));
      assert.deepEqual(found, []);
    });

  it("are not all that the language server reaches, but ONNX Runtime is not among it", () => {
    const found = modulesReachedFrom("src/cli/commands/lsp.ts")
      .filter(({ name }) => isModuleOf(name, "onnxruntime-node"))
      .map(({ way, name }) => [...way, name].join(" → "));
    assert.deepEqual(found, []);
  });

  it("are told from the others for the whole engine", () => {
    const known = [...pure, ...Object.keys(impure)];
    const unknown = sources.filter(
      (file) => isInside(file, "src/engine") && !known.some((part) => isInside(file, part)),
    );
    assert.deepEqual(unknown, [], "Say whether the part is pure.");
  });
});

function wallOf(file: string): Wall | undefined {
  return walls
    .filter(({ part }) => isInside(file, part))
    .toSorted((a, b) => b.part.length - a.part.length)[0];
}

interface Reached {
  readonly name: string;
  /** The files that lead there, each importing the next. */
  readonly way: readonly string[];
}

/** Every module outside of ours that a part's files import, or whatever they import, with one way to each. */
function modulesReachedFrom(part: string): readonly Reached[] {
  const ways = new Map(
    sources.filter((file) => isInside(file, part)).map((file) => [file, [file]]),
  );
  const reached: Reached[] = [];
  // A map goes on to the entries that are added while it is walked.
  for (const [file, way] of ways) {
    const its = imports.get(file);
    for (const next of its?.ours ?? []) if (!ways.has(next)) ways.set(next, [...way, next]);
    for (const name of its?.others ?? []) reached.push({ name, way });
  }
  return reached;
}
