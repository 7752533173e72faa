/** @file `npm run docs` writes what is made in the documents from other sources; with `--check` it only says what is out of step. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { catalogTables } from "./docs/catalog-tables.ts";

interface Block {
  readonly file: string;
  /** Stands in the file between `<!-- name -->` and `<!-- /name -->`. */
  readonly name: string;
  readonly text: () => string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

const blocks: readonly Block[] = [{ file: "README.md", name: "catalog", text: catalogTables }];

const check = process.argv.includes("--check");
for (const { file, name, text } of blocks) {
  const path = join(root, file);
  const present = await readFile(path, "utf8");
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [before, after] = [present.indexOf(start), present.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${file} has no place for ${name}.`);
  const wanted = present.slice(0, before + start.length) + text() + present.slice(after);
  if (wanted === present) continue;
  if (check) {
    process.stdout.write(`${file}: ${name} is out of step; \`npm run docs\` writes it anew.\n`);
    process.exitCode = 1;
  } else {
    await writeFile(path, wanted);
    process.stdout.write(`${file}: wrote ${name}\n`);
  }
}
