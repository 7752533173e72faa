/** @file ONNX Runtime behind the backend interface: the only file that knows onnxruntime-node. */
import * as ort from "onnxruntime-node";
import type { DType, Shape } from "../../shared/dtypes.ts";
import { dtypeBytes, elementCount } from "../../shared/dtypes.ts";
import { InternalError, at, invariant, messageOf } from "../../shared/errors.ts";
import type { Graph } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import { sameShape } from "../core/shapes.ts";
import type { Device } from "../onnx/emitter.ts";
import { devices } from "../onnx/emitter.ts";
import { emitIdentity, emitModel, emitProduct } from "../onnx/model.ts";
import type {
  Backend,
  DeviceTensor,
  HostData,
  ProductForm,
  Products,
  Program,
  Tensors,
} from "./backend.ts";
import { overwriteGuard } from "./overwrite-guard.ts";
import { deviceNotFound, deviceNotInBuild, refusedOperator, userErrorOfRun } from "./ort-errors.ts";

export interface OrtOptions {
  readonly device: Device;
  /** Threads that one operator may use on the CPU; one for each core by default. */
  readonly threads?: number;
  /** Called before each program runs; what it throws ends the work between two of them. */
  readonly beforeRun?: () => void;
}

/** Devices that this build of ONNX Runtime carries; whether their hardware is there, {@link createOrtBackend} tells. */
export function availableDevices(): readonly Device[] {
  const carried = new Set(ort.listSupportedBackends().map(({ name }) => name));
  return devices.filter((device) => carried.has(device));
}

/**
 * Opens a device.
 *
 * On the CPU tensors are views of the caller's arrays. On WebGPU they cross once, when uploaded, and go from
 * program to program on the device. The binding knows no buffers of the other devices: there they
 * cross with each run.
 * @throws UserError `device-not-in-build` or `device-not-found`, with the remedy.
 */
export async function createOrtBackend(options: OrtOptions): Promise<Backend> {
  // Errors come as exceptions; ONNX Runtime would print them into the user's terminal as well.
  ort.env.logLevel = "fatal";
  const { device } = options;
  if (!availableDevices().includes(device)) throw deviceNotInBuild(device, availableDevices());
  const crossing = device === "webgpu" ? newCrossing(options) : undefined;
  const backend = openBackend(options, crossing);
  if (device !== "cpu") await probe(backend, device);
  return backend;
}

/** A tensor's handle: ONNX Runtime's own tensor, or the promise of one that is on its way to the device. */
interface Stored {
  tensor: ort.Tensor | Promise<ort.Tensor>;
}

/** Brings tensors to a device and back. */
interface Crossing {
  toDevice(tensor: ort.Tensor): Promise<ort.Tensor>;
  toHost(tensor: ort.Tensor): Promise<HostData>;
}

function openBackend(options: OrtOptions, crossing: Crossing | undefined): Backend {
  const { device } = options;
  const compile = async (graph: Graph): Promise<Program> => {
    const model = emitModel(graph, device);
    const session = await createSession(model.bytes, options, crossing !== undefined);
    const program = newProgram(graph, model.inputs, session, crossing === undefined);
    const { beforeRun } = options;
    if (beforeRun === undefined) return program;
    return {
      ...program,
      async run(feeds, into) {
        beforeRun();
        return await program.run(feeds, into);
      },
    };
  };
  return {
    name: device,
    // Where the binding keeps outputs on the device, it ignores tensors given for them, without a word.
    preallocates: crossing === undefined,
    sharesMemory: crossing === undefined,
    upload(dtype, shape, data) {
      if (!crossing) return stored(dtype, shape, hostTensor(dtype, shape, data));
      const crossed = crossing.toDevice(hostTensor(dtype, shape, data));
      // Whoever uses the tensor sees the error; until then it must not count as unhandled.
      crossed.catch(() => undefined);
      return stored(dtype, shape, crossed);
    },
    view(tensor, dtype, shape) {
      const { tensor: here } = handleOf(tensor);
      if (!(here instanceof Promise)) return stored(dtype, shape, viewed(here, dtype, shape));
      const later = here.then((crossed) => viewed(crossed, dtype, shape));
      later.catch(() => undefined);
      return stored(dtype, shape, later);
    },
    async download(tensor) {
      const here = await handleOf(tensor).tensor;
      return crossing ? crossing.toHost(here) : hostData(here);
    },
    release(tensor) {
      // Memory of the host belongs to its arrays.
      if (!crossing) return;
      const dispose = async (): Promise<void> => (await handleOf(tensor).tensor).dispose();
      dispose().catch(() => undefined);
    },
    async compile(graph) {
      try {
        return await compile(graph);
      } catch (error) {
        if (device === "cpu" || error instanceof InternalError) throw ours("compile", error);
        throw await refusedOperator(device, graph, compile, error);
      }
    },
    ...(device === "cpu" ? { openProducts: (how) => openProducts(options, how) } : {}),
  };
}

