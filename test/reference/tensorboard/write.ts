/** @file Writes the event files of a run that was resumed, and what TensorBoard should show of them, into a folder. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openTensorboard } from "../../../src/engine/runs/tensorboard.ts";

const folder = process.argv[2];
if (folder === undefined) throw new Error("give a folder");

const start = 1_770_127_509_000;
const loss = (attempt: number, step: number) => attempt + step / 8;

/** The second attempt goes on from the checkpoint of step 3. */
for (const [attempt, first, last] of [
  [1, 1, 5],
  [2, 4, 6],
] as const) {
  const time = start + attempt * 100_000;
  const restart = attempt === 1 ? {} : { restartAt: first };
  const writer = await openTensorboard(folder, { host: "a host", attempt, time, ...restart });
  for (let step = first; step <= last; step += 1)
    writer.scalars(step, time + step * 1000, { "train/loss": loss(attempt, step) });
  await writer.close();
}

const shown = [1, 2, 3, 4, 5, 6].map((step) => {
  const attempt = step <= 3 ? 1 : 2;
  return [step, (start + attempt * 100_000 + step * 1000) / 1000, loss(attempt, step)];
});
writeFileSync(join(folder, "expected.json"), JSON.stringify({ "train/loss": shown }));
