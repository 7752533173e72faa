/** @file The look at spectra: of a base, of what was trained on it, and of the update. */
import type { MatrixSpectraRecord } from "../../shared/spectra-records.ts";
import type { SpectraOptions } from "../analyze/spectra.ts";
import { matrixSpectra, spectraDefaults } from "../analyze/spectra.ts";
import type { Look } from "./look.ts";
import { isRecordWith } from "./look.ts";

export function lookAtSpectra(options: Partial<SpectraOptions>): Look<MatrixSpectraRecord> {
  const all = { ...spectraDefaults, ...options };
  return {
    kind: "spectra",
    options: { ...all },
    make: async ({ tools }, pair) => ({
      record: await matrixSpectra(tools, pair, all),
      arrays: [],
    }),
    arrays: () => [],
    is: isRecordWith<MatrixSpectraRecord>("base", "out", "in"),
    work: ({ out, in: width }) => out * width * Math.min(out, width),
    summary: () => ({}),
  };
}
