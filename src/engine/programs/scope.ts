/** @file Traces a block into a graph: declares its tensors as inputs and lets methods act at its linear sites. */
import { elementCount } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import { gatherColumns, scatterColumns } from "../core/columns.ts";
import type { Graph, Value } from "../core/graph.ts";
import {
  add,
  cast,
  concat,
  constant,
  equal,
  expand,
  gather,
  matmul,
  mul,
  reshape,
  scale,
  slice,
  transpose,
} from "../core/ops.ts";
import { matmulNBits, matmulNF4 } from "../core/packed.ts";
import type { BlockRun } from "../methods/block.ts";
import type { LinearBase, ParamSpec } from "../methods/define.ts";
import type {
  BlockScope,
  LayerContext,
  LinearLayer,
  LinearSpec,
  TensorSpec,
} from "../models/architecture.ts";
import type { InputRounding } from "./round-inputs.ts";
import { roundInputs } from "./round-inputs.ts";
import type { BlockSetup, SiteMethod } from "./setup.ts";
import { blockSite, kindOf, localName, storageOf } from "./setup.ts";

/** A traced block: its scope, and the inputs that train. */
export interface TracedScope extends BlockScope {
  /** Trained inputs that were reached, by their name within the block. */
  readonly trained: ReadonlyMap<string, Value>;
  /** Scalars that methods add to the loss, as far as the trace has come. */
  readonly losses: readonly Value[];
  /** The tensors of the method at a place. */
  placed(place: string): ReadonlyMap<string, Value>;
  /** Keys and values [batch, heads, count, width] that a method puts before those of a layer. */
  prefix(batch: number, heads: number, width: number): LayerContext["prefix"];
}

/** Names of program inputs: a weight, its NF4 parts, the squares of its rows' norms, a factor's dropout mask, looked-up rows. */
export const inputNames = {
  tensor: (name: string) => `tensor.${name}`,
  codes: (name: string) => `codes.${name}`,
  absmax: (name: string) => `absmax.${name}`,
  scales: (name: string) => `scales.${name}`,
  zeros: (name: string) => `zeros.${name}`,
  rowNorms2: (name: string) => `norms.${name}`,
  mask: (site: string) => `mask.${site}`,
  rows: (table: string) => `rows.${table}`,
  realRows: "real.rows",
} as const;

export interface TraceMode {
  readonly training: boolean;
  /** The token inputs, of which the first `virtual` of each sequence are no words. */
  readonly tokens?: { readonly batch: number; readonly virtual: number };
}

