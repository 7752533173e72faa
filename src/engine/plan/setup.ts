/** @file What of a model trains, for a plan: the setup of a run, with its faults for whoever checks them. */
import { invariant } from "../../shared/errors.ts";
import type { Checked } from "../../shared/findings.ts";
import type { FullMatch } from "../methods/targets.ts";
import type { Model } from "../models/architecture.ts";
import type { ModelSetup, SetupFields, StoredTypes } from "../session/set-up.ts";
import { setUpModel } from "../session/set-up.ts";

export type { ModelSetup } from "../session/set-up.ts";

export function planSetup(
  model: Model | undefined,
  experiment: SetupFields,
  stored: StoredTypes,
  fullMatch: FullMatch,
): Checked<ModelSetup> {
  invariant(model, "a plan needs an architecture that trains");
  return setUpModel(model, experiment, stored, fullMatch);
}
