/** @file What is wrong, as the console shows it: place, kind, message and code on one line, the remedy below. */
import type { Place } from "../shared/errors.ts";
import { formatPlace } from "../shared/errors.ts";
import { printable } from "../shared/printable.ts";

/** What findings and errors have in common. */
export interface Told {
  readonly code: string;
  readonly message: string;
  readonly place: Place | undefined;
  readonly remedy: string | undefined;
}

/** `file:line:column: kind: message [code]`; a file that the message names itself is not said twice. */
export function messageText(kind: string, { code, message, place, remedy }: Told): string {
  const isNamed =
    place === undefined ||
    place.file === "" ||
    (place.line === undefined && message.includes(place.file));
  // What is given on the command line has no lines.
  const where = isNamed
    ? ""
    : `${place.file.startsWith("--set ") ? place.file : formatPlace(place)}: `;
  const advice = remedy === undefined ? "" : `  ${remedy}\n`;
  return printable(`${where}${kind}: ${message} [${code}]\n${advice}`);
}
