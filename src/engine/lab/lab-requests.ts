/** @file What the lab can be asked, and what it answers: one row each. */
import type { IntruderOptions } from "../analyze/finding.ts";
import type { MatrixIntrudersRecord } from "../../shared/intruder-records.ts";
import type { MatrixSpectraRecord } from "../../shared/spectra-records.ts";
import type { SpectraOptions } from "../analyze/spectra.ts";
import { lookForIntruders } from "./look-intruders.ts";
import type { OverlapRequest, OverlapResult } from "./look-overlap.ts";
import { lookAtOverlap } from "./look-overlap.ts";
import { lookAtSpectra } from "./look-spectra.ts";
import type { LookHost, LookPlace, LookResult } from "./look.ts";
import { lookAt } from "./look.ts";
import type { MitigateRequest, MitigateResult } from "./mitigate-adapter.ts";
import { mitigateSide } from "./mitigate-adapter.ts";
import type { SideChoice } from "./open-sides.ts";

interface OfSides {
  readonly place: LookPlace;
  readonly sides: readonly SideChoice[];
}

interface Asked {
  readonly intruders: OfSides & {
    readonly options: Partial<IntruderOptions>;
    /** Random controls of each kind; 0 leaves all controls out. */
    readonly draws: number;
  };
  readonly spectra: OfSides & { readonly options: Partial<SpectraOptions> };
  readonly diff: OverlapRequest;
  readonly mitigate: MitigateRequest;
}

interface Answered {
  readonly intruders: { readonly looks: readonly LookResult<MatrixIntrudersRecord>[] };
  readonly spectra: { readonly looks: readonly LookResult<MatrixSpectraRecord>[] };
  readonly diff: OverlapResult;
  readonly mitigate: MitigateResult;
}

export type LabKind = keyof Asked;

export type LabRequest = { readonly [K in LabKind]: { readonly kind: K } & Asked[K] }[LabKind];

export type LabResult = { readonly [K in LabKind]: { readonly kind: K } & Answered[K] }[LabKind];

export async function answer(request: LabRequest, host: LookHost): Promise<LabResult> {
  switch (request.kind) {
    case "intruders": {
      const { place, sides, options, draws, kind } = request;
      return { kind, looks: await lookAt(place, sides, lookForIntruders(options, draws), host) };
    }
    case "spectra": {
      const { place, sides, options, kind } = request;
      return { kind, looks: await lookAt(place, sides, lookAtSpectra(options), host) };
    }
    case "diff":
      return { kind: "diff", ...(await lookAtOverlap(request, host)) };
    case "mitigate":
      return { kind: "mitigate", ...(await mitigateSide(request, host)) };
  }
}
