/** @file What is typed into the list of quantizers: its words, and what is wrong with one of them. */
import { nearest } from "../../../src/shared/experiment/nearest.ts";
import type { Say } from "../../shared/say.ts";

/** `nf4, gptq:3` as two words. */
export function wordsOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);
}

export interface WrongWord {
  readonly word: string;
  readonly kind: "none" | "name" | "number";
  /** The name that may be meant. */
  readonly near?: string;
}

/** The first word that names no quantizer, or whose bits or group are no whole number. `int3` is `rtn:3`. */
export function wrongWord(
  words: readonly string[],
  known: readonly string[],
): WrongWord | undefined {
  if (words.length === 0) return { word: "", kind: "none" };
  for (const word of words) {
    const [name = "", ...numbers] = word.split(":");
    if (!known.includes(name) && !/^int[2-8]$/.test(name)) {
      const near = nearest(name, known);
      return { word: name, kind: "name", ...(near === undefined ? {} : { near }) };
    }
    if (numbers.length > 2 || numbers.some((number) => !/^[1-9]\d*$/.test(number)))
      return { word, kind: "number" };
  }
  return undefined;
}

export function problemText({ word, kind, near }: WrongWord, say: Say): string {
  if (kind === "none") return say("Name at least one quantizer.");
  if (kind === "number")
    return say("{0} is not of the form NAME:BITS:GROUP with whole numbers.", word);
  return near === undefined
    ? say("There is no quantizer {0}.", word)
    : say("There is no quantizer {0}; did you mean {1}?", word, near);
}
