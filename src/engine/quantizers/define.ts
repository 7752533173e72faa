/** @file What a quantizer states: its fields, what it reads, how it stores a matrix, and how many bytes that takes. */
import type { Fields, Infer } from "../../shared/schema.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { rowOf } from "../catalog-row.ts";
import { complete } from "../config.ts";
import type { InputRounding } from "../programs/round-inputs.ts";
import type { Storage } from "../programs/setup.ts";
import type { Allocator, Choice } from "./blocks/budget.ts";
import type {
  LayerContext,
  MatrixShape,
  QuantizeContext,
  QuantizerNeed,
  SiteMatrix,
  TokenWeights,
} from "./context.ts";
import type { PackedFormat, PackedMatrix } from "./packed.ts";

/** Stores one matrix. Deterministic; a RangeError for NaN and infinities. */
export type QuantizeMatrix = (matrix: SiteMatrix, ctx: QuantizeContext) => Promise<PackedMatrix>;

export interface QuantizerDefinition<F extends Fields> extends CatalogRow<F> {
  /** What it reads beside the weights; nothing where not given. */
  readonly needs?: (config: Infer<F>) => readonly QuantizerNeed[];
  /** Formats that it stores matrices in. */
  readonly formats: readonly PackedFormat[];
  /** Bytes that a matrix of this shape takes, exactly; the most of them where the data decide. */
  readonly storedBytes: (config: Infer<F>, shape: MatrixShape) => number;
  /** Why a matrix of this shape cannot be stored under these fields, with the nearest that can. */
  readonly refuses?: (config: Infer<F>, shape: MatrixShape) => string | undefined;
  /** Either each matrix alone … */
  readonly quantize?: (
    config: Infer<F>,
    matrix: SiteMatrix,
    ctx: QuantizeContext,
  ) => Promise<PackedMatrix>;
  /** … or the matrices of a layer, after looking at all of it. */
  readonly layer?: (config: Infer<F>, layer: LayerContext) => Promise<QuantizeMatrix>;
  /** Folds factors into norms before linear sites: models without such norms are refused. */
  readonly folds?: true;
  /** Rotates the model's hidden states before anything else: models whose norms take means off are refused. */
  readonly rotates?: (config: Infer<F>) => boolean;
  /** How tokens weigh in the moments that {@link QuantizeContext.factor} can be asked for. */
  readonly tokens?: (config: Infer<F>) => TokenWeights;
  /** Whether matrices see what those before them in their layer give quantized. */
  readonly sequential?: (config: Infer<F>) => boolean;
  /** How inputs are rounded where the model runs, of quantizers of both: simulated, not faster. */
  readonly inputs?: (config: Infer<F>) => InputRounding | undefined;
  /** Configurations of which the one with the least error summed over layers is taken: each costs a pass over the model. */
  readonly candidates?: (config: Infer<F>) => readonly Infer<F>[];
  /** Ways of storing single matrices, which a budget over the model is shared out to. */
  readonly budget?: {
    /** Bits a weight with all that is stored; nothing where all matrices are stored alike. */
    readonly bits: (config: Infer<F>) => number | null;
    readonly ways: (
      config: Infer<F>,
      matrix: SiteMatrix,
      ctx: QuantizeContext,
    ) => Promise<readonly (Choice & { readonly config: Infer<F> })[]>;
    readonly allocate: Allocator;
  };
  /** How a weight is held that is packed as the model is read; not given where that takes data. */
  readonly storage?: (config: Infer<F>) => Storage;
}

/** A matrix under some fields: bits that it takes, and what that costs in quality. */
export interface WayOfStoring extends Choice {
  readonly config: Readonly<Record<string, unknown>>;
}

/** A budget of bits a weight, and how it is shared out. */
export interface Budget {
  readonly bits: number;
  readonly ways: (matrix: SiteMatrix, ctx: QuantizeContext) => Promise<readonly WayOfStoring[]>;
  readonly allocate: Allocator;
}

