/** @file Declarations of config fields: type, default, bounds, unit, doc and foreign names, stated once. */
import { invariant } from "./errors.ts";

/** `50 steps`, `1 epoch` or `end` (after the last step). */
export type Duration =
  { readonly count: number; readonly unit: "steps" | "epochs" } | { readonly unit: "end" };

/** What YAML and JSON can say. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Values of fields that are known only at run time (a catalog entry's own config). */
export type Values = Readonly<Record<string, unknown>>;

/** One of several named things with their own config, such as a method or an optimizer. */
export interface Choice {
  readonly type: string;
  readonly config: Values;
}

/** What a text stands for; the language server completes and links by it. */
export type TextForm =
  "plain" | "path" | "model" | "regex" | "template" | "metric" | "field" | "column" | "module";

/** One row of a {@link Choice}: its own fields and what is said about it. */
export interface Variant {
  readonly title?: string;
  readonly doc: string;
  /** Address of the paper. */
  readonly paper?: string;
  readonly fields: Fields;
  /** Common fields of the choice that have no meaning for this variant. */
  readonly omits?: readonly string[];
  /** A method that changes the base's own weights, which therefore cannot be quantized. */
  readonly trainsBase?: true;
}

export type Variants = Readonly<Record<string, Variant>>;

/** The type of a field as data: what checks, completion, hover and the JSON schema read. */
export type Shape =
  | { readonly kind: "int" | "number"; readonly bounds: Bounds }
  | { readonly kind: "share"; readonly bounds: Bounds }
  | { readonly kind: "bool" | "duration" | "any" }
  | { readonly kind: "text"; readonly form: TextForm }
  | { readonly kind: "oneOf"; readonly literals: ReadonlyMap<string, string> }
  | {
      readonly kind: "list";
      readonly of: Field<unknown>;
      readonly minLength: number;
      readonly maxLength: number;
      readonly single: boolean;
    }
  | { readonly kind: "record"; readonly of: Field<unknown>; readonly keys: TextForm }
  | {
      readonly kind: "object";
      readonly fields: Fields;
      readonly short: string | undefined;
      /** Any other name is a field of this type; they are collected under `property`. */
      readonly rest: { readonly property: string; readonly of: Field<unknown> } | undefined;
    }
  | {
      readonly kind: "choice";
      readonly variants: Variants;
      readonly common: Fields;
      /** The variant that stands where the file names none. */
      readonly preset: string | undefined;
    }
  | { readonly kind: "keyed"; readonly variants: Variants }
  | { readonly kind: "union"; readonly options: readonly Field<unknown>[] };

/** `min`/`max` belong to the range, `above`/`below` do not. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
  /** Nothing but 1, 2, 4, 8 and so on. */
  readonly powerOfTwo?: true;
}

/** What every declaration may say beside its type. */
export interface Notes {
  /** What the field does, as sentences; shown by hover, help and docs. */
  readonly doc: string;
  readonly unit?: string;
  /** Names of the same field elsewhere (peft, TRL, axolotl …): understood, and offered as a fix. */
  readonly aliases?: readonly string[];
  /** The name in the file, where the property is called otherwise (`r` for `rank`). */
  readonly key?: string;
}

/**
 * One config field holding a `T`.
 *
 * `presence`: the file must say it (`required`), an absent one takes `default`, or an absent object is
 * filled with the defaults of its fields (`filled`). A field whose default is `null` may be unset.
 */
