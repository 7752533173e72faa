/** @file Weights as models bring them: single, sharded, read by range, changing, missing, pickled. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { openWeights } from "../../../../src/engine/weights/weight-source.ts";
import {
  writeModelWeights,
  writeSafetensors,
} from "../../../../src/engine/weights/write-safetensors.ts";
import { at } from "../../../../src/shared/errors.ts";
import { entry, fileBytes, floats, put, scratch, toWrite } from "./files.ts";
import { mutate, sampleFile } from "./mutations.ts";

const matrix = () => toWrite("w", "float32", [3, 2], floats(1, 2, 3, 4, 5, 6));

async function opened(t: TestContext, path: string) {
  const source = await openWeights(path);
  t.after(() => source.close());
  return source;
}

/** Two shards with two tensors each. */
async function sharded(folder: string): Promise<readonly string[]> {
  const tensors = ["a", "b", "c", "d"].map((name, i) => toWrite(name, "float32", [1], floats(i)));
  return writeModelWeights(folder, tensors, {}, 8);
}

const indexFile = (folder: string) => join(folder, "model.safetensors.index.json");
const refused = (path: string, code: string, message: RegExp) =>
  assert.rejects(openWeights(path), (error: Error & { code?: unknown; remedy?: unknown }) => {
    assert.deepEqual([error.name, error.code], ["UserError", code]);
    assert.match(error.message, message);
    assert.ok(typeof error.remedy === "string");
    return true;
  });

describe("reading", () => {
  it("gives tensors and rows, in new memory or in given memory", async (t) => {
    const path = join(scratch(t), "a.safetensors");
    await writeSafetensors(path, [matrix(), toWrite("s", "float32", [], floats(7))], {});
    const source = await opened(t, path);
    assert.deepEqual([source.files, [...source.tensors.keys()]], [[path], ["s", "w"]]);
    assert.deepEqual(await source.read("w"), floats(1, 2, 3, 4, 5, 6));
    assert.deepEqual(await source.read("s"), floats(7));
    assert.deepEqual(await source.readRows("w", 1, 2), floats(3, 4));
    assert.deepEqual(await source.readRows("w", 0, 3), floats(1, 2, 3, 4, 5, 6));
    assert.deepEqual(await source.readRows("w", 3, 3), floats());
    const whole = new Uint8Array(32);
    const into = whole.subarray(8, 16);
    assert.equal(await source.readRows("w", 2, 3, into), into);
    assert.deepEqual(whole.subarray(8, 16), floats(5, 6));
    assert.deepEqual(whole.subarray(16), new Uint8Array(16));
  });

  it("takes no name, row or buffer that is not there", async (t) => {
    const path = join(scratch(t), "a.safetensors");
    await writeSafetensors(path, [matrix(), toWrite("s", "float32", [], floats(7))], {});
    const source = await opened(t, path);
    const wrong = [
      source.read("x"),
      source.read("__proto__"),
      source.read("w", new Uint8Array(23)),
      source.readRows("w", 0, 4),
      source.readRows("w", -1, 1),
      source.readRows("w", 2, 1),
      source.readRows("w", 0.5, 1),
      source.readRows("s", 0, 1),
    ];
    for (const work of wrong) await assert.rejects(work, { name: "InternalError" });
    await source.close();
    await source.close();
    await assert.rejects(source.read("w"), /after it was closed/);
  });

  it("lists a tensor of a type that is not computed with, and refuses it when it is read", async (t) => {
    const header = `{${entry("q", "F8_E4M3", [4], 0, 4)},${entry("x", "U9", [4], 4, 8)}}`;
    const source = await opened(t, put(scratch(t), "a.safetensors", fileBytes(header, 8)));
    assert.deepEqual([...source.tensors.keys()], ["q", "x"]);
    assert.deepEqual(
      source.findings.map(({ code }) => code),
      ["unknown-tensor-dtype"],
    );
    for (const name of ["q", "x"])
      await assert.rejects(source.read(name), {
        name: "UserError",
        code: "unsupported-tensor-dtype",
      });
  });

  it("notices a file that changes while it is open", async (t) => {
    const changes: readonly ((path: string) => void)[] = [
      (path) => truncateSync(path, 100),
      (path) => {
        appendFileSync(path, "x");
        utimesSync(path, 2e9, 2e9);
      },
      (path) => utimesSync(path, 1e9, 1e9),
    ];
    for (const change of changes) {
      const path = join(scratch(t), "a.safetensors");
      await writeSafetensors(path, [matrix()], {});
      utimesSync(path, 2e9, 2e9);
      const source = await opened(t, path);
      await source.read("w");
      change(path);
      await assert.rejects(source.read("w"), { name: "UserError", code: "weights-changed" });
    }
  });

  it("goes on with the old file when a new one takes its name", async (t) => {
    const path = join(scratch(t), "a.safetensors");
    await writeSafetensors(path, [matrix()], {});
    const source = await opened(t, path);
    await writeSafetensors(path, [toWrite("w", "float32", [1], floats(9))], {});
    assert.deepEqual(await source.readRows("w", 0, 1), floats(1, 2));
  });

  it("closes what it opened when opening fails", async (t) => {
    const open = () => readdirSync("/proc/self/fd").length;
    if (process.platform !== "linux") {
      t.skip("counts open files by /proc");
      return;
    }
    const folder = scratch(t);
    const names = await sharded(folder);
    writeFileSync(join(folder, at(names, 1)), "broken");
    const before = open();
    for (let i = 0; i < 5; i += 1) await assert.rejects(openWeights(folder));
    assert.equal(open(), before);
  });
});