/** A quantizer under one configuration. */
export interface BoundQuantizer {
  readonly config: Readonly<Record<string, unknown>>;
  readonly needs: readonly QuantizerNeed[];
  readonly storedBytes: (shape: MatrixShape) => number;
  readonly refuses: (shape: MatrixShape) => string | undefined;
  /** Prepares a layer; the result stores each of its matrices. */
  readonly layer: (layer: LayerContext) => Promise<QuantizeMatrix>;
  /** Where {@link BoundQuantizer.layer} does not look at the layer. */
  readonly alone: QuantizeMatrix | undefined;
  readonly folds: boolean;
  readonly rotates: boolean;
  readonly tokens: TokenWeights | undefined;
  readonly sequential: boolean;
  readonly inputs: InputRounding | undefined;
  /** Under other configurations, to be tried; itself alone where there is no choice. */
  readonly candidates: () => readonly BoundQuantizer[];
  readonly budget: Budget | undefined;
  /** Each matrix alone under other fields. */
  readonly under: (fields: unknown) => QuantizeMatrix;
  readonly storage: Storage | undefined;
}

/** Why a model cannot be quantized as it is read: the quantizer needs data. Undefined where it needs none. */
export function needsData(
  type: string,
  { storage, alone, needs }: BoundQuantizer,
): { readonly message: string; readonly remedy: string } | undefined {
  if (storage !== undefined || (alone !== undefined && needs.length === 0)) return undefined;
  return {
    message: `quantization: ${type} reads calibration data, which takes more than reading a model.`,
    remedy: `Make a folder of it with \`spectune quantize MODEL --type ${type} --calibration FILE --out DIR\`, and give that as the model.`,
  };
}

export interface Quantizer extends CatalogRow {
  readonly kind: "quantizer";
  readonly formats: readonly PackedFormat[];
  readonly bind: (config: unknown) => BoundQuantizer;
}

export function defineQuantizer<F extends Fields>(definition: QuantizerDefinition<F>): Quantizer {
  return {
    kind: "quantizer",
    ...rowOf(definition),
    formats: definition.formats,
    bind: (config) => bound(definition, complete(definition.config, config, definition.name)),
  };
}

function bound<F extends Fields>(
  definition: QuantizerDefinition<F>,
  config: Infer<F>,
): BoundQuantizer {
  const { quantize, layer, candidates } = definition;
  const alone: QuantizeMatrix | undefined =
    quantize && ((matrix, ctx) => quantize(config, matrix, ctx));
  const self: BoundQuantizer = {
    config: Object.fromEntries(Object.entries(config)),
    needs: definition.needs?.(config) ?? [],
    storedBytes: (shape) => definition.storedBytes(config, shape),
    refuses: (shape) => definition.refuses?.(config, shape),
    alone: layer ? undefined : alone,
    folds: definition.folds ?? false,
    rotates: definition.rotates?.(config) ?? false,
    tokens: definition.tokens?.(config),
    sequential: definition.sequential?.(config) ?? false,
    inputs: definition.inputs?.(config),
    async layer(of) {
      const each = (await layer?.(config, of)) ?? alone;
      if (!each) throw new RangeError(`${definition.name} says no way to store a matrix`);
      return each;
    },
    candidates: () => candidates?.(config).map((other) => bound(definition, other)) ?? [self],
    budget: budgetOf(definition, config),
    under(fields) {
      const { alone: own } = bound(
        definition,
        complete(definition.config, fields, definition.name),
      );
      if (!own) throw new RangeError(`${definition.name} stores no matrix alone`);
      return own;
    },
    storage: definition.storage?.(config),
  };
  return self;
}

function budgetOf<F extends Fields>(
  { budget }: QuantizerDefinition<F>,
  config: Infer<F>,
): Budget | undefined {
  const bits = budget?.bits(config) ?? null;
  if (!budget || bits === null) return undefined;
  return {
    bits,
    allocate: budget.allocate,
    ways: async (matrix, ctx) =>
      (await budget.ways(config, matrix, ctx)).map((way) => ({
        ...way,
        config: Object.fromEntries(Object.entries(way.config)),
      })),
  };
}
