/** @file The tensors of linear sites and norms, and the names under which a checkpoint may hold them. */
import type {
  FreshStart,
  LinearSpec,
  Model,
  PartName,
  PartSpec,
  TensorSpec,
} from "./architecture.ts";

/** What a site's tensors have that is out of the ordinary. */
export interface LinearStorage {
  /** Weights are stored as [in, out]. */
  readonly transposed?: true;
  /** Where the checkpoint lacks them, weights start so and biases as zeros. */
  readonly fresh?: FreshStart;
}

/** Makes the linear sites of a layer whose modules are named under `prefix`. */
export function sitesUnder(prefix: string) {
  return (name: string, input: number, output: number, bias = true): LinearSpec => ({
    name,
    module: `${prefix}${name}`,
    in: input,
    out: output,
    bias,
  });
}

/** The parts of a layer, whose linear sites are told by how their names begin. */
export function partsUnder(
  beginnings: Readonly<Record<PartName, string>>,
  linears: readonly LinearSpec[],
): readonly PartSpec[] {
  const parts: readonly PartName[] = ["attention", "mlp"];
  return parts.map((part) => ({
    name: part,
    linears: linears
      .filter(({ name }) => name.startsWith(beginnings[part]))
      .map(({ name }) => name),
  }));
}

/** The weight and, where there is one, the bias of a linear site. */
export function linearTensors(
  linear: LinearSpec,
  { transposed, fresh }: LinearStorage = {},
): readonly TensorSpec[] {
  const weight: TensorSpec = {
    name: `${linear.name}.weight`,
    source: `${linear.module}.weight`,
    shape: [linear.out, linear.in],
    role: "linear",
    ...(transposed && { transposed }),
    ...(fresh && { fresh }),
  };
  if (!linear.bias) return [weight];
  const bias: TensorSpec = {
    name: `${linear.name}.bias`,
    source: `${linear.module}.bias`,
    shape: [linear.out],
    role: "bias",
    ...(fresh && { fresh: "zeros" }),
  };
  return [weight, bias];
}

/** The weight and bias of a LayerNorm. */
export function layerNormTensors(
  name: string,
  prefix: string,
  size: number,
): readonly TensorSpec[] {
  const source = `${prefix}${name}`;
  return [
    { name: `${name}.weight`, source: `${source}.weight`, shape: [size], role: "norm" },
    { name: `${name}.bias`, source: `${source}.bias`, shape: [size], role: "bias", ofNorm: true },
  ];
}

/**
 * The names under which a checkpoint may hold a tensor, the first that exists counts: its own; without
 * the base model's prefix, as in folders saved from the base model alone (GPT-2's on the hub); and with
 * the names that LayerNorm's tensors had in TensorFlow (BERT's on the hub). transformers reads the same.
 */
export function checkpointNames(
  { basePrefix }: Pick<Model, "basePrefix">,
  source: string,
): readonly string[] {
  const names = source.startsWith(`${basePrefix}.`)
    ? [source, source.slice(basePrefix.length + 1)]
    : [source];
  return names.flatMap((name) => [name, ...legacyNormName(name)]);
}

function legacyNormName(name: string): readonly string[] {
  if (name.endsWith("LayerNorm.weight")) return [name.replace(/weight$/u, "gamma")];
  if (name.endsWith("LayerNorm.bias")) return [name.replace(/bias$/u, "beta")];
  return [];
}
