/** @file Gives errors that name a field of the experiment their place in its file. */
import { catalogFields } from "../engine/catalog.ts";
import { UserError } from "../shared/errors.ts";
import type { Place } from "../shared/errors.ts";
import { placeOf } from "../shared/experiment/findings.ts";
import { readExperiment } from "../shared/experiment/normalise.ts";
import type { MapNode } from "../shared/experiment/tree.ts";
import { locationOf } from "../shared/experiment/tree.ts";
import type { EventBody } from "../shared/protocol.ts";
import { experimentText } from "./experiment-text.ts";

/** Gives what an event finds of a field its place in the file. */
export type PlaceInEvent = (event: EventBody) => EventBody;

/** Does some work on the experiment of a file, as overridden; what it finds wrong with a field is shown there. */
export async function withFieldPlaces<T>(
  file: string,
  overrides: readonly string[],
  work: (placed: PlaceInEvent) => Promise<T>,
): Promise<T> {
  const inFile = placesIn(file, overrides);
  try {
    return await work((event) => {
      const place = event.type === "finding" ? inFile(event.finding.place) : undefined;
      if (event.type !== "finding" || place === undefined) return event;
      return { ...event, finding: { ...event.finding, place } };
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, remedy } = error;
    const place = inFile(error.place);
    if (place === undefined) throw error;
    throw new UserError({
      code,
      message,
      place,
      ...(remedy !== undefined && { remedy }),
      cause: error,
    });
  }
}

/** The place in a file of a place that is but a field; `undefined` for others. */
function placesIn(
  file: string,
  overrides: readonly string[],
): (place: Place | undefined) => Place | undefined {
  let document: MapNode | undefined;
  return (place) => {
    if (place?.field === undefined || place.file !== "") return undefined;
    document ??= documentOf(file, overrides);
    if (document === undefined) return undefined;
    const path = place.field.split(".");
    return placeOf(locationOf(document, path), path);
  };
}

function documentOf(file: string, overrides: readonly string[]): MapNode | undefined {
  const text = experimentText(file);
  if (typeof text !== "string") return undefined;
  const provider = experimentText;
  return readExperiment({ file, text, catalog: catalogFields, provider, overrides }).document;
}
