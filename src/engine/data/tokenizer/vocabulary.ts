/** @file The `vocab` of a tokenizer file. */
import { entries, refuse, type JsonValue } from "./json-value.ts";

/** Ids above this would ask for absurd tables; the largest vocabularies have about 300 thousand tokens. */
const largestId = 2 ** 24;

/** Reads `{ token: id }`. */
export function readVocabulary(vocab: JsonValue): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (const [token, id] of entries(vocab)) ids.set(token, checkedId(vocab, token, id));
  return ids;
}

/** An id that is a whole number in range. */
export function checkedId(parent: JsonValue, token: string, id: unknown): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < largestId) return id;
  const path = `${parent.path}.${token}`;
  return refuse({ file: parent.file, path, value: id }, `an id from 0 to ${largestId - 1}`);
}
