/** @file What is written is what the Python library writes, is read back the same, and is never half there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openWeights } from "../../../../src/engine/weights/weight-source.ts";
import {
  writeModelWeights,
  writeSafetensors,
  type TensorToWrite,
} from "../../../../src/engine/weights/write-safetensors.ts";
import { dtypeBytes, elementCount, type DType } from "../../../../src/shared/dtypes.ts";
import { floats, scratch, toWrite } from "./files.ts";

const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const short: Readonly<Record<string, DType>> = {
  b: "bool",
  u8: "uint8",
  i8: "int8",
  i16: "int16",
  u16: "uint16",
  f16: "float16",
  bf16: "bfloat16",
  i32: "int32",
  u32: "uint32",
  f32: "float32",
  f64: "float64",
  i64: "int64",
};

/** Two tensors of each type, and names that are hard to put in order. */
function everyType(): readonly TensorToWrite[] {
  const tensors = Object.entries(short).flatMap(([prefix, dtype]) =>
    [`${prefix}.2`, `${prefix}.10`].map((name) => {
      const modulus = dtype === "bool" ? 2 : 128;
      const bytes = Uint8Array.from(
        { length: 3 * dtypeBytes[dtype] },
        (_, i) => (i * 7 + name.length) % modulus,
      );
      return toWrite(name, dtype, [3, 1], bytes);
    }),
  );
  return [
    ...tensors,
    toWrite("\u{1f600}", "float32", [0, 2], new Uint8Array(0)),
    toWrite("\uff5e", "float32", [], floats(0)),
    toWrite("7", "float32", [1], floats(1)),
    toWrite('q"\\\n', "float32", [1], floats(1)),
  ];
}

describe("writeSafetensors", () => {
  const metadata = { format: "pt", "10": "ü", "2": "b" };

  it("writes the bytes that safetensors 0.8.0 writes from Python, in whatever order they come", async (t) => {
    const folder = scratch(t);
    const path = join(folder, "a.safetensors");
    for (const tensors of [everyType(), everyType().toReversed()]) {
      assert.equal(await writeSafetensors(path, tensors, metadata), 2054);
      assert.equal(
        sha256(path),
        "322b6b2e8f05517b4f6ac9ec57aa860c55ece292989cbe7b9f74badb91649b84",
      );
    }
    assert.deepEqual(readdirSync(folder), ["a.safetensors"]);
  });

  it("is read back: names, types, shapes, bytes and metadata", async (t) => {
    const path = join(scratch(t), "new", "folder", "a.safetensors");
    await writeSafetensors(path, everyType(), metadata);
    const source = await openWeights(path);
    t.after(() => source.close());
    assert.deepEqual(Object.fromEntries(source.metadata), metadata);
    assert.equal(source.tensors.size, everyType().length);
    for (const { name, dtype, shape, chunks } of everyType()) {
      const tensor = source.tensors.get(name);
      assert.deepEqual([tensor?.dtype, tensor?.shape], [dtype, shape]);
      assert.equal((tensor?.offset ?? 1) % dtypeBytes[dtype], 0);
      for await (const bytes of chunks()) assert.deepEqual(await source.read(name), bytes);
    }
  });

  it("takes a tensor in chunks, from an asynchronous source, one after the other", async (t) => {
    const path = join(scratch(t), "a.safetensors");
    const order: string[] = [];
    const chunked = (name: string): TensorToWrite => ({
      name,
      dtype: "float32",
      shape: [3],
      async *chunks() {
        order.push(`${name} begins`);
        yield floats(1);
        yield new Uint8Array(0);
        yield await Promise.resolve(floats(2, 3));
        order.push(`${name} ends`);
      },
    });
    await writeSafetensors(path, [chunked("b"), chunked("a")], {});
    assert.deepEqual(order, ["a begins", "a ends", "b begins", "b ends"]);
    const source = await openWeights(path);
    t.after(() => source.close());
    assert.deepEqual(await source.read("b"), floats(1, 2, 3));
  });

  it("leaves the old file and nothing else when a tensor fails or has the wrong size", async (t) => {
    const folder = scratch(t);
    const path = join(folder, "a.safetensors");
    writeFileSync(path, "old");
    const failing: TensorToWrite = {
      name: "b",
      dtype: "float32",
      shape: [2],
      *chunks() {
        yield floats(1);
        throw new Error("no more");
      },
    };
    const good = toWrite("a", "float32", [1], floats(1));
    await assert.rejects(writeSafetensors(path, [good, failing], {}), /no more/);
    for (const bytes of [floats(1), floats(1, 2, 3)])
      await assert.rejects(
        writeSafetensors(path, [good, toWrite("b", "float32", [2], bytes)], {}),
        { name: "InternalError" },
      );
    await assert.rejects(writeSafetensors(path, [good, good], {}), /written twice/);
    assert.deepEqual(readdirSync(folder), ["a.safetensors"]);
    assert.equal(readFileSync(path, "utf8"), "old");
  });

  it("refuses at once what no disk holds, and a folder that is a file", async (t) => {
    const folder = scratch(t);
    const huge: TensorToWrite = {
      name: "a",
      dtype: "uint8",
      shape: [2 ** 50],
      chunks: () => assert.fail("the bytes were asked for"),
    };
    const path = join(folder, "a.safetensors");
    await assert.rejects(writeSafetensors(path, [huge], {}), { code: "no-space-left" });
    assert.deepEqual(readdirSync(folder), []);
    writeFileSync(path, "");
    await assert.rejects(writeSafetensors(join(path, "b.safetensors"), [], {}), {
      name: "UserError",
    });
  });
});

