/** @file The most memory a run will take, added up from the tensors that it will hold; nothing is fitted but the process's floor. */
import { elementCount } from "../../shared/dtypes.ts";
import { sum } from "../../shared/sums.ts";
import { printGraph } from "../core/print.ts";
import { layoutBytes } from "../network/parameters.ts";
import type { ParameterSpec } from "../network/parameters.ts";
import { updatePrograms } from "../network/optimizer.ts";
import { frozenFactors, heldBytes, isPacked, parameterName, storageOf } from "../programs/setup.ts";
import { rateProduct } from "./plan-time.ts";
import { bytesOf, programMemory } from "./program-memory.ts";
import type { ProgramInputs } from "./run-programs.ts";
import { runPrograms } from "./run-programs.ts";

export interface MemoryPlan {
  /** Node, the libraries and both threads, before anything is loaded. */
  readonly process: number;
  /** The base as it is held, quantized and plain, and frozen factors of methods. */
  readonly base: number;
  /** Where weights are expanded to float32, one at a time. */
  readonly scratch: number;
  /** Trained tensors and their gradients. */
  readonly trained: number;
  /** The optimizer's state. */
  readonly optimizer: number;
  /** Hidden states, gradients and what the forward pass keeps. */
  readonly activations: number;
  /** What the compiled programs keep for their intermediate results. */
  readonly programs: number;
  /** The second copy of a program's outputs, for a moment after it ran. */
  readonly copies: number;
  /** Tokens of the data. */
  readonly data: number;
  readonly total: number;
}

export interface MemoryInputs extends ProgramInputs {
  /** Everything that trains, tied tensors once. */
  readonly trained: readonly ParameterSpec[];
  readonly dataBytes: number;
}

/**
 * The one constant here, measured: the peak of `spectune run` on a model whose tensors are next to nothing, less what
 * the plan says of those; `npm run bench -- memory` measures it again. Two fifths of it are the
 * libraries' code, the rest both threads' heaps and stacks.
 */
export const processFloor = 219e6;

/** glibc's `DEFAULT_MMAP_THRESHOLD_MAX`: larger blocks always have a mapping of their own. */
const largestHeapBlock = 2 ** 25;

/** Before each run a product measures the machine's rate: its larger factor, in bytes. */
const productBytes = 4 * rateProduct.inner * rateProduct.columns;

export function planMemory(inputs: MemoryInputs): MemoryPlan {
  const { base, scratch } = heldWeights(inputs);
  const { weights, gradients, state } = layoutBytes(inputs.trained, inputs.rule);
  const passes = runPrograms(inputs);
  const updates = updatePrograms(inputs.rule, inputs.trained);
  const graphs = new Map([...passes.graphs, ...updates].map((graph) => [printGraph(graph), graph]));
  const outputs = [...graphs.values()].map((graph) => [...graph.outputs.values()].map(bytesOf));
  // Once malloc gets back a block that had a mapping of its own, it takes such sizes from its heap, up to a limit.
  const freed = [productBytes, ...readBuffers(inputs), ...outputs.flat()];
  const heapBytes = Math.max(...freed.filter((bytes) => bytes <= largestHeapBlock));
  const programs = [...graphs.values()].map((graph) => {
    const { arena, constants, session } = programMemory(graph);
    return arena(heapBytes) + constants + session;
  });
  const parts = {
    process: processFloor,
    base,
    scratch,
    trained: weights + gradients,
    optimizer: state,
    activations: passes.activations,
    programs: sum(programs),
    copies: Math.max(...outputs.map(sum)),
    data: inputs.dataBytes,
  };
  return { ...parts, total: sum(Object.values(parts)) };
}

/** Sizes in which weights are read that are then held in another form. */
function readBuffers({ setups }: MemoryInputs): readonly number[] {
  return setups.flatMap((setup) =>
    setup.spec.tensors
      .filter(({ name }) => setup.trained.has(name) || isPacked(storageOf(setup, name)))
      .map(({ shape }) => 4 * elementCount(shape)),
  );
}

function heldWeights({ setups }: MemoryInputs): {
  readonly base: number;
  readonly scratch: number;
} {
  const held = new Map<string, number>();
  let largestHalf = 0;
  let largestPacked = 0;
  for (const setup of setups)
    for (const { name, source, shape } of setup.spec.tensors) {
      if (setup.trained.has(name)) continue;
      const count = elementCount(shape);
      const storage = storageOf(setup, name);
      held.set(source, heldBytes(storage, count));
      if (isPacked(storage)) largestPacked = Math.max(largestPacked, count);
      else if (storage.type !== "float32") largestHalf = Math.max(largestHalf, count);
    }
  // What carried columns are written over is kept apart.
  for (const { spec, sites } of setups)
    for (const [name, { carried, method, params }] of sites) {
      const change = params.get(method.columns?.change ?? "");
      if (carried === true && change)
        held.set(`${spec.id}.${name} before`, 4 * elementCount(change.shape));
    }
  // Frozen factors of methods, shared ones once.
  for (const setup of setups)
    for (const { name, shape } of frozenFactors(setup))
      held.set(parameterName(setup.spec, name), 4 * elementCount(shape));
  return {
    base: sum([...held.values()]),
    scratch: 4 * (largestHalf + largestPacked),
  };
}
