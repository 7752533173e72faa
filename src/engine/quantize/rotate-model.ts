/**
 * @file A model whose hidden states are rotated: the same function of other weights, of which none stands out.
 *
 * Of RMS norms alone, whose factors go into the matrices that read them: n(x Q) = n(x) Q then. Rows of the table of
 * words become e Q; matrices that read hidden states W diag(g) Q; those that write them Qᵀ W. Between values and
 * outputs of attention each head is turned by Hadamard's matrix. QuaRot turns what the last matrix of an MLP reads
 * too, which takes an operator as the model runs: here it stays.
 */
import { UserError, invariant } from "../../shared/errors.ts";
import type { BlockSpec, LinearSpec, Model, TensorSpec } from "../models/architecture.ts";
import { hadamardRows, powerOfTwoIn } from "../quantizers/blocks/rotation.ts";
import type { Rotation } from "../quantizers/blocks/rotation.ts";
import { chainsOf } from "./chains.ts";

/** A tensor in float32 and in our orientation. */
export type ReadTensor = (tensor: TensorSpec) => Promise<Float32Array>;

/** A {@link UserError} for a model whose hidden states cannot be rotated. */
export function requireRotatable({ modelType, blocks }: Model, title: string): void {
  const layer = blocks.find(({ kind }) => kind === "layer");
  if (layer && rootNorms.has(modelType)) return;
  throw new UserError({
    code: "cannot-rotate",
    message: `${title} rotates hidden states, which takes norms without means and shifts; those of ${modelType} have them.`,
    remedy:
      "Choose a quantizer that changes each matrix alone, such as gptq, or set rotate to false.",
  });
}

/** Model types of which every norm is x / √(mean x²) times a factor. */
const rootNorms: ReadonlySet<string> = new Set(["llama", "mistral", "qwen2", "qwen3"]);

/** Reads the rotated model's tensors. Of a model whose head has a matrix of its own. */
export function rotatedReader(model: Model, read: ReadTensor, rotation: Rotation): ReadTensor {
  const roles = new Map(model.blocks.flatMap((block) => [...rolesOf(model, block)]));
  return async (tensor) => {
    const role = roles.get(tensor.source);
    if (!role) return read(tensor);
    if (role.kind === "one") return new Float32Array(tensor.shape[0] ?? 0).fill(1);
    const values = Float64Array.from(await read(tensor));
    if (role.gain) {
      const gain = await read(role.gain);
      const width = gain.length;
      for (const [i, value] of values.entries()) values[i] = value * (gain[i % width] ?? NaN);
    }
    const [rows = 1, columns = 1] = tensor.shape.length === 2 ? tensor.shape : [1, values.length];
    if (role.inHeads !== undefined) hadamardRows(values, role.inHeads);
    if (role.reads) rotation.turn(values);
    if (!role.writes && role.outHeads === undefined) return Float32Array.from(values);
    // What a matrix gives is turned as the rows of its transpose are; a bias is one row of it.
    const turned = tensor.shape.length === 2 ? transposed(values, rows, columns) : values;
    if (role.outHeads !== undefined) hadamardRows(turned, role.outHeads);
    if (role.writes) rotation.turn(turned);
    return Float32Array.from(
      tensor.shape.length === 2 ? transposed(turned, columns, rows) : turned,
    );
  };
}

/** What becomes of a tensor: a norm's factors become 1, others are turned on the side of what they read or give. */
type Role =
  | { readonly kind: "one" }
  | {
      readonly kind: "turned";
      /** The norm whose factors it takes over. */
      readonly gain?: TensorSpec;
      readonly reads?: true;
      readonly writes?: true;
      /** Size of the heads that it reads or gives, each turned. */
      readonly inHeads?: number;
      readonly outHeads?: number;
    };

function rolesOf(model: Model, block: BlockSpec): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  const turn = (name: string, role: Omit<Role & { readonly kind: "turned" }, "kind">): void => {
    const tensor = block.tensors.find((one) => one.name === name);
    if (tensor) roles.set(tensor.source, { kind: "turned", ...role });
  };
  if (block.kind === "embedding")
    for (const { name, role } of block.tensors)
      if (role === "embedding") turn(name, { reads: true });
  if (block.kind === "head") {
    const [norm] = block.tensors.filter(({ role }) => role === "norm");
    invariant(norm, "a head begins with a norm");
    roles.set(norm.source, { kind: "one" });
    for (const { name } of block.linears) turn(`${name}.weight`, { gain: norm, reads: true });
  }
  if (block.kind === "layer") {
    for (const { producer, consumers } of chainsOf(model, block)) {
      if (producer.kind !== "norm") continue;
      const norm = block.tensors.find(({ name }) => name === `${producer.name}.weight`);
      invariant(norm, `the layer has no ${producer.name}`);
      roles.set(norm.source, { kind: "one" });
      for (const { name } of sites(block, consumers))
        turn(`${name}.weight`, { gain: norm, reads: true });
    }
    turnHeads(model, block, roles, turn);
    for (const { linears } of block.parts ?? []) {
      const last = linears.at(-1) ?? "";
      const weight = block.tensors.find(({ name }) => name === `${last}.weight`);
      const known = weight && roles.get(weight.source);
      turn(`${last}.weight`, { ...(known?.kind === "turned" && known), writes: true });
      turn(`${last}.bias`, { writes: true });
    }
  }
  return roles;
}

/** Each head between values and outputs, where its size is a power of two. */
function turnHeads(
  { sizes: { headDim } }: Model,
  block: BlockSpec,
  roles: ReadonlyMap<string, Role>,
  turn: (name: string, role: Omit<Role & { readonly kind: "turned" }, "kind">) => void,
): void {
  if (powerOfTwoIn(headDim) !== headDim) return;
  const values = block.tensors.find(({ name }) => name === "self_attn.v_proj.weight");
  const known = values && roles.get(values.source);
  if (known?.kind !== "turned") return;
  turn("self_attn.v_proj.weight", { ...known, outHeads: headDim });
  turn("self_attn.v_proj.bias", { outHeads: headDim });
  turn("self_attn.o_proj.weight", { inHeads: headDim });
}

function sites({ linears }: BlockSpec, modules: readonly string[]): readonly LinearSpec[] {
  return linears.filter(({ module }) => modules.includes(module));
}

function transposed(from: Float64Array, rows: number, columns: number): Float64Array {
  const to = new Float64Array(from.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j] ?? NaN;
  return to;
}