export interface Field<out T> extends Notes {
  readonly shape: Shape;
  readonly presence: "required" | "default" | "filled";
  readonly default: T | undefined;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The TypeScript type of a field's value, or of an object with these fields. */
export type Infer<F> =
  F extends Field<infer T>
    ? T
    : { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** `default` left out: the file must say it. */
interface Options<T> extends Notes {
  readonly default?: T;
}

/** The field may be unset, and is where the file does not say it. */
interface Unset extends Notes {
  readonly default: null;
}

/** A whole number. */
export function int(options: Unset & Bounds): Field<number | null>;
export function int(options: Options<number> & Bounds): Field<number>;
export function int(options: Options<number | null> & Bounds): Field<number | null> {
  return field({ kind: "int", bounds: boundsOf(options) }, options);
}

/** A number; the file may also give `2r` or `= arithmetic`. */
export function number(options: Unset & Bounds): Field<number | null>;
export function number(options: Options<number> & Bounds): Field<number>;
export function number(options: Options<number | null> & Bounds): Field<number | null> {
  return field({ kind: "number", bounds: boundsOf(options) }, options);
}

/** A part of a whole, from 0 to 1: `0.05` or `5%`. */
export function share(options: Unset & Bounds): Field<number | null>;
export function share(options: Options<number> & Bounds): Field<number>;
export function share(options: Options<number | null> & Bounds): Field<number | null> {
  return field({ kind: "share", bounds: { min: 0, max: 1, ...boundsOf(options) } }, options);
}

export function bool(options: Unset): Field<boolean | null>;
export function bool(options: Options<boolean>): Field<boolean>;
export function bool(options: Options<boolean | null>): Field<boolean | null> {
  return field({ kind: "bool" }, options);
}

interface TextNotes {
  readonly form?: TextForm;
}

export function text(options: Unset & TextNotes): Field<string | null>;
export function text(options: Options<string> & TextNotes): Field<string>;
export function text(options: Options<string | null> & TextNotes): Field<string | null> {
  return field({ kind: "text", form: options.form ?? "plain" }, options);
}

/** `50 steps`, `1 epoch`, `end`. */
export function duration(options: Unset): Field<Duration | null>;
export function duration(options: Options<Duration>): Field<Duration>;
export function duration(options: Options<Duration | null>): Field<Duration | null> {
  return field({ kind: "duration" }, options);
}

type Literals<L extends string> = readonly L[] | Readonly<Record<L, string>>;

/** One of the words given; as an object, each word with its own sentence of doc. */
export function oneOf<const L extends string>(
  literals: Literals<L>,
  options: Unset,
): Field<L | null>;
export function oneOf<const L extends string>(
  literals: Literals<L>,
  options: Options<NoInfer<L>>,
): Field<L>;
export function oneOf<const L extends string>(
  literals: Literals<L>,
  options: Options<L | null>,
): Field<L | null> {
  const entries: readonly (readonly [string, string])[] = Array.isArray(literals)
    ? literals.map((literal: string) => [literal, ""] as const)
    : Object.entries<string>(literals);
  return field({ kind: "oneOf", literals: new Map(entries) }, options);
}

interface ListNotes {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly single?: boolean;
}

/** Several values of one type; `single` lets one stand without brackets. */
export function list<T>(of: Field<T>, options: Unset & ListNotes): Field<readonly T[] | null>;
export function list<T>(
  of: Field<T>,
  options: Options<readonly NoInfer<T>[]> & ListNotes,
): Field<readonly T[]>;
export function list<T>(
  of: Field<T>,
  options: Options<readonly T[] | null> & ListNotes,
): Field<readonly T[] | null> {
  const { minLength = 0, maxLength = 10_000, single = false } = options;
  return field({ kind: "list", of, minLength, maxLength, single }, options);
}

type Named<T> = Readonly<Record<string, T>>;
interface RecordNotes {
  readonly keys?: TextForm;
}

/** Names of the user's own choice, each with a value of one type. */
export function record<T>(of: Field<T>, options: Unset & RecordNotes): Field<Named<T> | null>;
export function record<T>(
  of: Field<T>,
  options: Options<Named<NoInfer<T>>> & RecordNotes,
): Field<Named<T>>;
export function record<T>(
  of: Field<T>,
  options: Options<Named<T> | null> & RecordNotes,
): Field<Named<T> | null> {
  return field({ kind: "record", of, keys: options.keys ?? "plain" }, options);
}

interface ObjectNotes<F> {
  readonly short?: keyof F & string;
}

/**
 * Named fields. Absent, it is filled with their defaults; with `default: null` it is unset instead.
 * `short` names the field that a lone value stands for: `model: x` for `model: { id: x }`.
 */
export function object<F extends Fields>(
  fields: F,
  options: Unset & ObjectNotes<F>,
): Field<Infer<F> | null>;
export function object<F extends Fields>(
  fields: F,
  options: Notes & ObjectNotes<F>,
): Field<Infer<F>>;
export function object<F extends Fields>(
  fields: F,
  options: Options<null> & ObjectNotes<F>,
): Field<Infer<F> | null> {
  const declared = field<Infer<F> | null>(
    { kind: "object", fields, short: options.short, rest: undefined },
    options,
  );
  return options.default === null ? declared : { ...declared, presence: "filled" };
}

/** Named fields, and any other names, each of one type, which the value holds under `property`. */
export function openObject<F extends Fields, P extends string, T>(
  fields: F,
  property: P,
  of: Field<T>,
  options: Unset,
): Field<(Infer<F> & { readonly [K in P]: Named<T> }) | null> {
  const rest = { property, of };
  return field({ kind: "object", fields, short: undefined, rest }, options);
}

/**
 * A named variant: `lora`, or `{ type: lora, r: 8 }` with the fields common to all and its own.
 * Its default is the name of a variant, which is then taken with its defaults.
 */
export function choice<F extends Fields>(
  variants: Variants,
  options: Unset & ChoiceNotes<F>,
): Field<(Choice & Infer<F>) | null>;
export function choice<F extends Fields>(
  variants: Variants,
  options: Options<string> & ChoiceNotes<F>,
): Field<Choice & Infer<F>>;
export function choice<F extends Fields>(
  variants: Variants,
  { default: preset, ...options }: Options<string | null> & ChoiceNotes<F>,
): Field<(Choice & Infer<F>) | null> {
  checkNames(variants, options.common ?? {});
  const shape: Shape = {
    kind: "choice",
    variants,
    common: options.common ?? {},
    preset: preset ?? undefined,
  };
  if (preset === null) return field({ ...shape }, { ...options, default: null });
  const declared = field<(Choice & Infer<F>) | null>(shape, options);
  return preset === undefined ? declared : { ...declared, presence: "filled" };
}

interface ChoiceNotes<F> {
  readonly common?: F;
}

/** A named variant written as `exact_match` or `{ exact_match: { max_new_tokens: 64 } }`. */
export function keyed(variants: Variants, options: Notes): Field<Choice> {
  return field({ kind: "keyed", variants }, options);
}

/** One of several types; the first that fits what the file says is taken. */
export function union<const L extends readonly Field<unknown>[]>(
  options: L,
  notes: Unset,
): Field<Infer<L[number]> | null>;
export function union<const L extends readonly Field<unknown>[]>(
  options: L,
  notes: Options<NoInfer<Infer<L[number]>>>,
): Field<Infer<L[number]>>;
export function union<const L extends readonly Field<unknown>[]>(
  options: L,
  notes: Options<Infer<L[number]> | null>,
): Field<Infer<L[number]> | null> {
  return field({ kind: "union", options }, notes);
}

/** Anything YAML can say. */
export function any(options: Options<Json>): Field<Json> {
  return field({ kind: "any" }, options);
}

/** The name by which the file calls the field declared as `property`. */
export function fileKey(property: string, declared: Field<unknown>): string {
  return declared.key ?? property;
}

/** A variant's own fields stand in one map with `type` and the common ones. */
function checkNames(variants: Variants, common: Fields): void {
  const taken = new Set([
    "type",
    ...Object.entries(common).map(([name, each]) => fileKey(name, each)),
  ]);
  for (const [variant, { fields }] of Object.entries(variants))
    for (const [property, own] of Object.entries(fields)) {
      const key = fileKey(property, own);
      invariant(!taken.has(key), `${variant} declares ${key}, which is common to all variants`);
    }
}

function field<T>(shape: Shape, options: Options<T>): Field<T> {
  const { doc, unit, aliases, key } = options;
  return {
    shape,
    doc,
    presence: options.default === undefined ? "required" : "default",
    default: options.default,
    ...(unit === undefined ? {} : { unit }),
    ...(aliases === undefined ? {} : { aliases }),
    ...(key === undefined ? {} : { key }),
  };
}

function boundsOf({ min, max, above, below, powerOfTwo }: Bounds): Bounds {
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(above === undefined ? {} : { above }),
    ...(below === undefined ? {} : { below }),
    ...(powerOfTwo === undefined ? {} : { powerOfTwo }),
  };
}
