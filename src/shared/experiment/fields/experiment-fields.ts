/** @file The experiment file as one declaration, over the rows of a catalog. */
import type { Infer } from "../../schema.ts";
import { int, object, text } from "../../schema.ts";
import type { CatalogFields } from "./catalog-fields.ts";
import { dataField } from "./data.ts";
import { evalField } from "./evaluation.ts";
import { methodField } from "./method.ts";
import { modelField, taskField } from "./model.ts";
import { analyzeField, checkpointsField, exportField, reportField, runField } from "./output.ts";
import { quantizationField } from "./quantization.ts";
import { sweepField } from "./sweep.ts";
import { trainField } from "./train.ts";

/** The version of the file format that this code reads and writes. */
export const formatVersion = 1;

/** The fields of an experiment, in the order in which they are written. */
export function experimentFields(catalog: CatalogFields) {
  return {
    version: int({
      default: formatVersion,
      min: 1,
      doc: "Version of the file format; there is only 1.",
    }),
    model: modelField,
    task: taskField,
    data: dataField,
    quantization: quantizationField(catalog),
    method: methodField(catalog),
    train: trainField(catalog),
    eval: evalField,
    checkpoints: checkpointsField,
    analyze: analyzeField,
    sweep: sweepField,
    report: reportField,
    export: exportField,
    run: runField,
  };
}

/** The experiment with every default written out. */
export type Experiment = Infer<ReturnType<typeof experimentFields>>;
export type MethodChoice = Experiment["method"][number];
export type Sweep = NonNullable<Experiment["sweep"]>;

/** The document: an experiment's fields, and the file it extends. */
export function documentField(catalog: CatalogFields) {
  return object(
    {
      extends: text({
        form: "path",
        default: null,
        doc: "Another experiment file, whose fields hold where this one does not say them.",
      }),
      ...experimentFields(catalog),
    },
    { doc: "An experiment." },
  );
}
