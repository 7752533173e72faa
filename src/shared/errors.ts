/** @file The error types: the user's (with a remedy), ours (a broken invariant), and cancellation. */

/** A place in a user's file; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly field?: string;
}

/** What a {@link UserError} carries: a stable code, what happened, where, and how to mend it. */
export interface UserErrorDetails {
  /** Stable kebab-case identifier, e.g. `unknown-field`. */
  readonly code: string;
  readonly message: string;
  readonly place?: Place;
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** The input is wrong; the command line ends with exit code 2 and shows message, place and remedy. */
export class UserError extends Error {
  readonly code: string;
  readonly place: Place | undefined;
  readonly remedy: string | undefined;

  constructor(details: UserErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "UserError";
    this.code = details.code;
    this.place = details.place;
    this.remedy = details.remedy;
  }
}

/** The work was stopped on request; not a failure. */
export class Cancelled extends Error {
  constructor(message = "The work was stopped on request.") {
    super(message);
    this.name = "Cancelled";
  }
}

/** A promise the code makes to itself does not hold: a defect of Spectune, not of the input. */
export class InternalError extends Error {
  constructor(message: string) {
    super(`Internal error: ${message}`);
    this.name = "InternalError";
  }
}

/** Throws {@link InternalError} unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (condition === false || condition === undefined || condition === null)
    throw new InternalError(message);
}

/** Element `index` of `list`; a missing one is an {@link InternalError}. */
export function at<T>(list: ArrayLike<T>, index: number): T {
  const value = list[index];
  if (value === undefined)
    throw new InternalError(`index ${index} is outside a list of ${list.length}`);
  return value;
}

/** What something thrown says: not everything that is thrown is an error. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** `file:line:column`, as far as the place knows them. */
export function formatPlace(place: Place): string {
  const line = place.line === undefined ? "" : `:${place.line}`;
  const column = place.column === undefined ? "" : `:${place.column}`;
  return `${place.file}${line}${column}`;
}