describe("a disk of its own", () => {
  /**
   * Runs a script in a new mount namespace where `folder` is a small file system of its own; it
   * is gone with the process. The script prints JSON.
   */
  const onDisk = (folder: string, options: string, script: string): unknown => {
    const module = join(import.meta.dirname, "../../../../src/engine/weights/write-safetensors.ts");
    const start = `import { writeSafetensors } from ${JSON.stringify(module)};
import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
const folder = process.argv[1];
const outcome = async (work) => work().then(() => "written", ({ name, code }) => [name, code]);
${script}`;
    const mount = `mount -t tmpfs -o ${options} none "$1" && exec "$2" --input-type=module -e "$3" "$1"`;
    const unshare = ["-Urm", "sh", "-c", mount, "sh", folder, process.execPath, start];
    const { status, stdout, stderr } = spawnSync("unshare", unshare, { encoding: "utf8" });
    if (status !== 0) return `no disk: ${stderr}`;
    return JSON.parse(stdout);
  };

  it("runs full while a tensor is written: a UserError, and no half file", (t) => {
    const script = `
      // Room for the tensor and the reserve at first; then somebody else takes it all.
      const chunks = function* () {
        const other = openSync(folder + "/other", "w");
        try { for (;;) writeSync(other, new Uint8Array(1 << 20)); } catch {}
        closeSync(other);
        yield new Uint8Array(4 << 20);
      };
      const tensor = { name: "a", dtype: "uint8", shape: [4 << 20], chunks };
      const result = await outcome(() => writeSafetensors(folder + "/a.safetensors", [tensor], {}));
      console.log(JSON.stringify([result, readdirSync(folder)]));`;
    const result = onDisk(scratch(t), "size=32m", script);
    if (typeof result === "string") {
      t.skip(result);
      return;
    }
    assert.deepEqual(result, [["UserError", "no-space-left"], ["other"]]);
  });

  it("is read-only: a UserError", (t) => {
    const script = `
      const result = await outcome(() => writeSafetensors(folder + "/a.safetensors", [], {}));
      console.log(JSON.stringify([result, readdirSync(folder)]));`;
    const result = onDisk(scratch(t), "ro", script);
    if (typeof result === "string") {
      t.skip(result);
      return;
    }
    assert.deepEqual(result, [["UserError", "read-only-folder"], []]);
  });
});