/** One session, which has threads of its own, instead of one for each size. */
async function openProducts(options: OrtOptions, how: ProductForm): Promise<Products> {
  const session = await createSession(emitProduct(how), options, false);
  return {
    async multiply([rows, inner, columns], a, b, into) {
      options.beforeRun?.();
      const operands = {
        a: hostTensor("float64", [rows, inner], a),
        b: hostTensor("float64", how.transB ? [columns, inner] : [inner, columns], b),
      };
      const place = into && hostTensor("float64", [rows, columns], into);
      const { c } = await session.run(operands, { c: place ?? null }).catch((error: unknown) => {
        throw userErrorOfRun(error) ?? ours("run", error);
      });
      const made = c && hostData(c);
      invariant(c && made instanceof Float64Array, "ONNX Runtime made no product");
      if (into === undefined) return made;
      freeCopy(c, place);
      return into;
    },
    dispose: () => session.release(),
  };
}

function newProgram(
  graph: Graph,
  inputs: readonly string[],
  session: ort.InferenceSession,
  onHost: boolean,
): Program {
  const outputs = [...graph.outputs.keys()];
  const declared = new Map(graph.inputs.map(({ name, value }) => [name, value]));
  const guard = overwriteGuard(graph);
  return {
    inputs,
    outputs,
    async run(feeds, into) {
      const given: Record<string, ort.Tensor> = {};
      for (const name of inputs) given[name] = await operand(name, feeds, declared.get(name));
      invariant(onHost || into === undefined || into.size === 0, "the device allocates outputs");
      const wanted: Record<string, ort.Tensor | null> = {};
      for (const name of outputs)
        wanted[name] = into?.has(name) ? await operand(name, into, graph.outputs.get(name)) : null;
      if (into !== undefined && into.size > 0) guard(views(given), views(wanted));
      const made = await session.run(given, wanted).catch((error: unknown) => {
        throw userErrorOfRun(error) ?? ours("run", error);
      });
      const results = new Map<string, DeviceTensor>();
      for (const [name, { dtype, shape }] of graph.outputs) {
        const tensor = made[name];
        invariant(tensor, `ONNX Runtime made no output ${name}`);
        const held =
          dtype === "float16" && onHost ? hostTensor(dtype, shape, hostData(tensor)) : tensor;
        const place = into?.get(name);
        if (place !== undefined) freeCopy(tensor, wanted[name]);
        results.set(name, place ?? stored(dtype, shape, held));
      }
      return results;
    },
    dispose: () => session.release(),
  };
}

/**
 * Of an output that was written where it should, the binding hands back a copy as well. Left to the garbage
 * collector, the copies of a step's outputs set it off several times a step; freed at once they cost their copying.
 */
function freeCopy(copy: ort.Tensor, original: ort.Tensor | null | undefined): void {
  const { buffer } = bytesOf(copy);
  if (original && bytesOf(original).buffer !== buffer) buffer.transfer(0);
}

/** The memory of host tensors, by name. */
function views(tensors: Readonly<Record<string, ort.Tensor | null>>): Map<string, ArrayBufferView> {
  const held = new Map<string, ArrayBufferView>();
  for (const [name, tensor] of Object.entries(tensors)) if (tensor) held.set(name, bytesOf(tensor));
  return held;
}

async function operand(
  name: string,
  tensors: Tensors,
  declared: { readonly dtype: DType; readonly shape: Shape } | undefined,
): Promise<ort.Tensor> {
  const tensor = tensors.get(name);
  invariant(tensor && declared, `the program has no tensor for ${name}`);
  if (tensor.dtype !== declared.dtype || !sameShape(tensor.shape, declared.shape))
    throw new InternalError(
      `${name} is ${declared.dtype} [${declared.shape.join(", ")}], not ${tensor.dtype} [${tensor.shape.join(", ")}]`,
    );
  return handleOf(tensor).tensor;
}

function createSession(
  bytes: Uint8Array,
  { device, threads = 0 }: OrtOptions,
  keepOnDevice: boolean,
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(bytes, {
    executionProviders: [device],
    graphOptimizationLevel: "all",
    executionMode: "sequential",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // A pattern of allocations saves no time here, and holds 5 % more memory.
    enableMemPattern: false,
    logSeverityLevel: 4,
    ...(keepOnDevice ? { preferredOutputLocation: "gpu-buffer" } : {}),
    extra: {
      session: {
        // Each session has its own threads: spinning ones take the cores from the next program.
        intra_op: { allow_spinning: "0" },
        inter_op: { allow_spinning: "0" },
        // An operator without a kernel on the device would run on the CPU without a word.
        ...(device === "cpu" ? {} : { disable_cpu_ep_fallback: "1" }),
      },
    },
  });
}

/**
 * The binding can neither fill nor read a device's buffer: a program that copies does it. All types cross as
 * words of 32 bits, the only ones that every device copies, and are named anew on the other side.
 */
