/** @file Finds a block's tensors by the names of program inputs, wherever they live. */
import { elementCount } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { TokenInputs } from "../models/architecture.ts";
import { layerNames } from "../programs/layer.ts";
import { inputNames } from "../programs/scope.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { parameterName, trainedTensors } from "../programs/setup.ts";
import type { Backend, DeviceTensor, HostData } from "../runtime/backend.ts";
import type { BaseWeights } from "./base-weights.ts";
import type { Buffers } from "./buffers.ts";
import type { Parameters } from "./parameters.ts";

export interface BlockBindings {
  /** A resident input of a program of this block; undefined where the name is not the block's. */
  feed(name: string): DeviceTensor | undefined;
  /** A weight decoded to float32, valid until the next call. */
  decode(name: string): DeviceTensor;
  /** Where a gradient is summed. */
  gradient(name: string): DeviceTensor | undefined;
  /** Looks up the rows of tables that are not held in float32, for the tokens of a batch. */
  lookUp(tokens: TokenRows): void;
  /** Draws the keep masks of a batch of so many rows. */
  drawMasks(rows: number, draw: (module: string, keep: number, into: Uint8Array) => void): void;
}

/** What names the rows of embedding tables, each [batch · length]. */
export type TokenRows = { readonly [Input in keyof TokenInputs]: Int32Array };

export interface BindingSources {
  readonly backend: Backend;
  readonly base: BaseWeights;
  readonly parameters: Parameters;
  readonly buffers: Buffers;
}

export function createBindings(setup: BlockSetup, { backend, base, parameters, buffers }: BindingSources): BlockBindings {
  const { spec } = setup;
  const resident = new Map<string, DeviceTensor>();
  const gradients = new Map<string, DeviceTensor>();
  const sources = new Map<string, string>();
  const scales = new Map<string, string>();
  const tables: { readonly input: string; readonly source: string; readonly width: number; readonly rows: keyof TokenInputs }[] = [];

  const trained = trainedTensors(setup);
  for (const { name, shape } of trained) {
    const parameter = parameters.get(parameterName(spec, name));
    const sum = backend.upload("float32", shape, parameter.gradient);
    resident.set(inputNames.tensor(name), backend.upload("float32", shape, parameter.weight));
    resident.set(layerNames.accumulated(name), sum);
    gradients.set(layerNames.gradient(name), sum);
  }
  for (const { name, source, shape, role, rows = "ids" } of spec.tensors) {
    if (setup.trained.has(name)) continue;
    sources.set(inputNames.tensor(name), source);
    const held = base.get(source);
    if (held.type === "float32") resident.set(inputNames.tensor(name), backend.upload("float32", shape, held.data));
    else if (held.type === "nf4") {
      resident.set(inputNames.codes(name), backend.upload("uint8", [held.packed.codes.length], held.packed.codes));
      scales.set(inputNames.absmax(name), source);
    } else if (role === "embedding")
      tables.push({ input: inputNames.rows(name), source, width: elementCount(shape.slice(1)), rows });
  }

  return {
    feed(name) {
      const scaled = scales.get(name);
      return scaled === undefined ? resident.get(name) : absmax(name, scaled);
    },
    decode(name) {
      const source = sources.get(name);
      invariant(source !== undefined, `block ${spec.id} has no weight for ${name}`);
      return backend.upload("float32", base.get(source).shape, base.decode(source));
    },
    gradient: (name) => gradients.get(name),
    lookUp(tokens) {
      for (const { input, source, width, rows } of tables) {
        const ids = tokens[rows];
        const fill = (data: HostData): void => {
          if (data instanceof Float32Array) base.rows(source, ids, data);
        };
        resident.set(input, buffers.write(input, "float32", [ids.length, width], fill));
      }
    },
    drawMasks(rows, draw) {
      for (const linear of spec.linears) {
        const dropout = setup.sites.get(linear.name)?.dropout ?? 0;
        if (dropout === 0) continue;
        const fill = (data: HostData): void => {
          if (data instanceof Uint8Array) draw(linear.module, 1 - dropout, data);
        };
        const buffer = `${spec.id}.${inputNames.mask(linear.name)}`;
        resident.set(inputNames.mask(linear.name), buffers.write(buffer, "bool", [rows, linear.in], fill));
      }
    },
  };

  /** Scales of one site, un-nested into memory that all layers share: they run one after the other. */
  function absmax(input: string, source: string): DeviceTensor {
    const held = base.get(source);
    invariant(held.type === "nf4", `${source} is not held in NF4`);
    const scaleCount = Math.ceil(held.packed.count / held.packed.blockSize);
    return buffers.write(input, "float32", [scaleCount], (data) => {
      if (data instanceof Float32Array) held.packed.absmax(data);
    });
  }
}
