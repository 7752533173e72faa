/** @file Errors on their way from the engine's thread to the main thread. */
import { Cancelled, InternalError, UserError } from "../../shared/errors.ts";
import type { SentError } from "./messages.ts";

export function sendable(error: unknown): SentError {
  if (error instanceof UserError)
    return {
      kind: "user",
      code: error.code,
      message: error.message,
      place: error.place,
      remedy: error.remedy,
    };
  const kind = error instanceof Cancelled ? "cancelled" : "internal";
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    kind,
    code: kind === "internal" ? "internal-error" : "cancelled",
    message,
    place: undefined,
    remedy: undefined,
  };
}

export function received({ kind, code, message, place, remedy }: SentError): Error {
  if (kind === "user")
    return new UserError({
      code,
      message,
      ...(place ? { place } : {}),
      ...(remedy === undefined ? {} : { remedy }),
    });
  return kind === "cancelled" ? new Cancelled() : new InternalError(message);
}