function newCrossing(options: OrtOptions): Crossing {
  const open = (keepOnDevice: boolean): (() => Promise<ort.InferenceSession>) => {
    let session: Promise<ort.InferenceSession> | undefined;
    return () => (session ??= createSession(emitIdentity("int32", 1), options, keepOnDevice));
  };
  const [onDevice, onHost] = [open(true), open(false)];
  const copy = async (session: ort.InferenceSession, x: ort.Tensor): Promise<ort.Tensor> => {
    const { y } = await session.run({ x });
    invariant(y, "a tensor did not cross");
    return y;
  };
  return {
    async toDevice(tensor) {
      const words = new Int32Array(wordsOf(tensor));
      // Taken at once: the caller may change its array before the copy has crossed.
      const { buffer, byteOffset, byteLength } = bytesOf(tensor);
      new Uint8Array(words.buffer).set(new Uint8Array(buffer, byteOffset, byteLength));
      const crossed = await copy(await onDevice(), new ort.Tensor("int32", words));
      return named(crossed, tensor.type, tensor.dims);
    },
    async toHost(tensor) {
      const words = await copy(await onHost(), named(tensor, "int32", [wordsOf(tensor)]));
      const { buffer, byteOffset } = bytesOf(words);
      const Elements = arrays[tensor.type as DType];
      return new Elements(buffer, byteOffset, tensor.size);
    },
  };
}

/** The same buffer of a device under another type. */
function named(tensor: ort.Tensor, type: ort.Tensor.Type, dims: readonly number[]): ort.Tensor {
  return ort.Tensor.fromGpuBuffer(tensor.gpuBuffer, {
    dataType: type as ort.Tensor.GpuBufferDataTypes,
    dims,
    dispose: () => tensor.dispose(),
  });
}

function viewed(tensor: ort.Tensor, dtype: DType, shape: Shape): ort.Tensor {
  const bytes = elementCount(shape) * dtypeBytes[dtype];
  invariant(
    Math.ceil(bytes / 4) === wordsOf(tensor),
    `a view of ${bytes} bytes on ${wordsOf(tensor)} words`,
  );
  if (tensor.location === "gpu-buffer") return named(tensor, dtype as ort.Tensor.Type, shape);
  const { buffer, byteOffset } = bytesOf(tensor);
  const Elements = arrays[dtype];
  return hostTensor(dtype, shape, new Elements(buffer, byteOffset, elementCount(shape)));
}

/** Words of 32 bits that hold a tensor; buffers of devices are longer than the last one. */
function wordsOf(tensor: ort.Tensor): number {
  return Math.ceil((tensor.size * dtypeBytes[tensor.type as DType]) / 4);
}

function bytesOf(tensor: ort.Tensor): ArrayBufferView<ArrayBuffer> {
  return tensor.data as unknown as ArrayBufferView<ArrayBuffer>;
}

/** The arrays that hold each type on the host; halves as their bits. */
const arrays = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** There and back with one number, through a program: fails where there is no hardware or no driver. */
async function probe(backend: Backend, device: Device): Promise<void> {
  const g = newGraph();
  const x = g.input("x", "float32", [2]);
  g.output("y", at(g.emit("Add", [x, x], {}, [x]), 0));
  let sum: HostData;
  try {
    const program = await backend.compile(g);
    const fed = backend.upload("float32", [2], Float32Array.of(1, 2));
    const made = (await program.run(new Map([["x", fed]]))).get("y");
    invariant(made, "the probe has no output");
    sum = await backend.download(made);
    await program.dispose();
  } catch (error) {
    throw deviceNotFound(device, error);
  }
  if (sum[0] !== 2 || sum[1] !== 4)
    throw deviceNotFound(device, new Error(`1 + 1 and 2 + 2 gave ${sum.join(" and ")}`));
}

function stored(
  dtype: DType,
  shape: Shape,
  tensor: ort.Tensor | Promise<ort.Tensor>,
): DeviceTensor {
  const handle: Stored = { tensor };
  return { dtype, shape, handle };
}

function handleOf(tensor: DeviceTensor): Stored {
  return tensor.handle as Stored;
}

function hostTensor(dtype: DType, shape: Shape, data: HostData): ort.Tensor {
  invariant(
    data.length === elementCount(shape) && data.BYTES_PER_ELEMENT === dtypeBytes[dtype],
    `${data.constructor.name} of ${data.length} for ${dtype} [${shape.join(", ")}]`,
  );
  invariant(dtype !== "bfloat16", "bfloat16 goes to ONNX Runtime as uint16");
  if (dtype !== "float16") return new ort.Tensor(dtype, data as ort.Tensor["data"], [...shape]);
  // Where JavaScript has an array of halves, the constructor makes one of any bits given to it; but the
  // binding takes that array's length for 0, and wants the bits.
  const bits = new ort.Tensor("uint16", data as ort.Tensor["data"], [...shape]);
  return Object.defineProperty(bits, "type", { value: dtype });
}

function hostData(tensor: ort.Tensor): HostData {
  // Node 24 has an array of halves; the interface promises their bits.
  if (tensor.type !== "float16") return tensor.data as HostData;
  const { buffer, byteOffset } = bytesOf(tensor);
  return new Uint16Array(buffer, byteOffset, tensor.size);
}

function ours(what: string, error: unknown): Error {
  if (error instanceof InternalError) return error;
  return new InternalError(`ONNX Runtime could not ${what} a program: ${messageOf(error)}`);
}
