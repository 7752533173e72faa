/** @file Finds a block's tensors by the names of program inputs, wherever they live. */
import { elementCount } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { TokenInputs } from "../models/architecture.ts";
import { layerNames } from "../programs/layer.ts";
import { inputNames } from "../programs/scope.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { frozenFactors, parameterName, trainedTensors } from "../programs/setup.ts";
import type { Backend, DeviceTensor, HostData } from "../runtime/backend.ts";
import type { BaseWeights } from "./base-weights.ts";
import type { Buffers } from "./buffers.ts";
import type { FrozenTensors } from "./frozen-tensors.ts";
import type { TrainedTensors } from "./trained-tensors.ts";

export interface BlockBindings {
  /** A resident input of a program of this block; undefined where the name is not the block's. */
  feed(name: string): DeviceTensor | undefined;
  /** A weight decoded to float32, valid until the next call. */
  decode(name: string): Promise<DeviceTensor>;
  /** Where a gradient is summed in place; undefined where the device allocates. */
  gradient(name: string): DeviceTensor | undefined;
  /** Takes what a program made under a gradient's name; other names are no matter of the block. */
  keepGradient(name: string, sum: DeviceTensor): void;
  /** Looks up the rows of tables that are not held in float32, for the tokens of a batch. */
  lookUp(tokens: TokenRows): void;
  /** Draws the keep masks of some rows of a micro-batch. */
  drawMasks(rows: RowRange, draw: DrawMask): void;
}

/** The rows first … first + count. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/** Writes the keep mask of a module's dropout as 0/1 bytes; `first` is the place of its first element in the micro-batch. */
export type DrawMask = (module: string, keep: number, first: number, into: Uint8Array) => void;

/** What names the rows of embedding tables, each [batch · length]. */
export type TokenRows = { readonly [Input in keyof TokenInputs]: Int32Array };

export interface BindingSources {
  readonly backend: Backend;
  readonly base: BaseWeights;
  readonly frozen: FrozenTensors;
  readonly trained: TrainedTensors;
  /** Frozen factors of methods, by name. */
  readonly factor: (name: string) => DeviceTensor;
  readonly buffers: Buffers;
}

export function createBindings(
  setup: BlockSetup,
  { backend, base, frozen, trained, factor, buffers }: BindingSources,
): BlockBindings {
  const { spec } = setup;
  const resident = new Map<string, () => DeviceTensor>();
  /** Parameters by the names of their gradients. */
  const gradients = new Map<string, string>();
  const sources = new Map<string, string>();
  const tables: {
    readonly input: string;
    readonly source: string;
    readonly width: number;
    readonly rows: keyof TokenInputs;
  }[] = [];

  for (const { name } of trainedTensors(setup)) {
    const parameter = parameterName(spec, name);
    resident.set(inputNames.tensor(name), () => trained.weight(parameter));
    resident.set(layerNames.accumulated(name), () => trained.gradient(parameter));
    gradients.set(layerNames.gradient(name), parameter);
  }
  for (const { name } of frozenFactors(setup)) {
    const full = parameterName(spec, name);
    resident.set(inputNames.tensor(name), () => factor(full));
  }
  for (const { name, source, shape, role, rows = "ids" } of spec.tensors) {
    if (setup.trained.has(name)) continue;
    sources.set(inputNames.tensor(name), source);
    resident.set(inputNames.rowNorms2(name), () => frozen.rowNorms2(source));
    const held = base.get(source);
    if (held.type === "float32") resident.set(inputNames.tensor(name), () => frozen.plain(source));
    else if (held.type === "nf4") {
      resident.set(inputNames.codes(name), () => frozen.codes(source));
      resident.set(inputNames.absmax(name), () => frozen.absmax(source, inputNames.absmax(name)));
    } else if (held.type === "packed") {
      const inputs = {
        codes: inputNames.codes,
        scales: inputNames.scales,
        zeros: inputNames.zeros,
      };
      for (const array of ["codes", "scales", "zeros"] as const)
        resident.set(inputs[array](name), () => frozen.block(source, array));
    } else if (role === "embedding")
      tables.push({
        input: inputNames.rows(name),
        source,
        width: elementCount(shape.slice(1)),
        rows,
      });
  }

  return {
    feed: (name) => resident.get(name)?.(),
    decode(name) {
      const source = sources.get(name);
      invariant(source !== undefined, `block ${spec.id} has no weight for ${name}`);
      return frozen.decoded(source);
    },
    gradient(name) {
      const parameter = gradients.get(name);
      return parameter === undefined || !backend.preallocates
        ? undefined
        : trained.gradient(parameter);
    },
    keepGradient(name, sum) {
      const parameter = gradients.get(name);
      if (parameter !== undefined) trained.setGradient(parameter, sum);
    },
    lookUp(tokens) {
      for (const { input, source, width, rows } of tables) {
        const ids = tokens[rows];
        const fill = (data: HostData): void => {
          if (data instanceof Float32Array) base.rows(source, ids, data);
        };
        const rowsOf = buffers.write(input, "float32", [ids.length, width], fill);
        resident.set(input, () => rowsOf);
      }
    },
    drawMasks({ first, count }, draw) {
      for (const linear of spec.linears) {
        const dropout = setup.sites.get(linear.name)?.dropout ?? 0;
        if (dropout === 0) continue;
        const fill = (data: HostData): void => {
          if (data instanceof Uint8Array) draw(linear.module, 1 - dropout, first * linear.in, data);
        };
        const buffer = `${spec.id}.${inputNames.mask(linear.name)}`;
        const mask = buffers.write(buffer, "bool", [count, linear.in], fill);
        resident.set(inputNames.mask(linear.name), () => mask);
      }
    },
  };
}
