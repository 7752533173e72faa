/** @file What is wrong with something, as a list: where, what, how to mend it. */
import type { Finding } from "../../src/shared/findings.ts";
import { element } from "./dom.ts";

/** Nothing where there is nothing to say. */
export function findingsElement(findings: readonly Finding[]): HTMLElement | undefined {
  if (findings.length === 0) return undefined;
  return element(
    "ul",
    { class: "findings" },
    ...findings.map(({ severity, message, remedy, place }) =>
      element(
        "li",
        { class: severity },
        place?.line === undefined ? undefined : element("code", { text: `${place.line}: ` }),
        remedy === undefined ? message : `${message} ${remedy}`,
      ),
    ),
  );
}
