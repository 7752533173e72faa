/** @file What a method trains on a layer as models of seven billion parameters have it, at its defaults. Pure. */
import { elementCount } from "../shared/dtypes.ts";
import { fileKey } from "../shared/schema.ts";
import { defaultsOf } from "./config.ts";
import type { Init, LinearMethod, Method, ParamSpec } from "./methods/define.ts";
import { learns } from "./methods/define.ts";
import type { PlacedMethod } from "./methods/placed.ts";
import type { UpdateRule } from "./optimizers/define.ts";
import type { Quantizer } from "./quantizers/define.ts";

/** [4096, 4096], as linear layers of such models are, and as wide as their hidden state is. */
export const exampleLayer = { in: 4096, out: 4096 };
const width = exampleLayer.in;
const weights = exampleLayer.in * exampleLayer.out;

/** The count with its share of the layer's weights and the fields that it follows from; in words beside linear layers. */
export function trainedOnLayer(method: Method): string {
  if (method.kind === "tensors")
    return method.noQuantizedBase === undefined ? "not at linear layers" : share(weights);
  if (method.kind !== "linear") return besideLayers(method);
  const values = defaultsOf(method);
  const count = countOf(paramsOf(method, values));
  const named = Object.entries(method.config)
    .filter(([name]) => {
      const value = values[name];
      return (
        typeof value === "number" &&
        countOf(paramsOf(method, { ...values, [name]: 2 * value })) !== count
      );
    })
    .map(([name, field]) => `\`${fileKey(name, field)}: ${String(field.default)}\``);
  return share(count) + (named.length === 0 ? "" : ` with ${named.join(", ")}`);
}

/** The tensors on that layer, or at that width, in one line each: `A [8, 4096], trained, …`. */
export function tensorsOnLayer(method: Method): readonly string[] {
  if (method.kind === "tensors") return [];
  const linear = method.kind === "linear";
  const values = linear ? defaultsOf(method) : exampleValues(method);
  const params = linear ? paramsOf(method, values) : paramsBeside(method);
  const { start, startPair } = { startPair: undefined, ...method.bind(values) };
  const fromData = start !== undefined || startPair !== undefined;
  return [...params].map(([name, spec]) => {
    const { shape, stored, key, dtype, init, gauge } = spec;
    return [
      `${name} [${shape.join(", ")}]`,
      learns(spec)
        ? "trained"
        : gauge
          ? "a gauge: its gradient is a measurement, and it never moves"
          : stored === false
            ? "frozen, drawn again from the seed"
            : "frozen",
      ...(key === undefined ? [] : ["shared"]),
      ...(dtype === "int32" ? ["whole numbers"] : []),
      // What is measured or read takes the place of what is drawn.
      ...(fromData || gauge ? [] : [initWords(init)]),
    ].join(", ");
  });
}

/** What a start fills, or a sharing ties: the factors of the method's pair. */
export function pairTensors(core: boolean): readonly string[] {
  const names = ["A [rank, 4096]", "B [4096, rank]", ...(core ? ["core [rank, rank]"] : [])];
  return names.map((name) => `${name} of the method's pair`);
}

/** What an optimizer keeps beside that layer's weight, in one line each. */
export function stateOnLayer(row: UpdateRule): readonly string[] {
  const rule = row.bind(defaultsOf(row));
  const own =
    rule.own?.(layerWeight) ?? rule.state.map((name) => [name, layerWeight.shape] as const);
  const beside = rule.beside?.(layerWeight) ?? [];
  return [...own, ...beside].map(([name, shape]) => `${name} [${shape.join(", ")}], state`);
}

/** The weight of the layer as optimizers see it. */
export const layerWeight = {
  ...({ name: "weight", kind: "linear", decays: true } as const),
  shape: [exampleLayer.out, exampleLayer.in],
};

/** What that layer takes under a quantizer, in words. */
export function heldOnLayer(row: Quantizer): string {
  const bound = row.bind(defaultsOf(row));
  const bytes = bound.storedBytes({ rows: exampleLayer.out, columns: exampleLayer.in });
  const bits = ((8 * bytes) / weights).toFixed(2);
  return `${(bytes / 1e6).toFixed(1)} MB (${bits} bits a weight)`;
}

type Params = ReadonlyMap<string, ParamSpec>;
type Values = Readonly<Record<string, unknown>>;

function paramsOf(method: LinearMethod, values: Values): Params {
  return method.bind(values).params(exampleLayer);
}

function besideLayers(method: PlacedMethod): string {
  const count = countOf(paramsBeside(method)).toLocaleString("en");
  switch (method.kind) {
    case "tokens":
      return `${count} before the words`;
    case "prefix":
      return `${count} at each layer's keys and values`;
    case "block":
      return `${count} at each part of a layer that it acts at`;
    case "rows":
      return `${count} of each token`;
    case "side":
      return "a network of its own beside the model";
  }
}

/** At the width of the layer; a block's linear layers are such layers. */
function paramsBeside(method: PlacedMethod): Params {
  const values = exampleValues(method);
  switch (method.kind) {
    case "tokens":
    case "prefix":
    case "rows":
      return method.bind(values).params({ width });
    case "block": {
      const linears = ["gate_proj", "up_proj", "down_proj"].map((kind) => ({
        ...{ name: kind, kind },
        ...exampleLayer,
      }));
      return method.bind(values).params({ part: "mlp", width, linears });
    }
    case "side": {
      const bound = method.bind(values);
      const narrow = width / bound.narrowing;
      return new Map(
        (["enter", "layer", "leave"] as const).flatMap((at) =>
          [...bound.params({ at, width, narrow, tensors: [] })].map(
            ([name, spec]) => [`${name} (${at})`, spec] as const,
          ),
        ),
      );
    }
  }
}

function countOf(params: Params): number {
  return [...params.values()].reduce(
    (sum, spec) => sum + (learns(spec) ? elementCount(spec.shape) : 0),
    0,
  );
}

function share(count: number): string {
  const percent = Number(((100 * count) / weights).toPrecision(2));
  return `${count.toLocaleString("en")} (${percent} %)`;
}

function initWords(init: Init): string {
  if (typeof init === "string") return init;
  const [[kind, value] = ["constant", 0]] = Object.entries(init);
  return `${starts[kind] ?? kind} ${Number(value.toPrecision(4))}`;
}

const starts: Readonly<Record<string, string>> = {
  kaimingUniform: "Kaiming uniform with a =",
  kaimingNormal: "Kaiming normal with a =",
  normal: "normal of deviation",
  uniform: "uniform up to ±",
};

/** A token to train where the defaults name none. */
function exampleValues(method: PlacedMethod): Values {
  const values = defaultsOf(method);
  return method.kind === "rows" ? { ...values, token_indices: [0] } : values;
}
