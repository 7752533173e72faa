/** @file Beginnings and ends of a run's attempts: signals, dates, and a disk that fills up at the very end. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventsFile, loadEvents } from "../../../src/engine/runs/events-log.ts";
import { runStatus } from "../../../src/engine/runs/liveness.ts";
import type { EventBody } from "../../../src/shared/protocol.ts";
import { at } from "../../../src/shared/errors.ts";
import { lastLine, runsOf, spectune, startSpectune } from "../../support/command-line.ts";
import type { Process } from "../../support/command-line.ts";
import { contentsOf, runWorkspace } from "../../support/run-ends.ts";
import {
  makeWorkspace,
  tinyExperiment,
  tinyLlama,
  tinyRows,
  writeTinyModel,
} from "../../support/workspace.ts";

describe("a run that is resumed on another day", () => {
  it("gives dated chat templates the day of its first start", async (t) => {
    const dated =
      "{% for message in messages %}{{ message.content }}{% endfor %}{% if strftime_now('%Y') == '2020' %} and a word{% endif %}";
    const folder = makeWorkspace(
      t,
      tinyExperiment
        .replace("max_length: 64 }", `max_length: 64, loss_on: all, chat_template: "${dated}" }`)
        .replace("max_steps: 2", "max_steps: 4"),
    );
    const line = `${JSON.stringify({ messages: [{ role: "user", content: "Who waits?" }] })}\n`;
    for (const name of ["train.jsonl", "eval.jsonl"])
      writeFileSync(join(folder, name), line.repeat(16));
    const tokensOf = (events: readonly EventBody[]): readonly number[] =>
      events.flatMap((event) => (event.type === "step" ? [event.tokens] : []));

    const stopped = await runWorkspace(folder, { stopAfter: 1 });
    assert.equal(stopped.status, "stopped");
    const path = eventsFile(stopped.runDir);
    const { value: before } = await loadEvents(stopped.runDir);
    const [started] = before.flatMap((event) => (event.type === "started" ? [event] : []));
    assert.ok(started?.begun !== undefined && Math.abs(started.begun - started.time) < 60_000);
    // As if the first attempt had begun in 2020.
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(`"begun":${started.begun}`, '"begun":1585000000000'));

    const events: EventBody[] = [];
    const onEvent = (event: EventBody): void => void events.push(event);
    const resumed = await runWorkspace(folder, { resume: stopped.runDir, onEvent });
    assert.equal(resumed.status, "finished");
    const [today] = tokensOf(before);
    const longer = 8 * " and a word".length;
    assert.deepEqual(new Set(tokensOf(events)), new Set([(today ?? NaN) + longer]));
    const again = events.flatMap((event) => (event.type === "started" ? [event.begun] : []));
    assert.deepEqual(again, [1585000000000]);
  });
});

describe("a run that is resumed with another number of threads", () => {
  it("says that its bytes may differ", async (t) => {
    const folder = makeWorkspace(t, tinyExperiment.replace("max_steps: 2", "max_steps: 4"));
    const stopped = await runWorkspace(folder, { stopAfter: 1 });
    const record = join(stopped.runDir, "experiment.yaml");
    const resolved = readFileSync(record, "utf8");
    assert.match(resolved, /threads: 1/);
    writeFileSync(record, resolved.replace("threads: 1", "threads: 2"));
    const events: EventBody[] = [];
    await runWorkspace(folder, {
      resume: stopped.runDir,
      onEvent: (event) => void events.push(event),
    });
    const warnings = events.flatMap((event) => (event.type === "finding" ? [event.finding] : []));
    const warning = warnings.find(({ code }) => code === "resumed-elsewhere");
    assert.match(warning?.message ?? "", /threads 1, now 2/);
  });
});

describe("a run whose files have changed", () => {
  it("is not gone on with, before anything is written", async (t) => {
    const folder = makeWorkspace(t, tinyExperiment.replace("max_steps: 2", "max_steps: 4"));
    const stopped = await runWorkspace(folder, { stopAfter: 1 });
    const { value: events } = await loadEvents(stopped.runDir);
    const [started] = events.flatMap((event) => (event.type === "started" ? [event] : []));
    assert.deepEqual(Object.keys(started?.inputs ?? {}), ["model", "data.train", "data.eval"]);
    const record = readFileSync(join(stopped.runDir, "experiment.yaml"), "utf8");
    for (const [field, hash] of Object.entries(started?.inputs ?? {}))
      assert.ok(record.includes(`# ${field} sha256 ${hash}\n`), record);
    assert.match(record, /^# spectune .*onnxruntime .*\n# cpu, 1 threads, /u);
    const weights = join(folder, "model/model.safetensors");
    for (const [file, field] of [
      [join(folder, "train.jsonl"), "data.train"],
      [weights, "model"],
    ] as const) {
      const bytes = readFileSync(file);
      // Another number in the last place, with which everything can still be read.
      const changed = Buffer.from(bytes);
      const place = file === weights ? changed.length - 4 : changed.indexOf("waits");
      changed.writeUInt8(changed.readUInt8(place) ^ 1, place);
      writeFileSync(file, changed);
      await assert.rejects(runWorkspace(folder, { resume: stopped.runDir }), {
        code: "inputs-changed",
        message: new RegExp(`The files of ${field.replace(".", "\\.")} `, "u"),
      });
      writeFileSync(file, bytes);
    }
    assert.equal((await loadEvents(stopped.runDir)).value.length, events.length);
    assert.equal((await runWorkspace(folder, { resume: stopped.runDir })).status, "finished");
  });
});

/** Steps of some seconds, so that signals come in the midst of one. */
const slow = tinyExperiment
  .replace("max_steps: 2, batch_size: 8", "max_steps: 1000, batch_size: 1024, micro_batch_size: 8")
  .replace(", eval: ./eval.jsonl", "")
  .replace(/^eval:.*$/mu, "")
  .concat("checkpoints: { every: 1 steps, keep: 1 }\n");

