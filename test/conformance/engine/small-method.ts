/** @file Methods of the catalog at sizes that fit a tiny model. */
import { methods } from "../../../src/engine/catalog.ts";

export type Choice = Readonly<Record<string, unknown>>;

const sizes = { r: 4, num_virtual_tokens: 5, token_indices: [66, 97], vector_length: 4 };

export function smallMethod(type: string): Choice {
  const row = methods.find(({ name }) => name === type);
  const own = Object.entries(sizes).filter(([name]) => row && name in row.config);
  return { type, ...Object.fromEntries(own) };
}
