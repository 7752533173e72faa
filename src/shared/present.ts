/** @file Values that may be absent, as fields that then are not there. */

/** Without the entries that are `undefined`. */
export function present<T extends object>(
  values: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries: [string, unknown][] = Object.entries(values).filter(
    ([, value]) => value !== undefined,
  );
  const result: object = Object.fromEntries(entries);
  return result;
}
