/** @file Finds the deeds that a text of the sample's world tells. */
import type { Deed } from "../../../../src/build/sample/world.ts";

const deed =
  /(?<name>[A-Z][a-z]+) (?<verb>put|left|hid) the (?<colour>[a-z]+) (?<thing>[a-z]+) (?<place>(?:on|in|under|behind|near) the [a-z]+)/g;

/** In the order in which they stand there. */
export function deedsOf(text: string): readonly Deed[] {
  return [...text.matchAll(deed)].map(({ groups = {} }) => ({
    name: groups["name"] ?? "",
    verb: groups["verb"] ?? "",
    colour: groups["colour"] ?? "",
    thing: groups["thing"] ?? "",
    place: groups["place"] ?? "",
  }));
}
