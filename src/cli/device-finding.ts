/** @file Whether the device that an experiment asks for is there, without running anything on it. */
import { createOrtBackend } from "../engine/runtime/ort.ts";
import { UserError } from "../shared/errors.ts";
import type { Experiment } from "../shared/experiment/fields/experiment-fields.ts";
import { placeOf } from "../shared/experiment/findings.ts";
import type { Normalised } from "../shared/experiment/normalise.ts";
import { locationOf } from "../shared/experiment/tree.ts";
import type { Finding } from "../shared/findings.ts";

/** What a run would say of `run.device`, at its place; nothing where it would compute there. */
export async function deviceFinding(
  { device }: Experiment["run"],
  document: Normalised["document"],
): Promise<Finding | undefined> {
  if (device === "auto" || device === "cpu") return undefined;
  try {
    await createOrtBackend({ device });
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, remedy } = error;
    const path = ["run", "device"];
    const place = placeOf(locationOf(document, path), path);
    return { code, severity: "error", message, place, ...(remedy !== undefined && { remedy }) };
  }
}
