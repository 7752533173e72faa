/** @file Traces a block into a graph: declares its tensors as inputs and lets methods act at its linear sites. */
import { elementCount } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { Graph, Value } from "../core/graph.ts";
import { add, gather, matmul, matmulNF4, mul, reshape, scale, cast } from "../core/ops.ts";
import type { LinearBase } from "../methods/define.ts";
import type { BlockScope, LinearSpec, TensorSpec } from "../models/architecture.ts";
import type { BlockSetup, SiteMethod } from "./setup.ts";
import { paramName, storageOf } from "./setup.ts";

/** A traced block: its scope, and the inputs that train. */
export interface TracedScope extends BlockScope {
  /** Trained inputs that were reached, by their name within the block. */
  readonly trained: ReadonlyMap<string, Value>;
}

/** Names of program inputs: a weight, its NF4 parts, a factor's dropout mask, looked-up rows. */
export const inputNames = {
  tensor: (name: string) => `tensor.${name}`,
  codes: (name: string) => `codes.${name}`,
  absmax: (name: string) => `absmax.${name}`,
  mask: (site: string) => `mask.${site}`,
  rows: (table: string) => `rows.${table}`,
} as const;

export function traceScope(
  g: Graph,
  setup: BlockSetup,
  mode: { readonly training: boolean },
): TracedScope {
  const trained = new Map<string, Value>();
  const inputs = new Map<string, Value>();
  const once = (name: string, make: () => Value): Value => {
    const value = inputs.get(name) ?? make();
    inputs.set(name, value);
    return value;
  };
  const specOf = (name: string): TensorSpec => {
    const spec = setup.spec.tensors.find((tensor) => tensor.name === name);
    invariant(spec, `block ${setup.spec.id} has no tensor ${name}`);
    return spec;
  };
  const tensor = (name: string): Value => {
    const storage = storageOf(setup, name);
    return once(inputNames.tensor(name), () => {
      const value = g.input(
        inputNames.tensor(name),
        "float32",
        specOf(name).shape,
        storage.type === "float32" ? "resident" : "late",
      );
      if (setup.trained.has(name)) trained.set(name, value);
      return value;
    });
  };
  const param = (name: string, shape: readonly number[]): Value =>
    once(inputNames.tensor(name), () => {
      const value = g.input(inputNames.tensor(name), "float32", shape);
      trained.set(name, value);
      return value;
    });

  const baseOf = (linear: LinearSpec): LinearBase => {
    const name = `${linear.name}.weight`;
    const storage = storageOf(setup, name);
    const size = { in: linear.in, out: linear.out };
    if (storage.type !== "nf4")
      return {
        ...size,
        dense: () => tensor(name),
        apply: (_g, x) => matmul(g, x, tensor(name), { transB: true }),
      };
    const elements = linear.in * linear.out;
    const blocks = Math.ceil(elements / storage.blockSize);
    return {
      ...size,
      dense: () => tensor(name),
      apply: (_g, x) =>
        matmulNF4(
          g,
          x,
          once(inputNames.codes(name), () =>
            g.input(inputNames.codes(name), "uint8", [Math.ceil(elements / 2)]),
          ),
          once(inputNames.absmax(name), () =>
            g.input(inputNames.absmax(name), "float32", [blocks]),
          ),
          { ...size, blockSize: storage.blockSize, decoded: tensor(name) },
        ),
    };
  };

  const dropped = (site: string, { dropout }: SiteMethod, x: Value): Value => {
    if (!mode.training || dropout === 0) return x;
    const mask = once(inputNames.mask(site), () => g.input(inputNames.mask(site), "bool", x.shape));
    return scale(g, mul(g, x, cast(g, mask, "float32")), 1 / (1 - dropout));
  };

  return {
    g,
    trained,
    tensor,
    lookup(name, indices) {
      const table = specOf(name);
      const width = table.shape.slice(1);
      const flat = reshape(g, indices, [elementCount(indices.shape)]);
      if (storageOf(setup, name).type === "float32") return gather(g, tensor(name), flat);
      return once(inputNames.rows(name), () =>
        g.input(inputNames.rows(name), "float32", [...flat.shape, ...width]),
      );
    },
    linear(name, x) {
      const linear = setup.spec.linears.find((site) => site.name === name);
      invariant(linear, `block ${setup.spec.id} has no linear site ${name}`);
      const base = baseOf(linear);
      const site = setup.sites.get(name);
      const y = site
        ? site.method.forward(
            g,
            x,
            base,
            new Map(
              [...site.params].map(([p, { shape }]) => [p, param(paramName(name, p), shape)]),
            ),
            {
              dropout: (value) => dropped(name, site, value),
              drops: mode.training && site.dropout > 0,
            },
          )
        : base.apply(g, x);
      return linear.bias ? add(g, y, tensor(`${name}.bias`)) : y;
    },
  };
}
