/** @file The float64 interpreter over host arrays in float32: programs compute exactly, only what passes between them is rounded. */
import assert from "node:assert/strict";
import type { Backend, DeviceTensor, HostData, Tensors } from "../../src/engine/runtime/backend.ts";
import { createReferenceBackend } from "../../src/engine/runtime/reference.ts";

/** Tensors are views of the caller's arrays, as ONNX Runtime's are on the CPU. */
export function createHostReference(): Backend {
  const inner = createReferenceBackend();
  const inside = (tensors: Tensors): Tensors =>
    new Map(
      [...tensors].map(([name, tensor]) => [
        name,
        inner.upload(tensor.dtype, tensor.shape, dataOf(tensor)),
      ]),
    );
  return {
    ...inner,
    name: "host reference",
    sharesMemory: true,
    upload: (dtype, shape, data) => ({ dtype, shape, handle: data }),
    download: (tensor) => Promise.resolve(dataOf(tensor)),
    release: () => undefined,
    async compile(graph) {
      const program = await inner.compile(graph);
      return {
        ...program,
        async run(feeds, into) {
          const wanted = new Map(program.inputs.map((name) => [name, tensorOf(feeds, name)]));
          const results = new Map<string, DeviceTensor>();
          for (const [name, tensor] of await program.run(inside(wanted))) {
            const made = await inner.download(tensor);
            const target = into?.get(name) ?? fresh(tensor, made);
            write(dataOf(target), made);
            results.set(name, target);
          }
          return results;
        },
      };
    },
  };
}

function fresh({ dtype, shape }: DeviceTensor, made: HostData): DeviceTensor {
  return { dtype, shape, handle: dtype === "float32" ? new Float32Array(made.length) : made };
}

function write(target: HostData, made: HostData): void {
  if (target === made) return;
  assert(!(target instanceof BigInt64Array) && !(made instanceof BigInt64Array));
  target.set(made);
}

function tensorOf(tensors: Tensors, name: string): DeviceTensor {
  const tensor = tensors.get(name);
  assert(tensor, `no tensor for ${name}`);
  return tensor;
}

function dataOf({ handle }: DeviceTensor): HostData {
  assert(ArrayBuffer.isView(handle) && !(handle instanceof DataView));
  assert(isHostData(handle));
  return handle;
}

function isHostData(data: ArrayBufferView): data is HostData {
  return [
    Float64Array,
    Float32Array,
    Int32Array,
    BigInt64Array,
    Uint32Array,
    Uint16Array,
    Int16Array,
    Int8Array,
    Uint8Array,
  ].some((kind) => data instanceof kind);
}