async function untilCheckpoint(folder: string, { process, end }: Process): Promise<string> {
  for (;;) {
    const run = existsSync(join(folder, ".spectune/runs")) ? runsOf(folder)[0] : undefined;
    const events =
      run === undefined ? "" : readFileSync(eventsFile(run), { flag: "a+" }).toString();
    if (run !== undefined && events.includes('"checkpoint"')) return run;
    assert.equal(process.exitCode, null, (await Promise.race([end, sleep(0)]))?.err);
    await sleep(10);
  }
}

describe("signals", () => {
  const started = (t: TestContext): readonly [string, Process] => {
    const folder = makeWorkspace(t, slow);
    writeFileSync(join(folder, "train.jsonl"), tinyRows(1024, 0));
    return [folder, startSpectune(t, folder, "run", "a.peft.yaml", "--json")];
  };

  it("SIGTERM finishes the step, saves and stops", async (t) => {
    const [folder, engine] = started(t);
    const run = await untilCheckpoint(folder, engine);
    engine.process.kill("SIGTERM");
    const outcome = await engine.end;
    assert.equal(outcome.code, 0, outcome.err);
    const { status, steps } = lastLine(outcome);
    assert.equal(status, "stopped");
    assert.ok(existsSync(join(run, `checkpoints/step-${String(steps)}`)));
  });

  it("a second interrupt ends at once, and the run can be gone on with", async (t) => {
    const [folder, engine] = started(t);
    const run = await untilCheckpoint(folder, engine);
    engine.process.kill("SIGINT");
    while ((await runStatus(run, Date.now())).state !== "stopping") await sleep(5);
    // One that comes at once would be taken for the first one's echo.
    await sleep(300);
    engine.process.kill("SIGINT");
    const outcome = await engine.end;
    // What a shell tells as 130.
    assert.equal(outcome.code, "SIGINT", outcome.err);
    assert.match(outcome.err, /interrupt again/);
    assert.equal((await runStatus(run, Date.now())).state, "crashed");
    const before = Object.keys(contentsOf(run));
    assert.ok(before.some((name) => name.includes("step-")));
    const resumed = await runWorkspace(folder, { resume: run, stopAfter: 0 });
    assert.equal(resumed.status, "stopped");
  });
});

