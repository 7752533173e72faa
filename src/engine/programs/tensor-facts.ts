/** @file What an update rule may know of a trained tensor of a block: its kind, its attention heads, its place in a pair. */
import { newGraph } from "../core/graph.ts";
import type { Model } from "../models/architecture.ts";
import type { TensorFacts } from "../optimizers/define.ts";
import type { BlockSetup } from "./setup.ts";

/** Rows of queries and keys belong to heads one after the other. */
const perHead = /(?:^|\.)(?:q_proj|k_proj|query|key)\.weight$/;

/** By its name within the block. */
export function tensorFacts(
  { sizes }: Pick<Model, "sizes">,
  setup: BlockSetup,
  name: string,
): Pick<TensorFacts, "kind" | "headRows" | "pair"> {
  const tensor = setup.spec.tensors.find((candidate) => candidate.name === name);
  if (tensor) {
    const { role } = tensor;
    const head = perHead.test(name) ? { headRows: sizes.headDim } : {};
    // A head's matrices are no layer's.
    const kind = role === "linear" && setup.spec.kind === "head" ? "head" : role;
    return { kind, ...head };
  }
  const pair = pairPlace(setup, name);
  return pair ? { kind: "factor", pair } : { kind: "factor" };
}

function pairPlace({ spec, sites }: BlockSetup, name: string): TensorFacts["pair"] {
  const [site = "", param = ""] = name.split("#");
  const linear = spec.linears.find((candidate) => candidate.name === site);
  const placed = sites.get(site);
  const { roles, pair } = placed?.method ?? {};
  if (!linear || !placed || !roles || !pair) return undefined;
  const role = (["A", "B", "core"] as const).find((candidate) => roles[candidate] === param);
  if (!role) return undefined;
  const g = newGraph();
  const inputs = [...placed.params].map(
    ([key, { shape, dtype }]) => [key, g.input(key, dtype ?? "float32", shape)] as const,
  );
  const { scale } = pair(g, new Map(inputs), linear);
  return { site: linear.module, role, scale, shape: [linear.out, linear.in] };
}