describe("a model folder", () => {
  it("opens shards by their index, each tensor from its own", async (t) => {
    const folder = scratch(t);
    const names = await sharded(folder);
    for (const path of [folder, indexFile(folder)]) {
      const source = await opened(t, path);
      assert.deepEqual(
        source.files,
        names.slice(0, 2).map((name) => join(folder, name)),
      );
      for (const [i, name] of ["a", "b", "c", "d"].entries())
        assert.deepEqual(await source.read(name), floats(i));
      assert.deepEqual(source.findings, []);
    }
  });

  it("prefers model.safetensors, as transformers does", async (t) => {
    const folder = scratch(t);
    await sharded(folder);
    await writeSafetensors(join(folder, "model.safetensors"), [matrix()], {});
    assert.deepEqual([...(await opened(t, folder)).tensors.keys()], ["w"]);
  });

  it("names missing shards", async (t) => {
    const folder = scratch(t);
    const names = await sharded(folder);
    rmSync(join(folder, at(names, 1)));
    await refused(
      folder,
      "missing-shard",
      /names 2 files; 1 of them is missing: model-00002-of-00002/,
    );
  });

  it("names a tensor that its shard lacks, and warns of one that the index lacks", async (t) => {
    const folder = scratch(t);
    await sharded(folder);
    const index = readFileSync(indexFile(folder), "utf8");
    put(folder, "model.safetensors.index.json", index.replace('"a"', '"e"'));
    await refused(folder, "tensor-missing-in-shard", /"e" is in model-00001-of-00002\.safetensors/);
    put(folder, "model.safetensors.index.json", index.replace(/ *"a":.*\n/, ""));
    const source = await opened(t, folder);
    assert.deepEqual([...source.tensors.keys()], ["b", "c", "d"]);
    assert.deepEqual(
      source.findings.map(({ code, severity }) => [code, severity]),
      [["tensor-not-in-index", "warning"]],
    );
  });

  it("takes a tensor that lies in two shards from the one that the index names", async (t) => {
    const folder = scratch(t);
    for (const [name, value] of [
      ["x", 1],
      ["y", 2],
    ] as const) {
      const tensors = [
        toWrite("a", "float32", [1], floats(value)),
        toWrite(name, "float32", [1], floats(0)),
      ];
      await writeSafetensors(join(folder, `${name}.safetensors`), tensors, {});
    }
    for (const [file, value] of [
      ["x.safetensors", 1],
      ["y.safetensors", 2],
    ] as const) {
      const weight_map = { x: "x.safetensors", y: "y.safetensors", a: file };
      put(folder, "model.safetensors.index.json", JSON.stringify({ weight_map }));
      assert.deepEqual(await (await opened(t, folder)).read("a"), floats(value));
    }
  });

  const indexes: readonly (readonly [what: string, text: string, says: RegExp])[] = [
    ["no JSON", "{", /not JSON/],
    ["a list", "[]", /not an object/],
    ["no map", "{}", /weight_map is not/],
    ["an empty map", '{"weight_map":{}}', /names no tensor/],
    ["a number for a file", '{"weight_map":{"a":1}}', /weight_map.a is not a text/],
    [
      "a way out of the folder",
      '{"weight_map":{"a":"../x.safetensors"}}',
      /"\.\.\/x.safetensors" is not the name/,
    ],
    ["an absolute path", '{"weight_map":{"a":"/etc/x.safetensors"}}', /is not the name/],
    ["a pickle", '{"weight_map":{"a":"pytorch_model.bin"}}', /is not the name/],
    [
      "a thousand files and more",
      JSON.stringify({
        weight_map: Object.fromEntries(
          Array.from({ length: 1001 }, (_, i) => [`t${i}`, `${i}.safetensors`]),
        ),
      }),
      /1001 files/,
    ],
  ];
  for (const [what, text, says] of indexes)
    it(`refuses an index with ${what}`, async (t) => {
      const folder = scratch(t);
      put(folder, "model.safetensors.index.json", text);
      await refused(folder, "malformed-shard-index", says);
    });

  it("refuses pickles by name, and opens none", async (t) => {
    for (const name of [
      "pytorch_model.bin",
      "pytorch_model-00001-of-00002.bin",
      "consolidated.00.pth",
      "adapter_model.bin",
    ]) {
      const folder = scratch(t);
      const path = put(folder, name, "cos\nsystem\n");
      put(folder, "training_args.bin", "");
      await refused(folder, "pickled-weights", new RegExp(`\\(${name.replaceAll(".", "\\.")}\\)`));
      await refused(path, "pickled-weights", /never opened/);
    }
  });

  it("says what is there where no model is", async (t) => {
    const folder = scratch(t);
    await refused(join(folder, "none"), "weights-not-found", /does not exist/);
    await refused(folder, "weights-not-found", /neither model\.safetensors nor/);
    put(folder, "model.fp16.safetensors", "");
    await refused(folder, "weights-not-found", /but model\.fp16\.safetensors/);
    put(folder, "adapter_model.safetensors", "");
    await refused(folder, "weights-not-found", /is an adapter, not a model/);
  });

  it("refuses what is no file, and does not wait for a pipe", async (t) => {
    const folder = scratch(t);
    mkdirSync(join(folder, "model.safetensors"));
    await refused(folder, "weights-unreadable", /is not a file|cannot/);
    if (process.platform === "win32") return;
    const pipe = join(folder, "pipe.safetensors");
    assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
    await refused(pipe, "weights-unreadable", /is not a file/);
    symlinkSync("loop.safetensors", join(folder, "loop.safetensors"));
    await refused(join(folder, "loop.safetensors"), "links-in-a-circle", /circle/);
  });

  it("says that permission is missing", async (t) => {
    if (process.getuid?.() === 0 || process.platform === "win32") {
      t.skip("nobody keeps root from reading");
      return;
    }
    const path = put(scratch(t), "a.safetensors", sampleFile());
    chmodSync(path, 0);
    await refused(path, "weights-unreadable", /permission is denied/);
  });

  it("throws the first error of a header and counts the others", async (t) => {
    const header = `{${entry("a", "F32", [1], 0, 4)},${entry("b", "F32", [2], 4, 8)},${entry("c", "F32", [3], 8, 12)}}`;
    await refused(
      put(scratch(t), "a.safetensors", fileBytes(header, 12)),
      "tensor-size-mismatch",
      /"b".*1 more problem/,
    );
  });
});

it("opens or refuses mutated files, and reads whatever it opened", async (t) => {
  const folder = scratch(t);
  for (let seed = 0; seed < 300; seed += 1) {
    const path = put(folder, "model.safetensors", mutate(sampleFile(), seed));
    try {
      const source = await openWeights(path);
      for (const { name, bytes, dtype } of source.tensors.values())
        if (dtype !== undefined) assert.equal((await source.read(name)).length, bytes);
      await source.close();
    } catch (error) {
      assert.ok(
        error instanceof Error && error.name === "UserError",
        `seed ${seed}: ${String(error)}`,
      );
    }
  }
});
