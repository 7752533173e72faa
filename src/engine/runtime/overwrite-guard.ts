/** @file Keeps programs from overwriting what they still read. */
import { invariant } from "../../shared/errors.ts";
import type { Graph } from "../core/graph.ts";
import { mayOverwrite } from "../core/in-place.ts";

type Views = ReadonlyMap<string, ArrayBufferView>;

/**
 * A check to make before each run, of the memory of a program's inputs and of the outputs written into given
 * memory: an output may lie over an input only where {@link mayOverwrite} says so, exactly, and over no other output.
 */
export function overwriteGuard(graph: Graph): (inputs: Views, outputs: Views) => void {
  const declared = new Map(graph.inputs.map(({ name, value }) => [name, value]));
  const known = new Map<string, boolean>();
  const isSafe = (input: string, output: string): boolean => {
    const key = JSON.stringify([input, output]);
    let safe = known.get(key);
    if (safe === undefined) {
      const [from, to] = [declared.get(input), graph.outputs.get(output)];
      safe = from !== undefined && to !== undefined && mayOverwrite(graph, from, to);
      known.set(key, safe);
    }
    return safe;
  };
  return (inputs, outputs) => {
    const sharers = Map.groupBy(inputs, ([, view]) => view.buffer);
    const written = Map.groupBy(outputs, ([, view]) => view.buffer);
    for (const [name, view] of outputs) {
      for (const [input, other] of sharers.get(view.buffer) ?? [])
        if (overlap(view, other))
          invariant(
            sameBytes(view, other) && isSafe(input, name),
            `output ${name} would overwrite input ${input} while it is still read`,
          );
      for (const [output, other] of written.get(view.buffer) ?? [])
        invariant(
          output === name || !overlap(view, other),
          `outputs ${name} and ${output} would share their memory`,
        );
    }
  };
}

function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}

function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return a.byteOffset === b.byteOffset && a.byteLength === b.byteLength;
}
