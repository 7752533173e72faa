/** @file From what a command names to an opened base and what was trained on it. */
import { basename } from "node:path";
import type { Linalg } from "../../../kernels/linalg/index.ts";
import type { SweepMember } from "../../shared/analysis-documents.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Choice } from "../../shared/schema.ts";
import type { FullMatch } from "../methods/targets.ts";
import type { ModelPlaces } from "../weights/hub-cache.ts";
import { adapterSide } from "./adapter-side.ts";
import { heldBase } from "./held-base.ts";
import type { MatrixSet, Question } from "./matrix-set.ts";
import { matrixSet } from "./matrix-set.ts";
import type { ModelFolder } from "./model-folder.ts";
import { openModelFolder } from "./model-folder.ts";
import { runCheckpoint, trainedBy } from "./run-checkpoint.ts";
import { tunedFolder } from "./tuned-folder.ts";
import type { TunedSide } from "./tuned-side.ts";

/** What was trained, as a command or an experiment names it; plain data, so that it crosses threads. */
export type SideChoice =
  | { readonly kind: "none" }
  | ({ readonly kind: "adapter"; readonly folder: string } & SideOrigin)
  | ({ readonly kind: "model"; readonly id: string } & SideOrigin)
  | (Omit<SideOrigin, "step" | "of"> & {
      readonly kind: "checkpoint";
      readonly folder: string;
      readonly step: number;
      readonly of: string;
      readonly experiment: Experiment;
    });

interface SideOrigin {
  readonly step?: number;
  /** The run or the Trainer's folder that it is of. */
  readonly of?: string;
  /** The run of a sweep that it is the result of. */
  readonly member?: SweepMember;
}

export interface SetChoice {
  /** A folder, a safetensors file, or a hub id in the local cache. */
  readonly base: string;
  readonly places: ModelPlaces;
  readonly matrices: string | undefined;
  readonly splitsFused: boolean;
  /** What a run's \`quantization\` says; undefined where the base is taken as it is stored. */
  readonly held: Choice | undefined;
  readonly question: Question;
  /** A full fine-tuning of the same base, whose ΔW controls are scaled from. */
  readonly full?: SideChoice | undefined;
}

export interface OpenTools {
  readonly fullMatch: FullMatch;
  readonly linalg: Linalg;
}

export interface OpenSet extends MatrixSet {
  readonly close: () => Promise<void>;
}

/** Opens both sides and brings them together; the caller closes them. */
export async function openSet(
  { base: id, places, matrices, splitsFused, held, question, full: other }: SetChoice,
  side: SideChoice,
  tools: OpenTools,
): Promise<OpenSet> {
  const base = await openModelFolder(id, places);
  let [tuned, full]: (TunedSide | undefined)[] = [];
  const close = async (): Promise<void> => {
    await full?.close();
    await tuned?.close();
    await base.close();
  };
  try {
    tuned = await openSide(side, base, places, tools);
    if (other) full = await openSide(other, base, places, tools);
    const quantized = held && { form: heldBase(held, tools.linalg), question };
    const options = { matrices, splitsFused, fullMatch: tools.fullMatch, quantized, full };
    return { ...matrixSet(base, tuned, options), close };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function openSide(
  side: SideChoice,
  base: ModelFolder,
  places: ModelPlaces,
  tools: OpenTools,
): Promise<TunedSide | undefined> {
  switch (side.kind) {
    case "none":
      return undefined;
    case "adapter":
      return adapterSide(side.folder, base, places, tools, stepOf(side));
    case "model":
      return tunedFolder(await openModelFolder(side.id, places), stepOf(side));
    case "checkpoint":
      return runCheckpoint(side.folder, trainedBy(side.experiment), places, tools.fullMatch, {
        ...{ kind: "checkpoint", path: side.folder },
        ...stepOf(side),
      });
  }
}

function stepOf({ step }: { readonly step?: number }): { readonly step?: number } {
  return step === undefined ? {} : { step };
}

/** How a side is called in tables. */
export function sideLabel(side: SideChoice): string {
  if (side.kind === "none") return "base";
  const { member } = side;
  if (member) return `${member.label}, seed ${member.seed}`;
  switch (side.kind) {
    case "adapter":
    case "checkpoint":
      return side.step === undefined ? basename(side.folder) : `step ${side.step}`;
    case "model":
      return side.step === undefined ? basename(side.id) : `step ${side.step}`;
  }
}
