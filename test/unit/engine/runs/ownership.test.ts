/** @file Who may take a run: by the process where it can be seen, else by the heartbeat. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  attemptFile,
  attemptsFolder,
  decodeAlive,
  encodeAlive,
  newestAttempt,
  type AliveRecord,
} from "../../../../src/engine/runs/alive-record.ts";
import { openEventsLog } from "../../../../src/engine/runs/events-log.ts";
import { judge, runStatus, type Timing } from "../../../../src/engine/runs/liveness.ts";
import { acquireRun, startHeartbeat, type Clock } from "../../../../src/engine/runs/ownership.ts";
import { lookAtProcess, thisProcess } from "../../../../src/engine/runs/process-identity.ts";
import { scratch } from "./scratch.ts";

const limits: Timing = { beatEveryMs: 500, staleAfterMs: 60_000, watchMs: 5_000 };
const noon = 1.7e12;
/** Only Linux tells the start time of a process. */
const onLinux = { skip: process.platform !== "linux" };

/** A clock that stands at `noon` and passes only by sleeping; `meanwhile` happens during a sleep. */
function clockAt(meanwhile: (sleptMs: number) => void = () => undefined) {
  let now = noon;
  const slept: number[] = [];
  const clock: Clock = {
    now: () => now,
    sleep: (ms) => {
      now += ms;
      slept.push(ms);
      meanwhile(ms);
      return Promise.resolve();
    },
  };
  return { clock, slept };
}

const elsewhere: AliveRecord = {
  host: "elsewhere",
  boot: "00000000-0000-4000-8000-000000000000",
  namespace: "pid:[1]",
  pid: process.pid,
  start: "1",
  attempt: 1,
  token: "ab",
  state: "running",
  beat: 7,
  heartbeat: noon,
};

function withAttempt(t: TestContext, record: AliveRecord): string {
  const folder = scratch(t);
  mkdirSync(attemptsFolder(folder));
  writeAttempt(folder, record);
  return folder;
}

function writeAttempt(folder: string, record: AliveRecord): void {
  const file = attemptFile(folder, record.attempt);
  writeFileSync(file, encodeAlive(record));
  utimesSync(file, noon / 1000, noon / 1000);
}

describe("the alive record", () => {
  it("comes back, and shows a read that fell into a write", () => {
    const bytes = encodeAlive(elsewhere);
    assert.deepEqual(decodeAlive(bytes), elsewhere);
    const next = encodeAlive({ ...elsewhere, beat: 8, heartbeat: noon + 500 });
    let differing = 0;
    for (let cut = 0; cut < bytes.length; cut += 1) {
      const mixed = Buffer.concat([next.subarray(0, cut), bytes.subarray(cut)]);
      if (mixed.equals(bytes) || mixed.equals(next)) continue;
      differing += 1;
      assert.equal(decodeAlive(mixed), undefined);
    }
    assert.ok(differing > 10);
  });

  it("is none when cut short, empty or of zeroes", () => {
    const bytes = encodeAlive(elsewhere);
    for (const damaged of [bytes.subarray(0, 600), new Uint8Array(0), new Uint8Array(1024)])
      assert.equal(decodeAlive(damaged), undefined);
  });
});

