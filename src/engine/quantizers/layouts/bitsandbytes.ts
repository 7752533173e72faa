/**
 * @file The layout of bitsandbytes' 4-bit weights, as transformers saves and reads them: `<module>.weight` with the
 * codes, `.weight.absmax`, `.weight.quant_map`, nested scales where there are, and `.weight.quant_state.bitsandbytes__nf4`
 * with a description as JSON in bytes.
 */
import { isRecord, parseJson } from "../../../shared/wire.ts";
import { invariant } from "../../../shared/errors.ts";
import { nestedBlock } from "../../../../kernels/nf4/nested-scales.ts";
import type { PackedSettings, StoredArray } from "../packed.ts";
import { numberOf, stored } from "../packed.ts";
import type { Layout } from "./layout.ts";

/** The layout of one of the two types; their folders differ in the name of the description alone. */
export function bitsandbytesLayout(type: "nf4" | "fp4"): Layout {
  const mark = `.weight.quant_state.bitsandbytes__${type}`;
  return {
    name: "bitsandbytes",
    mark,
    reads: true,
    refuses: ({ format, settings }) =>
      format === "bnb" && settings["type"] === type ? undefined : `it holds ${type} alone`,
    write(module, packed) {
      const { rows, columns, settings, tensors } = packed;
      const offset = settings["nested_offset"];
      const state = {
        quant_type: type,
        blocksize: numberOf(packed, "block_size"),
        dtype: "float32",
        shape: [rows, columns],
        ...(typeof offset === "number" && {
          nested_blocksize: nestedBlock,
          nested_dtype: "float32",
          nested_offset: offset,
        }),
      };
      const about = new TextEncoder().encode(JSON.stringify(state));
      return new Map<string, StoredArray>([
        ...[...tensors].map(
          ([name, array]) =>
            [name === "codes" ? `${module}.weight` : `${module}.weight.${name}`, array] as const,
        ),
        [`${module}${mark}`, stored("uint8", [about.length], about)],
      ]);
    },
    find(module, arrays, bytes) {
      const state = bytes && parseJson(new TextDecoder().decode(bytes));
      if (!isRecord(state)) return undefined;
      const { shape, blocksize, nested_offset: offset } = state;
      const sizes: readonly unknown[] = Array.isArray(shape) ? shape : [];
      const [rows, columns] = sizes;
      if (typeof rows !== "number" || typeof columns !== "number") return undefined;
      if (typeof blocksize !== "number") return undefined;
      const settings: PackedSettings = {
        type,
        block_size: blocksize,
        ...(typeof offset === "number" && { nested_offset: offset }),
      };
      const names = new Map(
        ["absmax", "quant_map", "nested_absmax", "nested_quant_map"].flatMap((name) => {
          const full = `${module}.weight.${name}`;
          return arrays.has(full) ? [[name, full] as const] : [];
        }),
      ).set("codes", `${module}.weight`);
      if (!names.has("absmax") || !arrays.has(`${module}.weight`)) return undefined;
      return {
        module,
        format: "bnb",
        rows,
        columns,
        settings,
        inOrder: true,
        arrays: [...names.values(), `${module}${mark}`],
        unpack(read) {
          const tensors = new Map<string, StoredArray>();
          for (const [name, full] of names) {
            const array = read.get(full);
            invariant(array, `${full} was not read`);
            tensors.set(name, array);
          }
          return { format: "bnb", rows, columns, settings, tensors };
        },
      };
    },
  };
}
