/** @file How packed matrices lie in a model folder: what their arrays are called there, and how they are found again. */
import type { Shape } from "../../../shared/dtypes.ts";
import type { PackedMatrix, PackedSettings, StoredArray } from "../packed.ts";

/** What a file's header says of a tensor. */
export interface ArrayInfo {
  readonly shape: Shape;
  readonly bytes: number;
}

/** A packed matrix of a folder, before its arrays are read. */
export interface PackedInfo {
  /** Without `.weight`. */
  readonly module: string;
  readonly format: string;
  /** Outputs. */
  readonly rows: number;
  /** Inputs. */
  readonly columns: number;
  readonly settings: PackedSettings;
  /** Whether groups of a row follow each other, as far as they are not damaged. */
  readonly inOrder: boolean;
  /** Names of its arrays in the files. */
  readonly arrays: readonly string[];
  /** Makes the matrix of its arrays. */
  readonly unpack: (arrays: ReadonlyMap<string, StoredArray>) => PackedMatrix;
}

export interface Layout {
  readonly name: "gptq" | "awq" | "bitsandbytes" | "spectune";
  /** Why it cannot hold a matrix; undefined where it can. */
  readonly refuses: (packed: PackedMatrix) => string | undefined;
  /** Arrays by their names in the file. */
  readonly write: (module: string, packed: PackedMatrix) => ReadonlyMap<string, StoredArray>;
  /** A tensor by whose name a packed matrix is found, such as `.qweight`. */
  readonly mark: string;
  /** Whether `find` reads that tensor's bytes. */
  readonly reads: boolean;
  /** The matrix of a module; undefined where its arrays are not all there or do not fit together. */
  readonly find: (
    module: string,
    arrays: ReadonlyMap<string, ArrayInfo>,
    mark: Uint8Array | undefined,
    config: Readonly<Record<string, unknown>>,
  ) => PackedInfo | undefined;
}
