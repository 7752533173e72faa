/** @file The experiment file as one declaration, over the rows of a catalog. */
import type { Field, Infer } from "../../schema.ts";
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

const declared = new WeakMap<CatalogFields, ReturnType<typeof declare>>();

/** The declarations over a catalog, made once for each. */
function declarations(catalog: CatalogFields): ReturnType<typeof declare> {
  const known = declared.get(catalog);
  if (known !== undefined) return known;
  const made = declare(catalog);
  declared.set(catalog, made);
  return made;
}

/** The fields of an experiment, in the order in which they are written. */
export function experimentFields(catalog: CatalogFields): ReturnType<typeof declareFields> {
  return declarations(catalog).fields;
}

/** The document: an experiment's fields, and the file it extends. */
export function documentField(catalog: CatalogFields): Field<unknown> {
  return declarations(catalog).document;
}

function declare(catalog: CatalogFields) {
  const fields = declareFields(catalog);
  const document = object({ extends: extendsField, ...fields }, { doc: "An experiment." });
  return { fields, document };
}

const extendsField = text({
  form: "path",
  default: null,
  doc: "Another experiment file, whose fields hold where this one does not say them.",
});

function declareFields(catalog: CatalogFields) {
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
export type Experiment = Infer<ReturnType<typeof declareFields>>;
export type MethodChoice = Experiment["method"][number];
export type Sweep = NonNullable<Experiment["sweep"]>;
