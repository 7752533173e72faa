/** @file Named tensors that are written again at every step, so that nothing is allocated in the loop. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { sameShape } from "../core/shapes.ts";
import type { Backend, DeviceTensor, HostData } from "../runtime/backend.ts";

export interface Buffers {
  /**
   * The tensor of this name; its memory grows to the largest shape asked for and is kept. Undefined on
   * devices that allocate a program's outputs themselves.
   */
  into(name: string, dtype: DType, shape: Shape): DeviceTensor | undefined;
  /** The tensor of this name, filled on the host. */
  write(name: string, dtype: DType, shape: Shape, fill: (data: HostData) => void): DeviceTensor;
  /** Remembers what a program allocated under a name, and releases what stood there. */
  keep(name: string, tensor: DeviceTensor): void;
  /** Gives up a tensor that a device allocated and that no name keeps. */
  drop(tensor: DeviceTensor): void;
  get(name: string): DeviceTensor | undefined;
  /** Bytes held. */
  bytes(): number;
}

export function createBuffers(backend: Backend): Buffers {
  const memory = new Map<string, HostData>();
  const tensors = new Map<string, DeviceTensor>();
  const buffers: Buffers = {
    into(name, dtype, shape) {
      if (!backend.preallocates) return undefined;
      const known = tensors.get(name);
      if (known?.dtype === dtype && sameShape(known.shape, shape)) return known;
      const count = elementCount(shape);
      let data = memory.get(name);
      if (data === undefined || data.length < count) {
        data = newHostData(dtype, count);
        memory.set(name, data);
      }
      const tensor = backend.upload(dtype, shape, data.subarray(0, count));
      tensors.set(name, tensor);
      return tensor;
    },
    write(name, dtype, shape, fill) {
      const count = elementCount(shape);
      const held = backend.sharesMemory ? buffers.into(name, dtype, shape) : undefined;
      const data = memory.get(name)?.subarray(0, count) ?? newHostData(dtype, count);
      fill(data);
      if (held) return held;
      const tensor = backend.upload(dtype, shape, data);
      buffers.keep(name, tensor);
      return tensor;
    },
    keep(name, tensor) {
      const known = tensors.get(name);
      if (known === tensor) return;
      if (known && !backend.sharesMemory) backend.release(known);
      tensors.set(name, tensor);
    },
    drop(tensor) {
      if (!backend.sharesMemory) backend.release(tensor);
    },
    get: (name) => tensors.get(name),
    bytes: () => [...memory.values()].reduce((sum, data) => sum + data.byteLength, 0),
  };
  return buffers;
}

/** A zeroed host array of a dtype. */
function newHostData(dtype: DType, count: number): HostData {
  switch (dtype) {
    case "float64":
      return new Float64Array(count);
    case "float32":
      return new Float32Array(count);
    case "int64":
      return new BigInt64Array(count);
    case "int32":
      return new Int32Array(count);
    case "uint32":
      return new Uint32Array(count);
    case "int16":
      return new Int16Array(count);
    case "float16":
    case "bfloat16":
    case "uint16":
      return new Uint16Array(count);
    case "int8":
      return new Int8Array(count);
    case "uint8":
    case "bool":
      return new Uint8Array(count);
  }
}
