/** @file Asks the service everything about a document, for tests that only care whether it answers. */
import assert from "node:assert/strict";
import { actions } from "../../../server/src/actions.ts";
import { analyse } from "../../../server/src/analysis.ts";
import { complete } from "../../../server/src/completion.ts";
import { convertForeign } from "../../../server/src/convert.ts";
import { diagnose } from "../../../server/src/diagnostics.ts";
import type { Facts } from "../../../server/src/facts.ts";
import { formatText } from "../../../server/src/format.ts";
import { hints } from "../../../server/src/hints.ts";
import { hover } from "../../../server/src/hover.ts";
import { lenses } from "../../../server/src/lenses.ts";
import { links } from "../../../server/src/links.ts";
import { folds, outline } from "../../../server/src/outline.ts";
import { catalogFields } from "../../../src/engine/catalog.ts";
import { base } from "../../golden/server/world.ts";

/** Throws where an answer throws, or where a place lies outside of the text. */
export function askEverything(text: string, offset: number, facts: Facts): void {
  const analysis = analyse({ file: `${base}/x.peft.yaml`, text }, facts);
  const diagnostics = diagnose(analysis);
  const hovered = hover(analysis, offset);
  const places = [
    ...diagnostics,
    ...complete(analysis, offset),
    ...links(analysis),
    ...lenses(analysis),
    ...outline(analysis),
    ...(hovered === undefined ? [] : [hovered]),
    ...hints(analysis).map((hint) => ({ start: hint.offset, end: hint.offset })),
    ...actions(analysis, diagnostics, offset, offset).flatMap(({ edits }) => edits),
  ];
  for (const { start, end } of places)
    assert.ok(
      start >= 0 && start <= end && end <= text.length,
      `${start}–${end} of ${text.length}`,
    );
  for (const { startLine, endLine } of folds(analysis)) assert.ok(startLine <= endLine);
  formatText(text);
  convertForeign("x.yaml", text, catalogFields);
}
