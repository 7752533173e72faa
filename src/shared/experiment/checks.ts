/** @file Fields that are right each by itself and contradict each other: runs the checks. */
import type { Field } from "../schema.ts";
import { dataChecks } from "./checks/data.ts";
import { fileChecks } from "./checks/file.ts";
import { measuringChecks } from "./checks/measuring.ts";
import { trainingChecks } from "./checks/training.ts";
import { inline } from "./describe.ts";
import type { Experiment } from "./fields/experiment-fields.ts";
import type { Report } from "./findings.ts";
import { fieldAt } from "./lookup.ts";
import type { MapNode } from "./tree.ts";
import { locationOf, nodeAt, plain } from "./tree.ts";

const checks = [...fileChecks, ...dataChecks, ...trainingChecks, ...measuringChecks];

/** Runs every check; what it finds is shown at the field that the file gives. */
export function checkExperiment(
  experiment: Experiment,
  document: MapNode,
  root: Field<unknown>,
  report: Report,
): void {
  const says = (path: string) => nodeAt(document, path.split(".")) !== undefined;
  const chooses = (path: string) => {
    const node = nodeAt(document, path.split("."));
    const field = fieldAt(root, document, path.split("."));
    return node !== undefined && inline(plain(node)) !== inline(field?.default);
  };
  const methods = fieldAt(root, document, ["method", "0"])?.shape;
  const rows = methods?.kind === "choice" ? methods.variants : {};
  const methodRow = (type: string) => (Object.hasOwn(rows, type) ? rows[type] : undefined);
  for (const check of checks) {
    for (const found of check(experiment, { document, says, chooses, methodRow })) {
      const { code, severity, path, message, remedy, fix } = found;
      const steps = typeof path === "string" ? path.split(".") : path;
      const at = locationOf(document, steps);
      report(code, at, { severity, message, path: steps, remedy, fix });
    }
  }
}
