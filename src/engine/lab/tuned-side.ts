/** @file What was trained on a base, as a source states it: of each matrix that it changes, the update. */
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import type { SideRecord } from "../../shared/analysis-documents.ts";
import type { DType } from "../../shared/dtypes.ts";
import type { Finding } from "../../shared/findings.ts";
import type { Update } from "../analyze/source.ts";
import type { StoredMatrix } from "./stored-matrix.ts";

export interface HashedUpdate {
  readonly update: Update;
  /** SHA-256 of what it was made from. */
  readonly hash: string;
}

/** How a base is held while something trains on it. */
export interface HeldForm {
  /** Names the form with everything that its values hang on. */
  readonly label: string;
  /** `name`: of the tensor. */
  readonly apply: (name: string, W: Matrix<Data>) => Promise<Matrix<Data>>;
}

export interface HeldMatrix {
  readonly W: Matrix<Data>;
  /** What it hangs on beside the stored matrix. */
  readonly label: string;
}

export interface TunedSide {
  readonly record: SideRecord;
  /** Whether it has a matrix of this plain name that may be another than the base's. */
  readonly has: (plain: string) => boolean;
  /** Plain names of every matrix, where it is a whole model: what one side lacks is then an error. */
  readonly whole: ReadonlyMap<string, StoredMatrix> | undefined;
  /** The base's matrix as it was held in training, where the side knows more than that everything but tables and heads is. */
  readonly held?: (
    plain: string,
    base: StoredMatrix,
    W: Matrix<Data>,
    form: HeldForm,
  ) => Promise<HeldMatrix>;
  /** Why there may be no matrix to look at, where that is known. */
  readonly reason?: string | undefined;
  readonly dtype: (plain: string, base: StoredMatrix) => DType;
  /** A {@link UserError} where the base's matrix has another shape than what was trained. */
  readonly check: (plain: string, base: StoredMatrix) => void;
  /** W is the base's matrix or part [out, in], as it was held in training. */
  readonly update: (plain: string, base: StoredMatrix, W: Matrix<Data>) => Promise<HashedUpdate>;
  readonly findings: readonly Finding[];
  readonly close: () => Promise<void>;
}
