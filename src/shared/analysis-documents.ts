/** @file The JSON files of an `analysis` folder, as commands write and panels and reports read them. */
import type {
  CountTable,
  MatrixIntrudersRecord,
  MeasuredRow,
  MitigationRecord,
} from "./intruder-records.ts";
import type { QuantizeDocument } from "./quantize-records.ts";
import type { MatrixSpectraRecord, OverlapRecord } from "./spectra-records.ts";
import { isRecord } from "./wire.ts";

/** Raised when a reader of the old form would misread the new one. */
export const analysisVersion = 1;

/** How a side is told of. */
export interface SideRecord {
  /** `model`, `adapter`, `run`, `checkpoint`, or what became of the base: `nf4`. */
  readonly kind: string;
  readonly path: string;
  readonly hubId?: string;
  readonly snapshot?: string;
  /** Step of a checkpoint. */
  readonly step?: number;
  /** The run of a sweep that it is the result of. */
  readonly member?: SweepMember;
}

/** A run among those of a sweep: runs of one label are replications over seeds. */
export interface SweepMember {
  readonly label: string;
  readonly seed: number;
  /** The run's own figures at its end, such as `eval.loss`. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** What every document begins with. */
interface Head<K extends string> {
  readonly version: number;
  readonly kind: K;
  /** Versions of spectune and node. */
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601, by the clock of the machine. */
  readonly time: string;
}

/** What the figures hang on. */
export interface Provenance<K extends string = "spectra" | "intruders"> extends Head<K> {
  readonly base: SideRecord;
  readonly tuned: SideRecord | undefined;
  /** ε, k, reference, question, seed: everything that the figures hang on. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Names of the matrix set. */
  readonly matrixSet: readonly string[];
  /** False where the work was interrupted: what is there is right. */
  readonly complete: boolean;
}

export interface SpectraDocument extends Provenance<"spectra"> {
  readonly matrices: readonly MatrixSpectraRecord[];
}

export interface IntrudersDocument extends Provenance<"intruders"> {
  readonly total: number;
  readonly counts?: CountTable;
  readonly matrices: readonly MatrixIntrudersRecord[];
}

export interface MitigationDocument extends Head<"mitigation"> {
  readonly options: {
    readonly keep: number;
    readonly which: "top" | "all";
    readonly compress?: number;
    readonly epsilon?: number;
    readonly k?: unknown;
  };
  readonly out: string;
  /** Hashes of the matrices that were looked at, by name. */
  readonly hashes?: Readonly<Record<string, string>>;
  /** False where it was made and is yet to be measured. */
  readonly complete?: boolean;
  readonly form: "adapter" | "model";
  readonly matrices: readonly MitigationRecord[];
  readonly controls: readonly MitigationRecord[];
  readonly measured: readonly MeasuredRow[];
}

export interface DiffDocument extends Head<"diff"> {
  readonly adapters: readonly [string, string];
  readonly matrices: readonly OverlapRecord[];
  /** Matrices that only one of them adapts. */
  readonly onlyFirst: readonly string[];
  readonly onlySecond: readonly string[];
}

export type AnyDocument =
  SpectraDocument | IntrudersDocument | MitigationDocument | DiffDocument | QuantizeDocument;

/** What each kind has beside its head: by these it is told from a file of another making. */
const fields: { readonly [K in AnyDocument["kind"]]: readonly string[] } = {
  spectra: ["base", "options", "matrices"],
  intruders: ["base", "options", "total", "matrices"],
  mitigation: ["options", "matrices", "controls", "measured"],
  quantize: ["model", "options", "rows", "matrices"],
  diff: ["adapters", "matrices", "onlyFirst", "onlySecond"],
};

/** Whether a JSON value is a document of a version that is known here. */
export function isAnalysisDocument(value: unknown): value is AnyDocument {
  if (!isRecord(value) || value["version"] !== analysisVersion) return false;
  const { kind, matrices } = value;
  const known = Object.entries(fields).find(([name]) => name === kind);
  return (
    known?.[1].every((field) => value[field] !== undefined) === true &&
    typeof value["time"] === "string" &&
    isRecord(value["versions"]) &&
    Array.isArray(matrices) &&
    matrices.every((matrix) => isRecord(matrix) && typeof matrix["name"] === "string")
  );
}
