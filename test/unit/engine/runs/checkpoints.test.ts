/** @file Checkpoints: whole or not there, damage found, the right ones kept. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryPath } from "../../../../src/engine/runs/atomic.ts";
import {
  checkpointFolder,
  checkpointsFolder,
  checkpointsToRemove,
  listCheckpoints,
  loadCheckpoint,
  pruneCheckpoints,
  resumeCheckpoint,
  saveCheckpoint,
} from "../../../../src/engine/runs/checkpoints.ts";
import { scratch } from "./scratch.ts";

function save(
  folder: string,
  step: number,
  change: Partial<Parameters<typeof saveCheckpoint>[1]> = {},
) {
  return saveCheckpoint(folder, {
    step,
    bytes: 100,
    state: { step, seed: 7 },
    write: async (path) => {
      mkdirSync(join(path, "adapter"));
      await writeFile(join(path, "adapter", "weights.safetensors"), `weights ${step}`);
      await writeFile(join(path, "optimizer.safetensors"), "moments");
    },
    beforeRename: () => Promise.resolve(),
    ...change,
  });
}

describe("a checkpoint", () => {
  it("comes back as it was saved, and the same training makes the same bytes", async (t) => {
    const [one, two] = [scratch(t), scratch(t)];
    const bytes = await save(one, 5);
    await save(two, 5);
    const folder = checkpointFolder(one, 5);
    const { value, findings } = await loadCheckpoint(one, 5);
    assert.deepEqual([value, findings], [{ step: 5, folder, state: { step: 5, seed: 7 } }, []]);
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
    assert.deepEqual(names, [
      "adapter",
      "adapter/weights.safetensors",
      "manifest.json",
      "optimizer.safetensors",
      "state.json",
    ]);
    for (const name of names.filter((name) => name !== "adapter"))
      assert.deepEqual(
        readFileSync(join(folder, name)),
        readFileSync(join(checkpointFolder(two, 5), name)),
      );
    const state = readFileSync(join(folder, "state.json"), "utf8");
    assert.equal(bytes, "weights 5".length + "moments".length + state.length);
  });

  const damages = {
    "a file cut short": (folder: string) =>
      writeFileSync(join(folder, "optimizer.safetensors"), "momen"),
    "a file with a changed byte": (folder: string) =>
      writeFileSync(join(folder, "optimizer.safetensors"), "moMents"),
    "a file missing": (folder: string) => rmSync(join(folder, "optimizer.safetensors")),
    "a folder missing": (folder: string) => rmSync(join(folder, "adapter"), { recursive: true }),
    "a file where a folder was": (folder: string) => {
      rmSync(join(folder, "adapter"), { recursive: true });
      writeFileSync(join(folder, "adapter"), "");
    },
    "a folder where a file was": (folder: string) => {
      rmSync(join(folder, "optimizer.safetensors"));
      mkdirSync(join(folder, "optimizer.safetensors"));
    },
    "another state": (folder: string) => appendFileSync(join(folder, "state.json"), " "),
    "no manifest": (folder: string) => rmSync(join(folder, "manifest.json")),
    "an empty manifest": (folder: string) => writeFileSync(join(folder, "manifest.json"), ""),
    "a manifest of nothing": (folder: string) =>
      writeFileSync(join(folder, "manifest.json"), '{"version":1,"files":{}}'),
    "nothing inside": (folder: string) => {
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
    },
  };
  for (const [name, damage] of Object.entries(damages))
    it(`with ${name} is named, removed, and the one before it serves`, async (t) => {
      const folder = scratch(t);
      await save(folder, 10);
      await save(folder, 20);
      damage(checkpointFolder(folder, 20));
      assert.equal((await loadCheckpoint(folder, 20)).value, undefined);
      const { value, findings } = await resumeCheckpoint(folder, 0);
      assert.deepEqual(
        [value?.step, findings.map(({ code, place }) => [code, place?.file])],
        [10, [["damaged-checkpoint", checkpointFolder(folder, 20)]]],
      );
      assert.deepEqual(await listCheckpoints(folder), [10]);
    });

  it("is not there when its writer fails, and what was there stays", async (t) => {
    const folder = scratch(t);
    await save(folder, 10);
    const fail = () => Promise.reject(new Error("taken over"));
    await assert.rejects(save(folder, 20, { beforeRename: fail }), /taken over/);
    await assert.rejects(save(folder, 10, { write: fail }), /taken over/);
    assert.deepEqual(readdirSync(checkpointsFolder(folder)), ["step-10"]);
    assert.equal((await resumeCheckpoint(folder, 0)).value?.step, 10);
  });

  it("replaces one of the same step", async (t) => {
    const folder = scratch(t);
    await save(folder, 10, { state: { old: true } });
    await save(folder, 10);
    assert.deepEqual((await resumeCheckpoint(folder, 0)).value?.state, { step: 10, seed: 7 });
  });

  it("that the disk has no room for is not begun", async (t) => {
    const folder = scratch(t);
    const write = () => Promise.reject(new Error("begun"));
    await assert.rejects(save(folder, 10, { bytes: 2 ** 60, write }), { code: "no-space-left" });
    assert.deepEqual(readdirSync(checkpointsFolder(folder)), []);
  });

  it("is looked for among the whole ones; leftovers are removed", async (t) => {
    const folder = scratch(t);
    assert.deepEqual(await resumeCheckpoint(folder, 0), { value: undefined, findings: [] });
    await save(folder, 9);
    await save(folder, 10);
    mkdirSync(temporaryPath(checkpointFolder(folder, 11)));
    mkdirSync(join(checkpointsFolder(folder), "step-011"));
    assert.equal((await resumeCheckpoint(folder, 0)).value?.step, 10);
    assert.deepEqual(readdirSync(checkpointsFolder(folder)).toSorted(), [
      "step-011",
      "step-10",
      "step-9",
    ]);
  });
});

describe("keeping checkpoints", () => {
  it("keeps the newest, the last and the best", () => {
    const steps = [30, 10, 40, 20];
    assert.deepEqual(checkpointsToRemove(steps, 3, undefined), [10]);
    assert.deepEqual(checkpointsToRemove(steps, 2, 10), [20]);
    assert.deepEqual(checkpointsToRemove(steps, 1, 40), [10, 20, 30]);
    assert.deepEqual(checkpointsToRemove(steps, 0, undefined), [10, 20, 30]);
    assert.deepEqual(checkpointsToRemove(steps, 9, 10), []);
    assert.deepEqual(checkpointsToRemove([], 1, undefined), []);
  });

  it("removes the others from the disk", async (t) => {
    const folder = scratch(t);
    for (const step of [8, 9, 10, 11]) await save(folder, step);
    assert.deepEqual(await pruneCheckpoints(folder, 1, 9), [8, 10]);
    assert.deepEqual(readdirSync(checkpointsFolder(folder)).toSorted(), ["step-11", "step-9"]);
  });
});
