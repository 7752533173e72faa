/** @file A run without mathematics: steps, events and checkpoints as the engine writes them, resumed wherever it was killed. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  checkpointsFolder,
  pruneCheckpoints,
  resumeCheckpoint,
  saveCheckpoint,
} from "../../../src/engine/runs/checkpoints.ts";
import { openEventsLog } from "../../../src/engine/runs/events-log.ts";
import { acquireRun, startHeartbeat } from "../../../src/engine/runs/ownership.ts";
import { takeRequests } from "../../../src/engine/runs/requests.ts";
import { count, isProblem, object, text } from "../../../src/shared/wire.ts";

const [folder = "", lastStep = "150", blobBytes = "200000"] = process.argv.slice(2);
const every = 5;

/** What a step leaves behind: each hash stands on all before it, as weights do. */
const stateForm = object<{ readonly step: number; readonly weights: string }>(
  { step: count, weights: text },
  {},
);

const say = (word: string) => process.stdout.write(`${word}\n`);
const ownership = await acquireRun(folder);
const stopHeartbeat = startHeartbeat(ownership, () => process.exit(3), 20);
const resumed = (await resumeCheckpoint(folder, Date.now())).value;
const found = resumed === undefined ? { step: 0, weights: "start" } : stateForm(resumed.state, "");
if (isProblem(found)) throw new Error(found.problem);
let { step, weights } = found;
const log = openEventsLog(folder, { ...ownership, now: () => Date.now() });
log.append({
  type: "started",
  run: "pretend",
  host: "h",
  pid: process.pid,
  platform: process.platform,
  versions: {},
  device: { requested: "cpu", chosen: "cpu", reason: "" },
  plan: { trainableParameters: 1, totalParameters: 1, peakMemoryBytes: 1, steps: Number(lastStep) },
  ...(resumed === undefined ? {} : { resumedFrom: step }),
});
say("started");

/** Whether a stop has been asked for. */
const asked = async () =>
  (await takeRequests(folder, ownership.attempt)).some(({ type }) => type === "stop");

let status: "finished" | "stopped" = "stopped";
for (let stopping = false; !stopping;) {
  if (step >= Number(lastStep)) {
    status = "finished";
    break;
  }
  step += 1;
  weights = createHash("sha256").update(`${weights} ${step}`).digest("hex");
  const loss = parseInt(weights.slice(0, 8), 16) / 2 ** 32;
  const speed = { tokens: 1, tokensPerSecond: 1, seconds: 1, memoryBytes: 1 };
  log.append({ type: "step", step, epoch: 0, loss, lr: 0.1, ...speed });
  await sleep(1);
  stopping = await asked();
  if (step % every !== 0 && !stopping) continue;
  say("saving");
  const bytes = await saveCheckpoint(folder, {
    step,
    bytes: Number(blobBytes),
    state: { step, weights },
    write: async (path) => {
      for (const name of ["a", "b"])
        await writeFile(join(path, name), Buffer.alloc(Number(blobBytes) / 2, weights + name));
    },
    beforeRename: async () => {
      ownership.check();
      await log.flush();
    },
  });
  const saved = `${checkpointsFolder("")}/step-${step}`;
  log.append({ type: "checkpoint", step, folder: saved, bytes, seconds: 0, reason: "schedule" });
  await pruneCheckpoints(folder, 2, every);
}
const numbers = { trainableParameters: 1, peakMemoryBytes: 1, tokensPerSecond: 1 };
log.append({ type: "ended", summary: { status, steps: step, ...numbers } });
await log.close();
stopHeartbeat();
await ownership.release(status);
say(status);
