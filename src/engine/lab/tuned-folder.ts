/** @file A whole tuned model, or a checkpoint of all its weights, beside its base. */
import { UserError } from "../../shared/errors.ts";
import type { ModelFolder } from "./model-folder.ts";
import { requireEqualShapes } from "./matrix-set.ts";
import type { StoredMatrix } from "./stored-matrix.ts";
import { dtypeOf, readMatrix } from "./stored-matrix.ts";
import type { SideRecord } from "../../shared/analysis-documents.ts";
import type { TunedSide } from "./tuned-side.ts";

export function tunedFolder(tuned: ModelFolder, record: Partial<SideRecord> = {}): TunedSide {
  const storedOf = (plain: string): StoredMatrix => {
    const stored = tuned.matrices.get(plain);
    if (stored) return stored;
    throw new UserError({
      code: "missing-tensors",
      message: `${tuned.path} has no matrix ${plain}.`,
      remedy:
        "It may have been written anew since: call it again on folders that stay as they are.",
      place: { file: tuned.path, field: plain },
    });
  };
  const { hubId, snapshot } = tuned.resolved;
  return {
    record: {
      kind: "model",
      path: tuned.path,
      ...(hubId === undefined ? {} : { hubId }),
      ...(snapshot === undefined ? {} : { snapshot }),
      ...record,
    },
    has: (plain) => tuned.matrices.has(plain),
    whole: tuned.matrices,
    dtype: (plain) => dtypeOf(storedOf(plain)),
    check(plain, base) {
      requireEqualShapes({ ...storedOf(plain), transposed: base.transposed }, base);
    },
    async update(plain, { transposed, part }) {
      // Its orientation and cut are the base's: a checkpoint may lie without a config.json.
      const { W, hash } = await readMatrix({
        ...storedOf(plain),
        transposed,
        ...(part === undefined ? {} : { part }),
      });
      return { update: { kind: "tuned", W }, hash };
    },
    findings: tuned.source.findings,
    close: tuned.close,
  };
}
