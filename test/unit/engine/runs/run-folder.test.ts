/** @file Where runs lie, how they are named, found and listed. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { temporaryPath } from "../../../../src/engine/runs/atomic.ts";
import { acquireRun } from "../../../../src/engine/runs/ownership.ts";
import {
  createRun,
  findRun,
  findSpectuneFolder,
  idsNamed,
  listRuns,
  runsFolder,
} from "../../../../src/engine/runs/run-folder.ts";
import { scratch } from "./scratch.ts";

const time = Date.UTC(2026, 1, 3, 14, 5, 9, 123);

describe("the .spectune folder", () => {
  for (const marker of [".spectune", ".git"])
    it(`lies in the nearest folder above with ${marker}`, async (t) => {
      const root = scratch(t);
      mkdirSync(join(root, ".git"));
      mkdirSync(join(root, "project", "deep", "er"), { recursive: true });
      // In a work tree `.git` is a file.
      if (marker === ".git") writeFileSync(join(root, "project", marker), "gitdir: x");
      else mkdirSync(join(root, "project", marker));
      assert.equal(
        await findSpectuneFolder(join(root, "project", "deep", "er", "a.peft.yaml")),
        join(root, "project", ".spectune"),
      );
      assert.equal(await findSpectuneFolder(join(root, "a.yaml")), join(root, ".spectune"));
    });

  it("lies beside the file where there is no such folder", async (t) => {
    const root = scratch(t);
    assert.equal(
      await findSpectuneFolder(join(root, "none", "a.yaml")),
      join(root, "none", ".spectune"),
    );
  });
});

describe("a new run", () => {
  it("is named after time and name, and never like another one", async (t) => {
    const folder = join(scratch(t), ".spectune");
    const run = { name: "lora", time, experiment: "version: 1\n" };
    const made = await Promise.all([1, 2, 3, 4, 5].map(() => createRun(folder, run)));
    assert.deepEqual(
      made.toSorted(),
      ["", "-2", "-3", "-4", "-5"].map((suffix) =>
        join(folder, "runs", `20260203-140509-lora${suffix}`),
      ),
    );
    for (const path of made) {
      assert.deepEqual(readdirSync(path), ["experiment.yaml"]);
      assert.equal(readFileSync(join(path, "experiment.yaml"), "utf8"), "version: 1\n");
    }
    assert.equal(readdirSync(runsFolder(folder)).length, 5);
  });

  it("has a name that is a file name everywhere", async (t) => {
    const folder = scratch(t);
    const names = { "../../a b:c*": "a-b-c", "": "run", "...": "run", "größe r=4": "größe-r-4" };
    for (const [name, expected] of Object.entries(names)) {
      const path = await createRun(folder, { name, time, experiment: "" });
      assert.equal(
        path.startsWith(join(folder, "runs", `20260203-140509-${expected}`)),
        true,
        path,
      );
    }
  });

  it("cannot be made where a file stands", async (t) => {
    const file = join(scratch(t), "file");
    writeFileSync(file, "");
    await assert.rejects(createRun(file, { name: "a", time, experiment: "" }), {
      code: "not-a-folder",
    });
  });
});

describe("runs", () => {
  it("are listed newest first with their state, and found by what is unambiguous", async (t) => {
    const folder = scratch(t);
    assert.deepEqual(await listRuns(folder, time), []);
    const old = await createRun(folder, { name: "old", time, experiment: "" });
    const young = await createRun(folder, { name: "young", time: time + 60_000, experiment: "" });
    mkdirSync(join(runsFolder(folder), "20990101-000000-no-run"));
    // A run that is being made at this moment.
    const unfinished = temporaryPath(young);
    mkdirSync(unfinished);
    writeFileSync(join(unfinished, "experiment.yaml"), "");
    await (await acquireRun(old)).release("failed");
    assert.deepEqual(
      (await listRuns(folder, time)).map(({ id, status }) => [id, status.state]),
      [
        ["20260203-140609-young", "created"],
        ["20260203-140509-old", "failed"],
      ],
    );
    assert.equal(await findRun("young", folder, "/"), young);
    assert.equal(await findRun("20260203-140509-old", folder, "/"), old);
    assert.equal(await findRun(old, "/nowhere", "/"), old);
    assert.equal(await findRun(basename(old), "/nowhere", dirname(old)), old);
    await assert.rejects(findRun("20260203", folder, "/"), {
      code: "ambiguous-run",
      remedy: /young/,
    });
    await assert.rejects(findRun("lora", folder, "/"), { code: "unknown-run", remedy: /old/ });
    await assert.rejects(findRun("lora", "/nowhere", "/"), {
      code: "unknown-run",
      remedy: /path of a run folder; `spectune run FILE` makes one\./,
    });
  });

  it("is found by its whole name before a part of another's, and as its file is called", () => {
    const ids = ["20260203-1405-x", "lora", "qlora", "ex-p-é", "lora-2"].map((name, index) =>
      index === 0 ? name : `2026020${index}-140509-${name}`,
    );
    assert.deepEqual(idsNamed("lora", ids), ["20260201-140509-lora"]);
    assert.deepEqual(idsNamed("qlo", ids), ["20260202-140509-qlora"]);
    for (const reference of ["ex p é", "ex p e\u0301", "ex-p-e\u0301", "ex p", "é"])
      assert.deepEqual(idsNamed(reference, ids), ["20260203-140509-ex-p-é"], reference);
    assert.equal(idsNamed("lo", ids).length, 3);
    assert.deepEqual(idsNamed("elsewhere/lora", ids), []);
    assert.deepEqual(idsNamed("", ["20260203-140509-a"]), []);
  });
});
