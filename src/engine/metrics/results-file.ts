/** @file Per-example results in the run folder: one JSON object a line, `results/<split>-<moment>.ndjson`. */
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Checked, Finding } from "../../shared/findings.ts";
import { createLineSplitter } from "../../shared/lines.ts";
import type { Evaluation } from "../../shared/protocol.ts";
import { count, isProblem, mapOf, object, parseJson, real, text } from "../../shared/wire.ts";
import { makeFolder, syncFolder, temporaryPath } from "../runs/atomic.ts";
import { explainingWrites } from "../runs/file-errors.ts";
import type {
  CompletionResult,
  LabelResult,
  ScoredResult,
  TargetResult,
} from "./example-result.ts";

/** Where the results of an evaluation lie, relative to the run folder: what `Evaluation.results` says. */
export function resultsPath({ split, moment }: Pick<Evaluation, "split" | "moment">): string {
  return `results/${split}-${moment}.ndjson`;
}

/** Lines that are gathered for one write. */
const linesAtOnce = 256;

/** Writes all results, whole or not at all, over those of the same split and moment. */
export async function writeResults(path: string, results: Iterable<ScoredResult>): Promise<void> {
  await explainingWrites(path, async () => {
    await makeFolder(dirname(path));
    const temporary = temporaryPath(path);
    try {
      const file = await open(temporary, "wx");
      try {
        let lines: string[] = [];
        const write = async () => {
          await file.write(lines.join(""));
          lines = [];
        };
        for (const result of results) {
          lines.push(encodeResult(result));
          if (lines.length === linesAtOnce) await write();
        }
        await write();
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
  });
}

/** Generated and expected text included, a line is never longer. */
const longestLine = 16 << 20;

/** More remarks than this on one file say nothing new. */
const mostFindings = 20;

/** The results of a file, in order; a damaged line is a finding with its place. */
export async function readResults(path: string): Promise<Checked<readonly ScoredResult[]>> {
  const value: ScoredResult[] = [];
  const findings: Finding[] = [];
  const splitter = createLineSplitter(0, longestLine);
  let row = 0;
  const file = await open(path, "r");
  try {
    const buffer = new Uint8Array(1 << 16);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      for (const line of splitter.push(buffer.subarray(0, bytesRead))) {
        row += 1;
        const result = decodeResult(parseJson(line.text ?? ""), "");
        if (!isProblem(result)) value.push(result);
        else if (findings.length < mostFindings)
          findings.push({
            code: "malformed-line",
            severity: "warning",
            message: `This line is no result of an example: ${result.problem}.`,
            place: { file: path, line: row },
          });
      }
    }
  } finally {
    await file.close();
  }
  return { value, findings };
}

/** JSON has no infinity and no NaN: a diverged loss is written as a word, as in the events. */
function encodeResult(result: ScoredResult): string {
  const words = (_key: string, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return `${JSON.stringify(result, words)}\n`;
}

const decodeResult = object<ScoredResult>(
  { index: count },
  {
    targets: object<TargetResult>({ count, loss: real, hits: count }, {}),
    label: object<LabelResult>({ truth: real, prediction: real }, {}),
    completion: object<CompletionResult>({ generated: text, expected: text }, {}),
    scores: mapOf(real),
  },
);
