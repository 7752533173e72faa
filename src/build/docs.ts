/** @file `npm run docs` writes what is made in the documents from other sources; with `--check` it only says what is out of step. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { checkTable } from "../../server/src/codes.ts";
import { catalogTables } from "./docs/catalog-tables.ts";
import { manifest, words } from "./docs/contributions.ts";
import { methodResults } from "./docs/method-results.ts";
import { adapterConfigSchema, experimentSchema } from "./docs/schemas.ts";
import { taskResults } from "./docs/task-results.ts";
import { draw } from "./picture/draw.ts";
import { readNumbers } from "./picture/numbers.ts";

interface Made {
  readonly file: string;
  /** What of the file is made: all of it, or what stands between `<!-- name -->` and `<!-- /name -->`. */
  readonly block?: string;
  readonly text: () => string | Promise<string>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

const made: readonly Made[] = [
  { file: "README.md", block: "catalog", text: catalogTables },
  { file: "media/sample/README.md", block: "methods", text: methodResults },
  { file: "src/engine/catalog-results.ts", text: taskResults },
  { file: "server/CHECKS.md", text: checkTable },
  { file: "package.json", text: manifest },
  { file: "package.nls.json", text: words },
  { file: "media/schemas/experiment.schema.json", text: experimentSchema },
  { file: "media/schemas/adapter-config.schema.json", text: adapterConfigSchema },
  {
    file: "media/readme/quickstart.svg",
    text: async () => draw(await readNumbers(join(root, "media/readme/quickstart.json"))),
  },
];

const check = process.argv.includes("--check");
for (const { file, block, text } of made) {
  const path = join(root, file);
  const present = await readFile(path, "utf8").catch(() => "");
  const wanted = block === undefined ? await text() : replaced(present, block, await text());
  if (wanted === present) continue;
  if (check) {
    process.stdout.write(`${file} is out of step; \`npm run docs\` writes it anew.\n`);
    process.exitCode = 1;
  } else {
    await writeFile(path, wanted);
    process.stdout.write(`wrote ${file}\n`);
  }
}

/** The text with another block of that name. */
function replaced(text: string, block: string, content: string): string {
  const [start, end] = [`<!-- ${block} -->\n`, `<!-- /${block} -->`];
  const [before, after] = [text.indexOf(start), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`There is no place for ${block}.`);
  return text.slice(0, before + start.length) + content + text.slice(after);
}
