/** @file What ONNX Runtime's failures mean to the user: a device that is missing, an operator it lacks, memory. */
import { InternalError, UserError, at, messageOf } from "../../shared/errors.ts";
import type { Graph, Node, Value } from "../core/graph.ts";
import { liveNodes, newGraph } from "../core/graph.ts";
import type { Device } from "../onnx/emitter.ts";
import type { Program } from "./backend.ts";

const names: { readonly [D in Device]: string } = {
  cpu: "the CPU",
  webgpu: "WebGPU",
  cuda: "CUDA",
  dml: "DirectML",
  coreml: "CoreML",
};

/** Where ONNX Runtime's npm package carries each device. */
const carriedOn: { readonly [D in Device]: string } = {
  cpu: "every platform",
  webgpu: "Linux x64, Windows and macOS",
  cuda: "Linux x64",
  dml: "Windows",
  coreml: "macOS",
};

/** Where an experiment says the device. */
const place = { file: "", field: "run.device" };

export function deviceNotInBuild(device: Device, carried: readonly Device[]): UserError {
  return new UserError({
    code: "device-not-in-build",
    message: `ONNX Runtime has ${names[device]} on ${carriedOn[device]}, not on ${process.platform} ${process.arch}.`,
    place,
    remedy: `Set run.device to one of: auto, ${carried.join(", ")}.`,
  });
}

const findRemedy: { readonly [D in Device]: string } = {
  cpu: "Reinstall the dependencies with `npm ci`.",
  webgpu:
    "Install the graphics card's driver (on Linux one with Vulkan 1.1, and libvulkan.so.1), or set run.device: cpu.",
  cuda: "Install NVIDIA's driver, CUDA 12 or 13 and cuDNN 9, and ONNX Runtime's CUDA provider beside its library, or set run.device: webgpu or cpu.",
  dml: "Update the graphics card's driver to one with DirectX 12, or set run.device: cpu.",
  coreml: "Set run.device: webgpu or cpu.",
};

export function deviceNotFound(device: Device, failure: unknown): UserError {
  const cause = failure instanceof UserError ? failure.cause : failure;
  return new UserError({
    code: "device-not-found",
    message: `No device answers through ${names[device]}: ${firstLine(cause)}`,
    place,
    remedy: findRemedy[device],
    cause,
  });
}

/** A failed run as the user's error where it is one; undefined for our own. */
export function userErrorOfRun(cause: unknown): UserError | undefined {
  const message = String(cause);
  if (/requires f16 but the device does not support it/u.test(message))
    return new UserError({
      code: "dtype-not-on-device",
      message: "The device does not compute in float16.",
      remedy: "Set train.compute_dtype: float32.",
      cause,
    });
  if (/bad_alloc|allocate memory|out of memory|OutOfMemory/iu.test(message))
    return new UserError({
      code: "out-of-memory",
      message: `There is not enough memory for a step: ${firstLine(cause)}`,
      remedy:
        "Lower train.batch_size or data.max_length, switch train.gradient_checkpointing on, or quantize the base (method qlora).",
      cause,
    });
  return undefined;
}

/**
 * The error of a program that a device refused: each of its operators is compiled alone, and the first
 * that the device has no kernel for is named.
 */
export async function refusedOperator(
  device: Device,
  graph: Graph,
  compile: (graph: Graph) => Promise<Program>,
  cause: unknown,
): Promise<Error> {
  for (const node of liveNodes(graph)) {
    if (node.op === "Constant") continue;
    try {
      await (await compile(alone(graph, node))).dispose();
    } catch (error) {
      const types = node.inputs.map(({ dtype, shape }) => `${dtype} [${shape.join(", ")}]`);
      return new UserError({
        code: "operator-not-on-device",
        message: `${names[device]} has no kernel for ${node.op} of ${types.join(", ")}: ${firstLine(error)}`,
        remedy: "Set run.device: cpu.",
        cause,
      });
    }
  }
  return new InternalError(
    `${names[device]} refused a program whose operators it takes: ${firstLine(cause)}`,
  );
}

/** One node with its constants as a graph of its own. */
function alone(source: Graph, node: Node): Graph {
  const g = newGraph();
  const inputs = node.inputs.map((value, index) => {
    const producer = source.producer(value);
    const isConstant = producer?.op === "Constant";
    return isConstant
      ? at(copy(g, producer, []), 0)
      : g.input(`input.${index}`, value.dtype, value.shape);
  });
  copy(g, node, inputs).forEach((output, index) => {
    g.output(`output.${index}`, output);
  });
  return g;
}

function copy(g: Graph, node: Node, inputs: readonly Value[]): readonly Value[] {
  return g.emit(node.op, inputs, node.attributes, node.outputs);
}

/** What ONNX Runtime says, without the place in its sources. */
function firstLine(error: unknown): string {
  const message = messageOf(error);
  const line = message.split("\n", 1)[0] ?? message;
  return line.replace(/^\S*onnxruntime_src.*? was false\. /u, "").trim();
}
