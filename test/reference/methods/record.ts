/**
 * @file Runs every fixture and writes what was measured into `src/engine/catalog-evidence.ts`, which the catalog shows.
 *
 *     node test/reference/methods/record.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { exportCases } from "../peft/export-cases.ts";
import { compared } from "./compare.ts";
import { fixtureNames, loadMethodFixture } from "./fixture.ts";
import { runFixture } from "./run-fixture.ts";
import { subjectOf, subjectOfMethod } from "./subject.ts";
import { isRecord } from "../../../src/shared/wire.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });
const rows = new Map<string, { against: string; losses: number; logits: number }>();
for (const name of fixtureNames()) {
  const fixture = loadMethodFixture(name);
  const { losses, logits } = compared(await runFixture(fixture, backend), fixture);
  const subject = subjectOf(fixture);
  const before = rows.get(subject);
  const { peft, torch } = fixture.versions;
  const whose = {
    peft: `peft ${peft}`,
    torch: `PyTorch ${torch}`,
    formulas: `its formulas in PyTorch ${torch}`,
  };
  rows.set(subject, {
    // Of several fixtures of one row all sources, and the worst.
    against: [...new Set([...(before?.against.split(", ") ?? []), whose[fixture.source]])].join(
      ", ",
    ),
    losses: Math.max(losses, before?.losses ?? 0),
    logits: Math.max(logits, before?.logits ?? 0),
  });
}
const lines = [...rows].toSorted().map(([subject, { against, losses, logits }]) => {
  const adapter = adapters().get(subject);
  const loaded = adapter === undefined ? "" : `, adapter: ${adapter.toExponential(1)}`;
  return `  "${subject}": { against: "${against}", losses: ${losses.toExponential(1)}, logits: ${logits.toExponential(1)}${loaded} },`;
});
const file = join(import.meta.dirname, "../../../src/engine/catalog-evidence.ts");
const text = readFileSync(file, "utf8");
const [head = ""] = text.split("// Written by");
writeFileSync(
  file,
  `${head}// Written by test/reference/methods/record.ts.\nexport const measured: Readonly<Record<string, Measured>> = {\n${lines.join("\n")}\n};\n`,
);

/** The largest error of the adapters that peft loaded, by the record of check_exports.py. */
function adapters(): ReadonlyMap<string, number> {
  const record: unknown = JSON.parse(
    readFileSync(join(import.meta.dirname, "../peft/exports.json"), "utf8"),
  );
  const found = new Map<string, number>();
  const cases = isRecord(record) ? record["cases"] : undefined;
  for (const [name, { method }] of Object.entries(exportCases)) {
    const row = isRecord(cases) ? cases[name] : undefined;
    const adapter = isRecord(row) ? row["adapter"] : undefined;
    const error = isRecord(adapter) ? adapter["relativeError"] : undefined;
    const subject = subjectOfMethod(method);
    if (typeof error === "number") found.set(subject, Math.max(found.get(subject) ?? 0, error));
  }
  return found;
}