export function traceScope(g: Graph, setup: BlockSetup, mode: TraceMode): TracedScope {
  const trained = new Map<string, Value>();
  const losses: Value[] = [];
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
  const param = (name: string, { shape, dtype, trains }: ParamSpec): Value =>
    once(inputNames.tensor(name), () => {
      const value = g.input(inputNames.tensor(name), dtype ?? "float32", shape);
      if (trains !== false) trained.set(name, value);
      return value;
    });
  const paramsOf = (
    name: string,
    site: Pick<SiteMethod, "params" | "group">,
  ): ReadonlyMap<string, Value> =>
    new Map([...site.params].map(([p, spec]) => [p, param(localName(name, site, p), spec)]));

  const roundedInputs = new Map<Value, Value>();
  const rounded = (x: Value, rounding: InputRounding): Value => {
    const value = roundedInputs.get(x) ?? roundInputs(g, x, rounding);
    roundedInputs.set(x, value);
    return value;
  };

  const baseOf = (linear: LinearSpec): LinearBase => {
    const base = heldBaseOf(linear);
    const { inputs } = setup;
    if (!inputs?.sites.has(linear.name)) return base;
    return { ...base, apply: (_g, x) => base.apply(_g, rounded(x, inputs.rounding)) };
  };

  const heldBaseOf = (linear: LinearSpec): LinearBase => {
    const name = `${linear.name}.weight`;
    const storage = storageOf(setup, name);
    const common = {
      in: linear.in,
      out: linear.out,
      dense: () => tensor(name),
      applyT: (_g: Graph, y: Value) => matmul(g, y, tensor(name)),
      rowNorms2: () =>
        once(inputNames.rowNorms2(name), () =>
          g.input(inputNames.rowNorms2(name), "float32", [linear.out]),
        ),
    };
    if (storage.type === "packed" && storage.blocks) {
      const { blocks } = storage;
      const { bits, group } = blocks;
      const groups = linear.in / group;
      const array = (input: string, dtype: "uint8" | "float32", width: number): Value =>
        once(input, () => g.input(input, dtype, [linear.out, width]));
      return {
        ...common,
        apply: (_g, x) =>
          matmulNBits(
            g,
            [
              x,
              array(inputNames.codes(name), "uint8", (linear.in * bits) / 8),
              array(inputNames.scales(name), "float32", groups),
              array(inputNames.zeros(name), "uint8", Math.ceil((groups * bits) / 8)),
            ],
            { in: linear.in, out: linear.out, ...blocks, decoded: tensor(name) },
          ),
      };
    }
    if (storage.type !== "nf4")
      return {
        ...common,
        apply: (_g, x) => matmul(g, x, tensor(name), { transB: true }),
      };
    const elements = linear.in * linear.out;
    const blocks = Math.ceil(elements / storage.blockSize);
    return {
      ...common,
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
          { in: linear.in, out: linear.out, blockSize: storage.blockSize, decoded: tensor(name) },
        ),
    };
  };

  const lookedUp = (name: string, indices: Value): Value => {
    const width = specOf(name).shape.slice(1);
    const flat = reshape(g, indices, [elementCount(indices.shape)]);
    if (storageOf(setup, name).type === "float32") return gather(g, tensor(name), flat);
    return once(inputNames.rows(name), () =>
      g.input(inputNames.rows(name), "float32", [...flat.shape, ...width]),
    );
  };

  /** The rows of the table of words that a method trains, and what it adds to them [count, width]. */
  const rowsChange = (
    width: number,
  ): { readonly columns: Value; readonly change: Value } | undefined => {
    const place = setup.places?.get("rows");
    if (place?.method.kind !== "rows") return undefined;
    const { indices, change } = place.method;
    const columns = constant(g, "int32", [indices.length], Int32Array.from(indices));
    return { columns, change: change(g, paramsOf("rows", place), { width }) };
  };

  const withRows = (rows: Value, indices: Value): Value => {
    const own = rowsChange(at(rows.shape, 1));
    if (!own) return rows;
    const ids = reshape(g, indices, [at(rows.shape, 0), 1]);
    const isOwn = equal(g, ids, reshape(g, own.columns, [1, at(own.columns.shape, 0)]));
    return add(g, rows, matmul(g, cast(g, isOwn, "float32"), own.change));
  };

  /** Logits of a head that is tied to the table: those of the rows that changed. */
  const withTiedRows = (x: Value, y: Value): Value => {
    const own = rowsChange(at(x.shape, 1));
    if (!own) return y;
    return scatterColumns(g, y, own.columns, matmul(g, x, own.change, { transB: true }));
  };

  /** Words' rows [batch · length, width] with a method's rows in the first places of each sequence. */
  const withVirtual = (rows: Value): Value => {
    const place = setup.places?.get("tokens");
    const { batch = 0, virtual = 0 } = mode.tokens ?? {};
    if (place?.method.kind !== "tokens" || virtual === 0) return rows;
    const width = at(rows.shape, 1);
    const length = at(rows.shape, 0) / batch;
    const own = place.method.rows(g, paramsOf("tokens", place), { width });
    const spread = expand(g, reshape(g, own, [1, virtual, width]), [batch, virtual, width]);
    const words = slice(g, reshape(g, rows, [batch, length, width]), 1, virtual, length);
    return reshape(g, concat(g, [spread, words], 1), rows.shape);
  };

  const dropped = (site: string, { dropout }: SiteMethod, x: Value): Value => {
    if (!mode.training || dropout === 0) return x;
    const mask = once(inputNames.mask(site), () => g.input(inputNames.mask(site), "bool", x.shape));
    return scale(g, mul(g, x, cast(g, mask, "float32")), 1 / (1 - dropout));
  };

  const linearAt: LinearLayer = (name, x) => {
    const linear = setup.spec.linears.find((site) => site.name === name);
    invariant(linear, `block ${setup.spec.id} has no linear site ${name}`);
    const base = baseOf(linear);
    const site = setup.sites.get(name);
    const bias = (): Value => tensor(`${name}.bias`);
    if (!site) {
      const y = withTiedRows(x, base.apply(g, x));
      return linear.bias ? add(g, y, bias()) : y;
    }
    const params = paramsOf(name, site);
    const kind = kindOf(linear);
    const context = {
      dropout: (value: Value) => dropped(name, site, value),
      drops: mode.training && site.dropout > 0,
      trains: mode.training,
    };
    const own =
      site.carried === true
        ? carriedProduct(g, x, base, site, params)
        : site.method.forward(g, x, base, params, context, kind);
    const y = withTiedRows(x, own);
    if (!linear.bias) return y;
    return add(g, y, site.method.bias?.(g, bias(), params, linear, kind) ?? bias());
  };

  return {
    g,
    trained,
    tensor,
    losses,
    placed(name) {
      const place = setup.places?.get(name);
      return place ? paramsOf(name, place) : new Map();
    },
    linear: linearAt,
    part(name, input, compute) {
      const place = setup.places?.get(name);
      if (place?.method.kind !== "block") return compute(input, linearAt);
      const run: BlockRun = {
        input,
        linear: linearAt,
        compute: (linear = linearAt) => compute(input, linear),
        realRows: () =>
          once(inputNames.realRows, () =>
            g.input(inputNames.realRows, "float32", [at(input.shape, 0), 1]),
          ),
        addLoss(value) {
          if (mode.training) losses.push(value());
        },
      };
      const site = blockSite(setup.spec, name, at(input.shape, 1));
      return place.method.forward(g, run, paramsOf(name, place), site);
    },
    lookup(name, indices) {
      const table = specOf(name);
      const rows = lookedUp(name, indices);
      return (table.rows ?? "ids") === "ids" ? withVirtual(withRows(rows, indices)) : rows;
    },
    prefix(batch, heads, width) {
      const place = setup.places?.get("prefix");
      if (place?.method.kind !== "prefix") return undefined;
      const { method } = place;
      const own = method.keysValues(g, paramsOf("prefix", place), { width: heads * width });
      const spread = (rows: Value): Value => {
        const split = reshape(g, rows, [1, method.count, heads, width]);
        return expand(g, transpose(g, split, [0, 2, 1, 3]), [batch, heads, method.count, width]);
      };
      return { keys: spread(own.keys), values: spread(own.values) };
    },
  };
}

/** The base's product, whose weight has the method's columns in it: D's gradient is s dyᵀ x[:, J]. */
function carriedProduct(
  g: Graph,
  x: Value,
  base: LinearBase,
  { method: { columns } }: SiteMethod,
  params: ReadonlyMap<string, Value>,
): Value {
  const y = base.apply(g, x);
  const [J, D] = [params.get(columns?.places ?? ""), params.get(columns?.change ?? "")];
  invariant(columns && J && D, "a weight carries a change that is none of columns");
  const pull = (dy: Value): readonly Value[] => [
    matmul(g, dy, gatherColumns(g, x, J), { transA: true, alpha: columns.scale }),
  ];
  g.beside.set(y, { of: [D], pull });
  return y;
}
