/** @file The model of a record, by the commit of its snapshot: a branch moves on, and what a run was made from does not. */
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { ModelPlaces } from "../weights/hub-cache.ts";
import { referenceOf, resolveModel } from "../weights/hub-cache.ts";

/** The experiment with the snapshot's hash as the revision of a hub id; a folder, and what is not found, stays. */
export async function withSnapshot(
  experiment: Experiment,
  places: ModelPlaces,
): Promise<Experiment> {
  const { model } = experiment;
  // What is not there is told by those who open it.
  const found = await resolveModel(referenceOf(model), places).catch(() => undefined);
  if (found?.hubId !== model.id || found.snapshot === undefined) return experiment;
  return { ...experiment, model: { ...model, revision: found.snapshot } };
}
