/** @file Spectune's own layout: every array of a format under `<module>.packed.`, and a description beside them. */
import { isRecord, parseJson } from "../../../shared/wire.ts";
import { invariant } from "../../../shared/errors.ts";
import type { PackedSettings, StoredArray } from "../packed.ts";
import { stored } from "../packed.ts";
import type { Layout } from "./layout.ts";

const prefix = ".packed.";

export const own: Layout = {
  name: "spectune",
  mark: `${prefix}about`,
  reads: true,
  refuses: () => undefined,
  write(module, { format, rows, columns, settings, tensors }) {
    const about = new TextEncoder().encode(JSON.stringify({ format, rows, columns, settings }));
    return new Map<string, StoredArray>([
      [`${module}${prefix}about`, stored("uint8", [about.length], about)],
      ...[...tensors].map(([name, array]) => [`${module}${prefix}${name}`, array] as const),
    ]);
  },
  find(module, arrays, mark) {
    if (!mark) return undefined;
    const about = parseJson(new TextDecoder().decode(mark));
    if (!isRecord(about)) return undefined;
    const { format, rows, columns, settings } = about;
    if (typeof format !== "string" || typeof rows !== "number" || typeof columns !== "number")
      return undefined;
    if (!isSettings(settings)) return undefined;
    const start = `${module}${prefix}`;
    const names = [...arrays.keys()].filter((name) => name.startsWith(start));
    return {
      module,
      format,
      rows,
      columns,
      settings,
      inOrder: !names.includes(`${start}group_of`),
      arrays: names,
      unpack(read) {
        const tensors = new Map<string, StoredArray>();
        for (const name of names) {
          const array = read.get(name);
          invariant(array, `${name} was not read`);
          if (name !== `${start}about`) tensors.set(name.slice(start.length), array);
        }
        return { format, rows, columns, settings, tensors };
      },
    };
  },
};

function isSettings(value: unknown): value is PackedSettings {
  return (
    isRecord(value) &&
    Object.values(value).every((one) => ["number", "string", "boolean"].includes(typeof one))
  );
}
