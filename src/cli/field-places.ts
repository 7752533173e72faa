/** @file Gives errors that name a field of the experiment their place in its file. */
import { catalogFields } from "../engine/catalog.ts";
import { UserError } from "../shared/errors.ts";
import { placeOf } from "../shared/experiment/findings.ts";
import { readExperiment } from "../shared/experiment/normalise.ts";
import { locationOf } from "../shared/experiment/tree.ts";
import { experimentText } from "./experiment-text.ts";

/** Does some work on the experiment of a file, as overridden; what it finds wrong with a field is shown there. */
export async function withFieldPlaces<T>(
  file: string,
  overrides: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof UserError ? placed(error, file, overrides) : error;
  }
}

function placed(error: UserError, file: string, overrides: readonly string[]): UserError {
  const { code, message, place, remedy } = error;
  const text = experimentText(file);
  if (place?.field === undefined || place.file !== "" || typeof text !== "string") return error;
  const path = place.field.split(".");
  const { document } = readExperiment({
    file,
    text,
    catalog: catalogFields,
    provider: experimentText,
    overrides,
  });
  return new UserError({
    code,
    message,
    place: placeOf(locationOf(document, path), path),
    ...(remedy === undefined ? {} : { remedy }),
    cause: error,
  });
}
