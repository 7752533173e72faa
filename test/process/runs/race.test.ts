/** @file Several processes reach for one run at once: exactly one gets it. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  attemptFile,
  attemptsFolder,
  encodeAlive,
  newestAttempt,
} from "../../../src/engine/runs/alive-record.ts";
import { runStatus } from "../../../src/engine/runs/liveness.ts";
import { thisProcess } from "../../../src/engine/runs/process-identity.ts";
import { scratch } from "../../unit/engine/runs/scratch.ts";
import { startChild } from "./child.ts";

const rounds = 25;

describe("four processes that reach for one run", () => {
  it("give it to one of them, be it new or a dead process's", async (t) => {
    const root = scratch(t);
    const children = [1, 2, 3, 4].map(() => startChild(t, "contender.ts"));
    for (const child of children) assert.equal(await child.next(), "ready");
    const winners = new Set<number>();
    for (let round = 0; round < rounds; round += 1) {
      const folder = join(root, String(round));
      mkdirSync(attemptsFolder(folder), { recursive: true });
      const dead = round % 2;
      if (dead === 1) {
        const record = { ...thisProcess(), attempt: 1, token: "", beat: 0, heartbeat: Date.now() };
        const gone = { ...record, start: "1", state: "running" } as const;
        writeFileSync(attemptFile(folder, 1), encodeAlive(gone));
      }
      children.forEach((child) => child.tell(folder));
      const answers = await Promise.all(children.map((child) => child.next()));
      const refused = Array.from({ length: 3 }, () => "run-in-use");
      assert.deepEqual(answers.toSorted(), [`attempt ${1 + dead}`, ...refused]);
      const winner = answers.indexOf(`attempt ${1 + dead}`);
      winners.add(winner);
      const owner = (await newestAttempt(folder))?.record;
      assert.equal(owner?.pid, children[winner]?.process.pid);
    }
    // Otherwise the four did not race at all.
    assert.ok(winners.size > 1);

    for (const child of children) child.process.kill("SIGKILL");
    await Promise.all(children.map((child) => child.end));
    for (let round = 0; round < rounds; round += 1)
      assert.equal((await runStatus(join(root, String(round)), Date.now())).state, "crashed");
  });
});
