/** @file Runs one pass of a block: its program, or the segments that it was cut into at late inputs. */
import { invariant } from "../../shared/errors.ts";
import type { DType, Shape } from "../../shared/dtypes.ts";
import type { Graph, Value } from "../core/graph.ts";
import { cutAtLateInputs } from "../core/split.ts";
import type { DeviceTensor, Program, Tensors } from "../runtime/backend.ts";
import type { Buffers } from "./buffers.ts";
import type { ProgramCache } from "./program-cache.ts";

/** Where a run finds and leaves its tensors. */
export interface Bindings {
  /** A resident input by its name. */
  feed(name: string): DeviceTensor;
  /** A late input, decoded now; valid until the next late input is asked for. */
  decode(name: string): Promise<DeviceTensor>;
  /** Where an output goes; undefined where the device allocates. */
  into(name: string, dtype: DType, shape: Shape): DeviceTensor | undefined;
}

export interface Pipeline {
  /** Names of all inputs, late ones too. */
  readonly inputs: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
  run(bindings: Bindings): Promise<Tensors>;
}

interface Segment {
  readonly part: Graph;
  readonly program: Program;
  readonly late: ReadonlySet<string>;
}

/** At most one decoded weight exists at a time. */
const lateAtOnce = 1;

export async function compilePipeline(
  cache: ProgramCache,
  buffers: Buffers,
  graph: Graph,
): Promise<Pipeline> {
  const graphs = cutAtLateInputs(graph, lateAtOnce);
  const segments: Segment[] = [];
  for (const part of graphs)
    segments.push({
      part,
      program: await cache.compile(part),
      late: new Set(
        part.inputs.filter(({ binding }) => binding === "late").map(({ name }) => name),
      ),
    });
  const internal = new Set(graphs.flatMap(({ outputs }) => [...outputs.keys()]));
  return {
    inputs: new Set(
      segments.flatMap(({ program }) => program.inputs.filter((name) => !internal.has(name))),
    ),
    outputs: new Set(graph.outputs.keys()),
    async run(bindings) {
      const made = new Map<string, DeviceTensor>();
      for (const { part, program, late } of segments) {
        const feeds = new Map<string, DeviceTensor>();
        for (const name of program.inputs)
          feeds.set(
            name,
            made.get(name) ?? (late.has(name) ? await bindings.decode(name) : bindings.feed(name)),
          );
        const into = new Map<string, DeviceTensor>();
        for (const name of program.outputs) {
          const { dtype, shape } = outputOf(part, name);
          const target = graph.outputs.has(name)
            ? bindings.into(name, dtype, shape)
            : buffers.into(`${name}.${shape.join("x")}`, dtype, shape);
          if (target) into.set(name, target);
        }
        for (const [name, tensor] of await program.run(feeds, into)) made.set(name, tensor);
      }
      for (const [name, tensor] of made) if (!graph.outputs.has(name)) buffers.drop(tensor);
      const outputs = new Map<string, DeviceTensor>();
      for (const name of graph.outputs.keys()) {
        const tensor = made.get(name);
        invariant(tensor, `no segment made the output ${name}`);
        outputs.set(name, tensor);
      }
      return outputs;
    },
  };
}

function outputOf(graph: Graph, name: string): Value {
  const value = graph.outputs.get(name);
  invariant(value, `the program has no output ${name}`);
  return value;
}
