/** @file The layout of a quantized folder: one that others read where it holds all of the matrices, else Spectune's own. */
import { UserError } from "../../shared/errors.ts";
import { awqLayout } from "../quantizers/layouts/awq.ts";
import { bitsandbytesLayout } from "../quantizers/layouts/bitsandbytes.ts";
import { gptqWith, zerosAboveNought } from "../quantizers/layouts/gptq.ts";
import type { Layout } from "../quantizers/layouts/layout.ts";
import { own } from "../quantizers/layouts/own.ts";
import type { LinearSpec } from "../models/architecture.ts";
import type { Quantizer } from "../quantizers/define.ts";
import type { PackedMatrix, PackedSettings } from "../quantizers/packed.ts";
import type { Parts } from "./parts.ts";

/** Layouts by name; with `auto`, that of the quantizer's own folders elsewhere where all matrices fit it. */
export type LayoutChoice = "auto" | "gptq" | "awq" | "spectune";

export const layoutChoices: readonly LayoutChoice[] = ["auto", "gptq", "awq", "spectune"];

export interface LayoutParts {
  readonly parts: Parts;
  readonly layers: number;
  readonly layout: LayoutChoice;
  readonly quantizer: { readonly type: string; readonly config: Readonly<Record<string, unknown>> };
  /** Modules that stay as they are. */
  readonly skip: readonly string[];
}

export interface ChosenLayout {
  readonly layout: Layout;
  /** config.json's `quantization_config`. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A {@link UserError} where the one that is asked for does not hold a matrix. */
export async function chooseLayout(of: LayoutParts): Promise<ChosenLayout> {
  const { layout, quantizer } = of;
  const plain: ChosenLayout = { layout: own, config: { quant_method: "spectune" } };
  if (layout === "spectune") return plain;
  const seen = await lookThrough(of);
  const { first } = seen;
  if (layout === "auto") {
    if (first?.format === "bnb") return bitsandbytesFolder(first.settings);
    if (quantizer.type === "awq" && seen.refused.awq === undefined) return awqFolder(of, seen);
    return seen.refused.gptq === undefined ? gptqFolder(of, seen) : plain;
  }
  const refused = seen.refused[layout];
  if (refused === undefined) return layout === "awq" ? awqFolder(of, seen) : gptqFolder(of, seen);
  throw doesNotHold(layout, refused);
}

/** A {@link UserError} where bits, groups and shapes alone tell that the layout that is asked for does not hold these matrices. */
export function requireLayout(
  layout: LayoutChoice,
  { formats, config }: Pick<Quantizer, "formats"> & LayoutParts["quantizer"],
  linears: readonly LinearSpec[],
): void {
  const [format] = formats;
  // Of several formats the weights decide.
  if ((layout !== "gptq" && layout !== "awq") || !format || formats.length > 1) return;
  const { bits, group, scales } = config;
  const settings = typeof bits === "number" && typeof group === "number" ? { bits, group } : {};
  const dtype = scales === "float32" ? "float32" : "float16";
  const tensors = new Map([["scales", { dtype, shape: [0], data: new Uint8Array(0) } as const]]);
  for (const { module, in: columns, out: rows } of linears)
    requireHeld(layout, module, { format: format.name, rows, columns, settings, tensors });
}

/** A {@link UserError} where the layout that is asked for does not hold the matrices of a layer, which need not be the first. */
export function requireLayerHeld(
  layout: LayoutChoice,
  matrices: ReadonlyMap<string, PackedMatrix>,
): void {
  if (layout === "gptq" || layout === "awq")
    for (const [module, packed] of matrices) requireHeld(layout, module, packed);
}

function requireHeld(layout: "gptq" | "awq", module: string, packed: PackedMatrix): void {
  const why = layouts[layout].refuses(packed);
  if (why !== undefined) throw doesNotHold(layout, `${module}: ${why}`);
}

function doesNotHold(layout: "gptq" | "awq", why: string): UserError {
  return new UserError({
    code: "layout-does-not-fit",
    message: `${layout.toUpperCase()}'s layout cannot hold this model: ${why}.`,
    remedy: "Choose groups and bits that it holds, or leave --layout out.",
  });
}

const layouts = { gptq: gptqWith(0), awq: awqLayout } as const;

interface Seen {
  readonly first: PackedMatrix | undefined;
  /** Why a layout does not hold a matrix, the first one. */
  readonly refused: Readonly<Record<"gptq" | "awq", string | undefined>>;
  /** Whether all zeros can be stored less one. */
  readonly aboveNought: boolean;
}

async function lookThrough({ parts, layers }: LayoutParts): Promise<Seen> {
  const refused: Record<"gptq" | "awq", string | undefined> = { gptq: undefined, awq: undefined };
  let aboveNought = true;
  let first: PackedMatrix | undefined;
  for (let layer = 0; layer < layers; layer++)
    for (const [module, packed] of (await parts.load(layer)).matrices) {
      first ??= packed;
      for (const name of ["gptq", "awq"] as const) {
        const why = layouts[name].refuses(packed) ?? differs(packed, first);
        if (why !== undefined) refused[name] ??= `${module}: ${why}`;
      }
      if (refused.gptq === undefined) aboveNought &&= zerosAboveNought(packed);
    }
  if (!first) refused.gptq = refused.awq = "it holds no matrix";
  return { first, refused, aboveNought };
}

/** One `quantization_config` tells bits and groups of all matrices. */
function differs(
  { settings }: PackedMatrix,
  { settings: others }: PackedMatrix,
): string | undefined {
  const same = settings["bits"] === others["bits"] && settings["group"] === others["group"];
  return same ? undefined : "it holds matrices of one width and one size of groups";
}

function gptqFolder({ quantizer: { config } }: LayoutParts, seen: Seen): ChosenLayout {
  const { bits, group } = settingsOf(seen);
  return {
    layout: gptqWith(seen.aboveNought ? 1 : 0),
    config: {
      quant_method: "gptq",
      bits,
      group_size: group,
      desc_act: config["act_order"] === true,
      static_groups: config["static_groups"] === true,
      sym: config["symmetric"] === true,
      damp_percent: typeof config["damping"] === "number" ? config["damping"] : 0.01,
      true_sequential: config["true_sequential"] === true,
      lm_head: false,
      pack_dtype: "int32",
      checkpoint_format: seen.aboveNought ? "gptq" : "gptq_v2",
    },
  };
}

function awqFolder({ skip }: LayoutParts, seen: Seen): ChosenLayout {
  const { bits, group } = settingsOf(seen);
  return {
    layout: awqLayout,
    config: {
      quant_method: "awq",
      bits,
      group_size: group,
      zero_point: true,
      version: "gemm",
      modules_to_not_convert: skip.length > 0 ? skip : null,
    },
  };
}

function bitsandbytesFolder(settings: PackedSettings): ChosenLayout {
  const type = settings["type"] === "fp4" ? "fp4" : "nf4";
  return {
    layout: bitsandbytesLayout(type),
    config: {
      quant_method: "bitsandbytes",
      load_in_4bit: true,
      load_in_8bit: false,
      bnb_4bit_quant_type: type,
      bnb_4bit_use_double_quant: settings["nested_offset"] !== undefined,
      bnb_4bit_compute_dtype: "float32",
      bnb_4bit_quant_storage: "uint8",
    },
  };
}

function settingsOf({ first }: Seen): PackedSettings {
  return first?.settings ?? {};
}
