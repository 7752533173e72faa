/** @file Decoders of parsed JSON: the one place allowed to cast, because each cast stands behind its check. */
import type { Json } from "./schema.ts";

/** Decodes parsed JSON against a declared form; the problem says which field is wrong. */
export type Decoder<T> = (value: unknown, path: string) => T | Problem;

declare const brand: unique symbol;

/** Why a value does not have the declared form, e.g. `plan.steps is not a whole number`. */
export interface Problem {
  readonly [brand]: true;
  readonly problem: string;
}

const problems = new WeakSet<object>();

export function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && problems.has(value);
}

function refuse(path: string, expected: string): Problem {
  const problem = {
    problem: `${path === "" ? "the message" : path} is not ${expected}`,
  } as Problem;
  problems.add(problem);
  return problem;
}

export const text: Decoder<string> = (value, path) =>
  typeof value === "string" ? value : refuse(path, "a text");

export const flag: Decoder<boolean> = (value, path) =>
  typeof value === "boolean" ? value : refuse(path, "true or false");

/** Zero or a positive whole number. */
export const count: Decoder<number> = (value, path) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(path, "a whole number from 0 up");

/** Any number; NaN and the infinities as the words that {@link encodeEvent} writes. */
export const real: Decoder<number> = (value, path) => {
  if (typeof value === "number") return value;
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  return refuse(path, "a number");
};

/** One of a closed set of words. */
export function oneOf<const W extends string>(...words: readonly W[]): Decoder<W> {
  return (value, path) =>
    words.find((word) => word === value) ?? refuse(path, `one of ${words.join(", ")}`);
}

/** A list whose items have one form. */
export function listOf<T>(item: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return refuse(path, "a list");
    const items: T[] = [];
    for (const [index, element] of value.entries()) {
      const decoded = item(element, join(path, String(index)));
      if (isProblem(decoded)) return decoded;
      items.push(decoded);
    }
    return items;
  };
}

/** Anything that JSON can say, nested up to 100 levels deep. */
export const json: Decoder<Json> = jsonWithin(100);

function jsonWithin(levels: number): Decoder<Json> {
  return (value, path) => {
    if (value === null || ["boolean", "number", "string"].includes(typeof value))
      return value as Json;
    if (levels === 0) return refuse(path, "nested so little that it can be read");
    const inner = jsonWithin(levels - 1);
    if (Array.isArray(value)) return listOf(inner)(value, path);
    return isRecord(value) ? mapOf(inner)(value, path) : refuse(path, "a value of JSON");
  };
}

/** An object used as a map from any key to values of one form. */
export function mapOf<T>(item: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (!isRecord(value)) return refuse(path, "an object");
    const entries: [string, T][] = [];
    for (const [key, element] of Object.entries(value)) {
      const decoded = item(element, join(path, key));
      if (isProblem(decoded)) return decoded;
      entries.push([key, decoded]);
    }
    return Object.fromEntries(entries);
  };
}

type IsOptional<T, K extends keyof T> = Partial<Pick<T, K>> extends Pick<T, K> ? true : false;
type Required<T> = {
  readonly [K in keyof T as IsOptional<T, K> extends true ? never : K]: Decoder<T[K]>;
};
type Optional<T> = {
  readonly [K in keyof T as IsOptional<T, K> extends true ? K : never]-?: Decoder<
    Exclude<T[K], undefined>
  >;
};

/** An object of type T; the compiler finds a missing row. Fields that T lacks are left out. */
export function object<T extends object>(required: Required<T>, optional: Optional<T>): Decoder<T> {
  const rows = [
    ...Object.entries<Decoder<unknown>>(required).map((row) => [...row, true] as const),
    ...Object.entries<Decoder<unknown>>(optional).map((row) => [...row, false] as const),
  ];
  return (value, path) => {
    if (!isRecord(value)) return refuse(path, "an object");
    const result: Record<string, unknown> = {};
    for (const [key, decoder, needed] of rows) {
      if (!needed && !Object.hasOwn(value, key)) continue;
      const decoded = decoder(Object.hasOwn(value, key) ? value[key] : undefined, join(path, key));
      if (isProblem(decoded)) return decoded;
      result[key] = decoded;
    }
    // Each key of T has passed its own decoder.
    return result as T;
  };
}

/** A union told apart by its field `type`, one decoder for each word. */
export function tagged<Bodies extends { readonly [T in keyof Bodies]: object }>(bodies: {
  readonly [T in keyof Bodies & string]: Decoder<Bodies[T]>;
}): Decoder<Tagged<Bodies>> {
  const table = new Map<unknown, Decoder<object>>(Object.entries(bodies));
  return (value, path) => {
    if (!isRecord(value)) return refuse(path, "an object");
    const body = table.get(value["type"])?.(value, path) ?? refuse(join(path, "type"), "known");
    if (isProblem(body)) return body;
    // The table ties each type to its body; the compiler cannot follow the look-up.
    return { type: value["type"], ...body } as Tagged<Bodies>;
  };
}

/** The union that {@link tagged} decodes. */
export type Tagged<Bodies extends object> = {
  readonly [T in keyof Bodies & string]: { readonly type: T } & Bodies[T];
}[keyof Bodies & string];

/**
 * A value that another part of the same build has sent, as the type of their contract says: the compiler has held both
 * ends to it, and the caller names it. For answers and events alone; parameters of requests pass a decoder.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function sentByOurBuild<T>(value: unknown): T {
  return value as T;
}

/** The value of a JSON text, `undefined` where it is none. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