describe("writeModelWeights", () => {
  /** The tensors of a two-layer Llama, in the order of its modules. */
  const llama = (): readonly TensorToWrite[] => {
    const zeros = (name: string, ...shape: readonly number[]) =>
      toWrite(name, "float32", shape, new Uint8Array(4 * elementCount(shape)));
    const layer = (prefix: string) => [
      zeros(`${prefix}.self_attn.q_proj.weight`, 8, 8),
      zeros(`${prefix}.self_attn.k_proj.weight`, 4, 8),
      zeros(`${prefix}.self_attn.v_proj.weight`, 4, 8),
      zeros(`${prefix}.self_attn.o_proj.weight`, 8, 8),
      zeros(`${prefix}.mlp.gate_proj.weight`, 12, 8),
      zeros(`${prefix}.mlp.up_proj.weight`, 12, 8),
      zeros(`${prefix}.mlp.down_proj.weight`, 8, 12),
      zeros(`${prefix}.input_layernorm.weight`, 8),
      zeros(`${prefix}.post_attention_layernorm.weight`, 8),
    ];
    return [
      zeros("model.embed_tokens.weight", 16, 8),
      ...layer("model.layers.0"),
      ...layer("model.layers.1"),
      zeros("model.norm.weight", 8),
    ];
  };

  it("cuts shards and writes the index as transformers 5.23.0 does with max_shard_size=1500", async (t) => {
    const folder = scratch(t);
    const names = await writeModelWeights(folder, llama(), { format: "pt" }, 1500);
    assert.deepEqual(names, [
      "model-00001-of-00004.safetensors",
      "model-00002-of-00004.safetensors",
      "model-00003-of-00004.safetensors",
      "model-00004-of-00004.safetensors",
      "model.safetensors.index.json",
    ]);
    assert.deepEqual(readdirSync(folder), names);
    assert.equal(
      sha256(join(folder, "model.safetensors.index.json")),
      "8c17f106aac577f0a0707fa6f5e0309caeebd4cdadfd30dc2d2893d8b157f86c",
    );
    const source = await openWeights(folder);
    t.after(() => source.close());
    assert.equal(source.tensors.size, 20);
    for (const { name, shape } of llama())
      assert.deepEqual(source.tensors.get(name)?.shape, shape, name);
  });

  it("gives a tensor above the limit a shard of its own, and escapes what is not ASCII", async (t) => {
    const folder = scratch(t);
    const tensors = [
      toWrite("a", "float32", [1], floats(1)),
      toWrite("é\u{1f600}", "float32", [3], floats(1, 2, 3)),
      toWrite("c", "float32", [1], floats(3)),
    ];
    await writeModelWeights(folder, tensors, {}, 8);
    const index = readFileSync(join(folder, "model.safetensors.index.json"), "latin1");
    assert.match(index, /"\\u00e9\\ud83d\\ude00": "model-00001-of-00002\.safetensors"/);
    assert.match(index, /"a": "model-00002-of-00002/);
    assert.match(index, /"c": "model-00002-of-00002/);
  });

  it("writes one file where all fits", async (t) => {
    const folder = scratch(t);
    assert.deepEqual(await writeModelWeights(folder, llama(), {}, 4512), ["model.safetensors"]);
    assert.deepEqual(readdirSync(folder), ["model.safetensors"]);
  });

  it("leaves no shard behind when one fails, or when the index cannot be written", async (t) => {
    const folder = scratch(t);
    const failing = toWrite("z", "float32", [2], floats(1));
    await assert.rejects(writeModelWeights(folder, [...llama(), failing], {}, 1500));
    assert.deepEqual(readdirSync(folder), []);
    mkdirSync(join(folder, "model.safetensors.index.json"));
    await assert.rejects(writeModelWeights(folder, llama(), {}, 1500));
    assert.deepEqual(readdirSync(folder), ["model.safetensors.index.json"]);
  });
});
