/** @file What is wrong with a document, as a command line says it: each thing with its file, line and column. */
import type { FilePlace, Fix } from "../../src/shared/experiment/findings.ts";
import { placeOf } from "../../src/shared/experiment/findings.ts";
import { source } from "../../src/shared/experiment/tree.ts";
import type { Finding } from "../../src/shared/findings.ts";
import type { Analysis } from "./analysis.ts";
import { diagnose } from "./diagnostics.ts";

export interface DocumentFinding extends Finding {
  readonly place: FilePlace;
  /** The likeliest. */
  readonly fix?: Fix;
}

/** The same as an editor marks, without what comments silence; those of the document itself first, in its order. */
export function findingsOf(analysis: Analysis): readonly DocumentFinding[] {
  const text = source(analysis.file, analysis.text);
  return diagnose(analysis)
    .map(({ code, severity, message, remedy, start, end, fixes, origin }) => {
      const said = origin ?? { message, fixes, place: placeOf({ source: text, start, end }) };
      const [fix] = said.fixes;
      return {
        code,
        severity,
        message: said.message,
        place: said.place,
        ...(remedy !== undefined && { remedy }),
        ...(fix !== undefined && { fix }),
      };
    })
    .toSorted((a, b) => rankOf(a, analysis) - rankOf(b, analysis));
}

function rankOf({ place }: DocumentFinding, { file }: Analysis): number {
  return place.file === file ? 0 : 1;
}