describe("looking at a process", () => {
  const me = thisProcess();

  it("knows itself, and a later process with the same number", () => {
    assert.equal(lookAtProcess(me), "alive");
    assert.equal(lookAtProcess({ ...me, start: "1" }), "dead");
  });

  it("says nothing about numbers of another host, boot or container", () => {
    for (const other of [{ host: "x" }, { boot: "x" }, { namespace: "x" }])
      assert.equal(lookAtProcess({ ...me, pid: 2 ** 22 + 1, ...other }), "unknown");
  });

  it("takes boot times that differ by a moment for one boot", () => {
    const here = { ...me, boot: "since:1000" };
    assert.equal(lookAtProcess({ ...me, boot: "since:1010" }, here), "alive");
    assert.equal(lookAtProcess({ ...me, boot: "since:5000" }, here), "unknown");
  });

  it("says dead of one that has ended, and of one that nobody waited for", onLinux, async () => {
    const child = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 20"]);
    const pid = await new Promise<number>((done) =>
      child.stdout.once("data", (data: Buffer) => {
        done(Number(data.toString()));
      }),
    );
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) await sleep(5);
    const start = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] ?? "";
    assert.equal(lookAtProcess({ ...me, pid, start }), "dead");
    child.kill("SIGKILL");
    await new Promise((done) => child.once("exit", done));
    const gone = child.pid ?? 0;
    assert.equal(lookAtProcess({ ...me, pid: gone, start: "1" }), "dead");
  });

  it("does not let an old heartbeat speak against a process that is there", () => {
    const found = { attempt: 1, record: elsewhere, modified: 0 };
    assert.equal(judge(found, "alive", noon * 2, 1), "alive");
    assert.equal(judge(found, "dead", noon, 60_000), "dead");
    assert.equal(judge(found, "unknown", noon + 60_000, 60_000), "alive");
    assert.equal(judge(found, "unknown", noon + 60_001, 60_000), "silent");
    assert.equal(judge(found, "unknown", noon - 60_001, 60_000), "silent");
  });
});

describe("taking a run", () => {
  it("counts attempts and gives back", async (t) => {
    const folder = scratch(t);
    const { clock } = clockAt();
    assert.deepEqual(await runStatus(folder, noon), { state: "created" });
    const first = await acquireRun(folder, clock);
    assert.equal((await runStatus(folder, noon)).state, "running");
    await first.stopping();
    assert.equal((await runStatus(folder, noon)).state, "stopping");
    await assert.rejects(acquireRun(folder, clock), { name: "UserError", code: "run-in-use" });
    await first.release("stopped");
    assert.equal((await runStatus(folder, noon)).state, "stopped");
    // Nothing moves the record once the run was given back.
    await first.beat();
    assert.equal((await runStatus(folder, noon)).state, "stopped");
    const second = await acquireRun(folder, clock);
    assert.deepEqual([first.attempt, second.attempt], [1, 2]);
    await second.release("finished");
    assert.deepEqual(readdirSync(attemptsFolder(folder)).toSorted(), ["1.json", "2.json"]);
  });

  it("is refused while another host's heartbeat is fresh", async (t) => {
    const folder = withAttempt(t, { ...elsewhere, heartbeat: noon - 59_000 });
    const { clock, slept } = clockAt();
    await assert.rejects(acquireRun(folder, clock, limits), {
      code: "run-in-use",
      message: /process \d+ on elsewhere/,
    });
    assert.deepEqual(slept, []);
    assert.equal((await runStatus(folder, noon)).state, "running");
  });

  it("goes on where another host's heartbeat is old and stands still", async (t) => {
    const folder = withAttempt(t, { ...elsewhere, heartbeat: noon - 61_000 });
    const { clock, slept } = clockAt();
    assert.equal((await runStatus(folder, noon, 60_000)).state, "stale-unknown");
    const ownership = await acquireRun(folder, clock, limits);
    assert.deepEqual([ownership.attempt, slept], [2, [5_000]]);
    await ownership.release("finished");
  });

  it("is refused where the other clock is behind, but its heart beats", async (t) => {
    const late = { ...elsewhere, heartbeat: noon - 3_600_000 };
    const folder = withAttempt(t, late);
    const { clock } = clockAt(() =>
      writeAttempt(folder, { ...late, beat: 8, heartbeat: noon - 3_595_000 }),
    );
    await assert.rejects(acquireRun(folder, clock, limits), { code: "run-in-use" });
    assert.equal((await newestAttempt(folder))?.attempt, 1);
  });

  it("watches for the whole time where the other clock is ahead", async (t) => {
    const early = { ...elsewhere, heartbeat: noon + 3_600_000 };
    const still = withAttempt(t, early);
    const { clock, slept } = clockAt();
    const ownership = await acquireRun(still, clock, limits);
    assert.deepEqual(slept, [60_000]);
    await ownership.release("finished");

    const beating = withAttempt(t, early);
    const watched = clockAt(() => writeAttempt(beating, { ...early, beat: 8 }));
    await assert.rejects(acquireRun(beating, watched.clock, limits), { code: "run-in-use" });
  });

  it("is refused where somebody else takes it during the watch", async (t) => {
    const folder = withAttempt(t, { ...elsewhere, heartbeat: noon - 61_000 });
    const { clock } = clockAt(() => writeAttempt(folder, { ...elsewhere, attempt: 2 }));
    await assert.rejects(acquireRun(folder, clock, limits), { code: "run-in-use" });
  });

  it("goes on at once where the process of this host is dead", onLinux, async (t) => {
    const dead = { ...elsewhere, ...thisProcess(), start: "1", heartbeat: noon };
    const folder = withAttempt(t, dead);
    const { clock, slept } = clockAt();
    assert.equal((await runStatus(folder, noon)).state, "crashed");
    const ownership = await acquireRun(folder, clock, limits);
    assert.deepEqual([ownership.attempt, slept], [2, []]);
    await ownership.release("finished");
  });

  it("goes by the age of the heartbeat where the host has booted since", async (t) => {
    const folder = withAttempt(t, { ...elsewhere, host: hostname(), heartbeat: noon - 10 });
    const { clock } = clockAt();
    await assert.rejects(acquireRun(folder, clock, limits), { code: "run-in-use" });
  });

  it("goes by the file's age where the record was torn by a power cut", async (t) => {
    const folder = withAttempt(t, elsewhere);
    truncateSync(attemptFile(folder, 1), 0);
    utimesSync(attemptFile(folder, 1), noon / 1000, noon / 1000);
    await assert.rejects(acquireRun(folder, clockAt().clock, limits), { code: "run-in-use" });
    utimesSync(attemptFile(folder, 1), noon / 1000 - 61, noon / 1000 - 61);
    const { clock, slept } = clockAt();
    const ownership = await acquireRun(folder, clock, limits);
    assert.deepEqual([ownership.attempt, slept], [2, [5_000]]);
    await ownership.release("finished");
  });

  it("believes the last event of a process that was killed before it gave the run back", async (t) => {
    const folder = withAttempt(t, { ...elsewhere, heartbeat: noon - 1e6 });
    const log = openEventsLog(folder, { attempt: 1, now: () => noon, check: () => undefined });
    const numbers = { trainableParameters: 1, peakMemoryBytes: 1, tokensPerSecond: 1 };
    log.append({ type: "ended", summary: { status: "finished", steps: 1, ...numbers } });
    await log.close();
    assert.equal((await runStatus(folder, noon)).state, "finished");
  });
});

