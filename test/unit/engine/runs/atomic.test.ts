/** @file Files and folders come whole or not at all, and leftovers of the dead are found. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import {
  ensureFreeSpace,
  makeFolder,
  removeLeftovers,
  removeOwnUnfinished,
  requireWritable,
  temporaryPath,
  writeFileAtomic,
  writeFolderAtomic,
} from "../../../../src/engine/runs/atomic.ts";
import { scratch } from "./scratch.ts";

describe("writeFileAtomic", () => {
  it("writes a new file and replaces an old one, leaving nothing else", async (t) => {
    const folder = scratch(t);
    await writeFileAtomic(join(folder, "a"), "one");
    await writeFileAtomic(join(folder, "a"), new Uint8Array([50]));
    assert.deepEqual([readdirSync(folder), readFileSync(join(folder, "a"), "utf8")], [["a"], "2"]);
  });

  it("leaves the old file and no other where the new one cannot take its name", async (t) => {
    const folder = scratch(t);
    mkdirSync(join(folder, "a"));
    await assert.rejects(writeFileAtomic(join(folder, "a"), "one"));
    assert.deepEqual(readdirSync(folder), ["a"]);
  });

  it("says what is wrong with the path", async (t) => {
    const file = join(scratch(t), "file");
    writeFileSync(file, "");
    await assert.rejects(writeFileAtomic(join(file, "a"), ""), {
      name: "UserError",
      code: "not-a-folder",
    });
    const gone = join(scratch(t), "gone", "a");
    await assert.rejects(writeFileAtomic(gone, ""), { name: "UserError", code: "no-folder-here" });
  });
});

describe("requireWritable", () => {
  it("leaves nothing where a folder can be made, however deep", async (t) => {
    const folder = scratch(t);
    await requireWritable(join(folder, "a", "b", "c"));
    assert.deepEqual(readdirSync(folder), []);
  });

  it("says why none can be made", async (t) => {
    const folder = scratch(t);
    writeFileSync(join(folder, "file"), "");
    const under = (path: string) => requireWritable(path);
    await assert.rejects(under(join(folder, "file", "a")), { code: "not-a-folder" });
    await assert.rejects(under(join(folder, "file", "a", "b")), { code: "not-a-folder" });
    await assert.rejects(under(join(folder, "x".repeat(300))), { code: "name-too-long" });
  });

  it(
    "does not look for ever where nothing can be made",
    {
      skip: !existsSync("/proc/self") && "there is no such place here",
    },
    async () => {
      for (const path of ["/proc/a", "/proc/a/b/c"]) {
        await assert.rejects(requireWritable(path), {
          name: "UserError",
          message: new RegExp(path),
        });
        await assert.rejects(makeFolder(path), { name: "UserError" });
      }
    },
  );
});

describe("writeFolderAtomic", () => {
  const fill = (text: string) => async (folder: string) => {
    mkdirSync(join(folder, "deep"));
    await writeFile(join(folder, "deep", "file"), text);
  };

  it("makes a folder and replaces it whole", async (t) => {
    const path = join(scratch(t), "out", "adapter");
    await writeFolderAtomic(path, fill("one"));
    writeFileSync(join(path, "stray"), "");
    await writeFolderAtomic(path, fill("two"));
    assert.deepEqual(readdirSync(join(path, "..")), ["adapter"]);
    assert.deepEqual(readdirSync(path), ["deep"]);
    assert.equal(readFileSync(join(path, "deep", "file"), "utf8"), "two");
  });

  for (const place of ["build", "beforeRename"] as const)
    it(`keeps the old folder and nothing of the new one when ${place} throws`, async (t) => {
      const path = join(scratch(t), "adapter");
      await writeFolderAtomic(path, fill("one"));
      const fail = () => Promise.reject(new Error("no"));
      const build = async (folder: string) => {
        await fill("two")(folder);
        if (place === "build") await fail();
      };
      await assert.rejects(writeFolderAtomic(path, build, fail), /no/);
      assert.deepEqual(readdirSync(join(path, "..")), ["adapter"]);
      assert.equal(readFileSync(join(path, "deep", "file"), "utf8"), "one");
    });

  it("shows nothing under the name before it is complete", async (t) => {
    const path = join(scratch(t), "adapter");
    await writeFolderAtomic(path, fill("one"), async () => {
      assert.equal(existsSync(path), false);
      await Promise.resolve();
    });
    assert.equal(existsSync(path), true);
  });
});

describe("removeLeftovers", () => {
  const hour = 3600 * 1000;

  it("removes those of dead writers and spares the living", async (t) => {
    const folder = scratch(t);
    const mine = basename(temporaryPath(join(folder, "a")));
    // Our process number with another start time: a process before us.
    const dead = mine.replace(/-\d+-(?=\w+$)/, "-1-");
    const foreign = mine.replace(/^\.tmp-\w+/, ".tmp-0123456789ab");
    for (const name of [mine, dead, foreign, "kept"]) writeFileSync(join(folder, name), "");
    assert.deepEqual(await removeLeftovers(folder, "dead", Date.now()), [dead]);
    utimesSync(join(folder, foreign), 1e9, 1e9);
    assert.deepEqual(await removeLeftovers(folder, "dead", 1e12 + hour), []);
    assert.deepEqual(await removeLeftovers(folder, "dead", 1e12 + 25 * hour), [foreign]);
    assert.deepEqual(await removeLeftovers(folder, "any", 0), [mine]);
    assert.deepEqual(readdirSync(folder), ["kept"]);
  });

  it("removes at once what is this process's own", (t) => {
    const folder = scratch(t);
    const mine = basename(temporaryPath(join(folder, "x")));
    const dead = mine.replace(/-\d+-\d*-/, "-999999999-1-");
    mkdirSync(join(folder, mine));
    for (const name of [join(mine, "part"), dead, "kept"]) writeFileSync(join(folder, name), "");
    removeOwnUnfinished(folder);
    assert.deepEqual(readdirSync(folder), [dead, "kept"]);
    removeOwnUnfinished(join(folder, "none"));
  });

  it("finds nothing where there is no folder", async (t) => {
    assert.deepEqual(await removeLeftovers(join(scratch(t), "none"), "any", 0), []);
  });
});

describe("ensureFreeSpace", () => {
  it("passes what fits and refuses what no disk holds", async (t) => {
    const folder = scratch(t);
    await ensureFreeSpace(folder, 0, 0);
    await assert.rejects(ensureFreeSpace(folder, 2 ** 60), {
      name: "UserError",
      code: "no-space-left",
    });
  });
});
