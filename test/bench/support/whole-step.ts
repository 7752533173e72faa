/** @file A whole training step as one graph, spliced from the same programs that run one after the other: the yardstick of the split. */
import { at, invariant } from "../../../src/shared/errors.ts";
import type { Graph, Value } from "../../../src/engine/core/graph.ts";
import { liveNodes, newGraph } from "../../../src/engine/core/graph.ts";
import { constant } from "../../../src/engine/core/ops.ts";
import { logitRows } from "../../../src/engine/network/head-rows.ts";
import { embeddingForward, headTraining } from "../../../src/engine/programs/ends.ts";
import type { BatchShape } from "../../../src/engine/programs/layer.ts";
import { layerNames, layerTraining } from "../../../src/engine/programs/layer.ts";
import type { BlockSetup } from "../../../src/engine/programs/setup.ts";
import type { ModelSetup } from "../../../src/engine/session/set-up.ts";

/** Inputs shared by all layers keep their names; a block's own tensors carry its id before theirs. */
const shared: ReadonlySet<string> = new Set(["ids", "positions", "types", "cos", "sin", "scale"]);

/** Forward, loss over all rows and backward of a causal model whose layers train. */
export function wholeStep({ model, setups }: ModelSetup, shape: BatchShape): Graph {
  const g = newGraph();
  const declared = new Map<string, Value>();
  const declare = (name: string, like: Value): Value => {
    const known = declared.get(name) ?? g.input(name, like.dtype, like.shape);
    declared.set(name, known);
    return known;
  };
  const blocks = model.blocks.map(({ id }) => {
    const setup = setups.get(id);
    invariant(setup, `block ${id} was not set up`);
    return setup;
  });
  const only = (kind: string): BlockSetup =>
    at(
      blocks.filter(({ spec }) => spec.kind === kind),
      0,
    );
  const layers = blocks.filter(({ spec }) => spec.kind === "layer");
  const place = (setup: BlockSetup, part: Graph, given: ReadonlyMap<string, Value>) =>
    splice(
      g,
      part,
      (name, like) =>
        given.get(name) ?? declare(shared.has(name) ? name : `${setup.spec.id}/${name}`, like),
    );
  const take = (values: ReadonlyMap<string, Value>, name: string): Value => {
    const value = values.get(name);
    invariant(value, `no part made ${name}`);
    return value;
  };

  let hidden = take(
    place(only("embedding"), embeddingForward(model, only("embedding"), shape), new Map()),
    layerNames.output,
  );
  const passes = layers.map((setup, index) => {
    const options = { checkpointing: false, inputGradient: index > 0 };
    const { forward, backward } = layerTraining(model, setup, shape, options);
    const input = hidden;
    const made = place(setup, forward, new Map([[layerNames.hidden, input]]));
    hidden = take(made, layerNames.output);
    return { setup, backward, given: new Map([...made, [layerNames.hidden, input]]) };
  });

  const rows = shape.batch * shape.length;
  const count = logitRows(model, rows);
  const head = headTraining(model, only("head"), { count, of: rows }, "classes", true);
  let gradient = constant(g, "float32", hidden.shape, new Float32Array(rows * model.sizes.hidden));
  for (let start = 0; start < rows; start += count) {
    const chunk = new Map([
      [layerNames.hidden, hidden],
      [layerNames.accumulated("hidden"), gradient],
      ["indices", declare(`indices.${start}`, { id: 0, dtype: "int32", shape: [count] })],
      ["labels", declare(`labels.${start}`, { id: 0, dtype: "int32", shape: [count] })],
    ]);
    const made = place(only("head"), head, chunk);
    gradient = take(made, layerNames.inputGradient);
    g.output(`loss.${start}`, take(made, "loss"));
  }

  for (const { setup, backward, given } of passes.toReversed()) {
    const made = place(setup, backward, new Map([...given, [layerNames.outputGradient, gradient]]));
    gradient = made.get(layerNames.inputGradient) ?? gradient;
    for (const [name, value] of made)
      if (name !== layerNames.inputGradient) g.output(`${setup.spec.id}/${name}`, value);
  }
  return g;
}

/** Copies `part` into `g`; `input` gives what stands for each of its inputs. */
function splice(
  g: Graph,
  part: Graph,
  input: (name: string, like: Value) => Value,
): ReadonlyMap<string, Value> {
  const copies = new Map<Value, Value>(
    part.inputs.map(({ name, value }) => [value, input(name, value)]),
  );
  const copied = (value: Value): Value => {
    const copy = copies.get(value);
    invariant(copy, "a value is used before it is made");
    return copy;
  };
  for (const node of liveNodes(part)) {
    const outputs = g.emit(node.op, node.inputs.map(copied), node.attributes, node.outputs);
    node.outputs.forEach((output, index) => copies.set(output, at(outputs, index)));
  }
  return new Map([...part.outputs].map(([name, value]) => [name, copied(value)]));
}
