/** @file The backend around ONNX Runtime: shared memory, types, and errors that say what to do. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Graph } from "../../../../src/engine/core/graph.ts";
import { newGraph } from "../../../../src/engine/core/graph.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import { availableDevices, createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import type { DType } from "../../../../src/shared/dtypes.ts";
import { InternalError, UserError } from "../../../../src/shared/errors.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 2 });

function negation(dtype: DType = "float32"): Graph {
  const g = newGraph();
  g.output("y", o.neg(g, g.input("x", dtype, [3])));
  return g;
}

describe("tensors on the CPU", () => {
  it("are the caller's arrays, both ways", async () => {
    const data = Float32Array.of(1, 2, 3);
    const x = backend.upload("float32", [3], data);
    assert.equal(await backend.download(x), data);
    const program = await backend.compile(negation());
    data.fill(5);
    const y = (await program.run(new Map([["x", x]]))).get("y");
    assert.ok(y);
    assert.deepEqual(await backend.download(y), Float32Array.of(-5, -5, -5));
  });

  it("hold halves as their bits, which a program casts", async () => {
    const g = newGraph();
    const x = g.input("x", "float16", [4]);
    g.output("wide", o.cast(g, x, "float32"));
    g.output("same", x);
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00);
    const program = await backend.compile(g);
    const made = await program.run(new Map([["x", backend.upload("float16", [4], bits)]]));
    const [wide, same] = [made.get("wide"), made.get("same")];
    assert.ok(wide && same);
    assert.deepEqual(await backend.download(wide), Float32Array.of(1, -2, 2 ** -24, Infinity));
    assert.deepEqual(await backend.download(same), bits);
  });

  it("are refused where array and type do not fit, and as bfloat16", () => {
    const wrong: readonly (readonly [DType, Parameters<typeof backend.upload>[2], RegExp])[] = [
      ["float32", new Float32Array(2), /Float32Array of 2 for float32 \[3\]/u],
      ["float32", new Float64Array(3), /Float64Array of 3 for float32/u],
      ["bfloat16", new Uint16Array(3), /bfloat16 goes to ONNX Runtime as uint16/u],
    ];
    for (const [dtype, data, message] of wrong)
      assert.throws(() => backend.upload(dtype, [3], data), message);
  });
});

describe("a program", () => {
  it("leaves no copy of an output that it wrote in place", async () => {
    const count = 1 << 20;
    const g = newGraph();
    g.output("y", o.neg(g, g.input("x", "float32", [count])));
    const program = await backend.compile(g);
    const place = (data: Float32Array) => backend.upload("float32", [count], data);
    const feeds = new Map([["x", place(new Float32Array(count).fill(2))]]);
    const written = new Float32Array(count);
    const into = new Map([["y", place(written)]]);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 3; i++) await program.run(feeds, into);
    // Too few for the garbage collector to run by itself; a copy has 4 MB.
    assert.ok(process.memoryUsage().arrayBuffers - before < count);
    assert.equal(written[count - 1], -2);
    await program.dispose();
  });

  it("names the tensor that is missing or of another type", async () => {
    const program = await backend.compile(negation());
    const feed = (dtype: DType, size: number, data: Float32Array | Int32Array): Promise<unknown> =>
      program.run(new Map([["x", backend.upload(dtype, [size], data)]]));
    await assert.rejects(program.run(new Map()), /no tensor for x/u);
    await assert.rejects(
      feed("float32", 2, new Float32Array(2)),
      /x is float32 \[3\], not float32 \[2\]/u,
    );
    await assert.rejects(
      feed("int32", 3, new Int32Array(3)),
      /x is float32 \[3\], not int32 \[3\]/u,
    );
    await program.dispose();
  });

  it("that needs more memory than there is fails with the user's remedy", async () => {
    const g = newGraph();
    const x = g.input("x", "float32", [1, 1]);
    g.output("y", o.expand(g, x, [2 ** 22, 2 ** 22]));
    const program = await backend.compile(g);
    const one = backend.upload("float32", [1, 1], new Float32Array(1));
    await assert.rejects(
      program.run(new Map([["x", one]])),
      (error) =>
        error instanceof UserError && error.code === "out-of-memory" && error.remedy !== undefined,
    );
  });

  it("whose operator the CPU lacks is our defect, and the message names it", async () => {
    await assert.rejects(
      backend.compile(negation("uint8")),
      (error) => error instanceof InternalError && error.message.includes("Neg"),
    );
  });
});

describe("devices", () => {
  it("include the CPU everywhere, first", () => {
    assert.equal(availableDevices()[0], "cpu");
  });

  it("that the build lacks are refused with those it has", async () => {
    for (const device of ["webgpu", "cuda", "dml", "coreml"] as const) {
      if (availableDevices().includes(device)) continue;
      await assert.rejects(
        createOrtBackend({ device }),
        (error) =>
          error instanceof UserError &&
          error.code === "device-not-in-build" &&
          error.remedy?.includes("auto, cpu") === true,
      );
    }
  });

  it(
    "whose hardware is missing are refused with what to install",
    { skip: process.platform !== "linux" },
    () => {
      const file = join(import.meta.dirname, "../../../../src/engine/runtime/ort.ts");
      for (const device of ["webgpu", "cuda"]) {
        const script = `
        const { createOrtBackend } = await import(${JSON.stringify(file)});
        await createOrtBackend({ device: ${JSON.stringify(device)} })
          .catch((error) => { console.log(JSON.stringify({ ...error, message: error.message })); });`;
        const child = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
          encoding: "utf8",
          env: {
            ...process.env,
            VK_ICD_FILENAMES: "/nowhere",
            VK_DRIVER_FILES: "/nowhere",
            CUDA_VISIBLE_DEVICES: "",
          },
        });
        assert.match(child.stdout, /"code":"device-not-found"/u, child.stderr);
        assert.match(child.stdout, /"remedy":"Install/u);
      }
    },
  );
});
