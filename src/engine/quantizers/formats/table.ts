/** @file Every format in which matrices are stored, by the quantizers that store them. */
import { quantizers } from "../../catalog.ts";
import type { PackedFormat } from "../packed.ts";

export const packedFormats: readonly PackedFormat[] = [
  ...new Map(
    quantizers.flatMap(({ formats }) => formats).map((format) => [format.name, format]),
  ).values(),
];