/** Some work with `.spectune` on a disk of its own of 17 MB, 1 MB beside what is always left free. */
async function onSmallDisk(
  t: TestContext,
  folder: string,
  work: (disk: string) => Promise<void>,
): Promise<void> {
  const disk = join(folder, ".spectune");
  mkdirSync(disk);
  const mount = ["-t", "tmpfs", "-o", "size=17m", "tmpfs", disk];
  if (process.platform !== "linux" || spawnSync("mount", mount).status !== 0) {
    t.skip("no right to mount");
    return;
  }
  try {
    await work(disk);
  } finally {
    spawnSync("umount", ["-l", disk]);
  }
}

describe("a disk that fills up while the engine computes", () => {
  it("ends the run in words, and it can be gone on with", async (t) => {
    const folder = makeWorkspace(t, slow);
    writeFileSync(join(folder, "train.jsonl"), tinyRows(1024, 0));
    await onSmallDisk(t, folder, async (disk) => {
      const engine = startSpectune(t, folder, "run", "a.peft.yaml", "--json");
      const run = await untilCheckpoint(folder, engine);
      const filler = join(disk, "filler");
      writeFileSync(filler, "");
      assert.throws(() => {
        writeFileSync(filler, Buffer.alloc(40e6));
      }, /ENOSPC/u);
      const outcome = await engine.end;
      assert.equal(outcome.code, 2, outcome.err);
      assert.match(outcome.err, /\[no-space-left\][^]*resume/u);
      rmSync(filler);
      const resumed = await runWorkspace(folder, { resume: run, stopAfter: 0 });
      assert.equal(resumed.status, "stopped");
    });
  });
});

describe("a run whose folder is removed while it computes", () => {
  it("ends in words, and makes no half of it anew", async (t) => {
    const folder = makeWorkspace(t, slow);
    writeFileSync(join(folder, "train.jsonl"), tinyRows(1024, 0));
    const engine = startSpectune(t, folder, "run", "a.peft.yaml", "--json");
    const run = await untilCheckpoint(folder, engine);
    renameSync(run, join(folder, "elsewhere"));
    const outcome = await engine.end;
    assert.equal(outcome.code, 2, outcome.err);
    assert.match(outcome.err, /\[run-folder-gone\]\n {2}.*--resume PATH/u);
    assert.equal(existsSync(run), false);
    const resumed = await runWorkspace(folder, { resume: join(folder, "elsewhere"), stopAfter: 0 });
    assert.equal(resumed.status, "stopped");
  });
});

describe("a disk that is full when the run exports", () => {
  it("leaves a run that is gone on with to the same end", async (t) => {
    const folder = makeWorkspace(
      t,
      tinyExperiment.concat("checkpoints: { every: end, keep: 1 }\nexport: [merged]\n"),
    );
    // The model takes 2 MB, a checkpoint of its LoRA 0.1 MB.
    writeTinyModel(join(folder, "model"), { ...tinyLlama, vocab_size: 16384 }, "causal-lm");
    const alone = await runWorkspace(folder);
    const expected = contentsOf(alone.runDir);
    rmSync(join(folder, ".spectune"), { recursive: true });
    await onSmallDisk(t, folder, async (disk) => {
      const outcome = await spectune(folder, "run", "a.peft.yaml", "--json");
      assert.equal(outcome.code, 2, outcome.err);
      assert.match(outcome.err, /\[no-space-left\][^]*resume/u);
      const run = at(runsOf(folder), 0);
      assert.deepEqual(
        [existsSync(join(run, "checkpoints/step-2")), existsSync(join(run, "merged"))],
        [true, false],
      );
      assert.equal((await runStatus(run, Date.now())).state, "failed");
      assert.equal(spawnSync("mount", ["-o", "remount,size=64m", disk]).status, 0);
      const resumed = await runWorkspace(folder, { resume: run });
      assert.equal(resumed.status, "finished");
      assert.deepEqual(contentsOf(run), expected);
    });
  });
});
