/** @file What runs graphs: the interface that ONNX Runtime and the reference interpreter share. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import type { Graph } from "../core/graph.ts";

/** The typed arrays that hold tensors on the host: float16 and bfloat16 as uint16 bits, bool as 0/1 bytes. */
export type HostData =
  | Float64Array
  | Float32Array
  | Int32Array
  | BigInt64Array
  | Uint32Array
  | Uint16Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/** A tensor where the backend keeps it. */
export interface DeviceTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  /** The backend's own handle. */
  readonly handle: unknown;
}

export type Tensors = ReadonlyMap<string, DeviceTensor>;

/** A compiled graph. */
export interface Program {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Runs once; outputs named in `into` are written there, the others are allocated. */
  run(feeds: Tensors, into?: Tensors): Promise<Tensors>;
  dispose(): Promise<void>;
}

export interface Backend {
  readonly name: string;
  /** Whether programs can write into tensors given to them; otherwise they allocate their outputs. */
  readonly preallocates: boolean;
  /** Whether a tensor is the very array it was made of, so that writing to one changes the other. */
  readonly sharesMemory: boolean;
  /** A tensor over `data`: on the CPU a view without a copy, elsewhere a copy on the device. */
  upload(dtype: DType, shape: Shape, data: HostData): DeviceTensor;
  /** The same memory under another type and shape, of as many bytes; it is gone with the first. */
  view(tensor: DeviceTensor, dtype: DType, shape: Shape): DeviceTensor;
  /** The elements on the host: on the CPU the array itself, elsewhere a copy. */
  download(tensor: DeviceTensor): Promise<HostData>;
  release(tensor: DeviceTensor): void;
  /** Compiles the live part of a graph; equal graphs may be compiled once. */
  compile(graph: Graph): Promise<Program>;
  /** Opens products of float64 matrices of sizes that are known only when they are made; CPUs have it. */
  readonly openProducts?: (how: ProductForm) => Promise<Products>;
}

/** a b, or a bᵀ where `transB` is set. */
export interface ProductForm {
  readonly transB: boolean;
}

/** One program for products of every size. */
export interface Products {
  /** a [rows, inner] times b [inner, columns], or times the transposed b [columns, inner]; written into `into` where that is given. */
  multiply(
    sizes: readonly [rows: number, inner: number, columns: number],
    a: Float64Array,
    b: Float64Array,
    into?: Float64Array,
  ): Promise<Float64Array>;
  dispose(): Promise<void>;
}