describe("a run that was taken over", () => {
  it("is noticed at the next beat, line and check", async (t) => {
    const folder = scratch(t);
    const ownership = await acquireRun(folder, clockAt().clock, limits);
    const log = openEventsLog(folder, { ...ownership, now: () => noon });
    log.append({ type: "log", level: "info", message: "mine" });
    const lost = new Promise<unknown>((done) => {
      startHeartbeat(ownership, done, 1);
    });
    writeAttempt(folder, { ...elsewhere, attempt: 2 });
    const code = "run-taken-over";
    assert.throws(() => ownership.check(), { code });
    assert.throws(() => log.append({ type: "log", level: "info", message: "no" }), { code });
    await assert.rejects(ownership.release("finished"), { code });
    const error = await lost;
    assert.ok(error instanceof Error && "code" in error && error.code === code);
    await log.close();
  });
});

describe("the heartbeat", () => {
  it("beats until it is stopped, each beat a higher number", async (t) => {
    const folder = scratch(t);
    const ownership = await acquireRun(folder);
    const stop = startHeartbeat(ownership, (error) => assert.ifError(error), 1);
    const beats: number[] = [];
    while (beats.length < 3) {
      const beat = (await newestAttempt(folder))?.record?.beat ?? 0;
      if (beat > (beats[beats.length - 1] ?? 0)) beats.push(beat);
      await sleep(2);
    }
    stop();
    await ownership.release("finished");
    const last = (await newestAttempt(folder))?.record?.beat;
    await sleep(10);
    assert.equal((await newestAttempt(folder))?.record?.beat, last);
  });
});
