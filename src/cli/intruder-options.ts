/** @file Options that say what an intruder dimension is. */
import type { IntruderOptions } from "../engine/analyze/finding.ts";
import type { Arguments, Options } from "./define.ts";
import { wrong } from "./wrong-arguments.ts";

export const thresholdOptions = {
  threshold: {
    type: "string",
    value: "NUMBER",
    doc: "ε: a vector whose largest cosine with the base's stays below it is an intruder (default 0.5).",
  },
  top: {
    type: "string",
    value: "COUNT|SHARE",
    doc: "How many of the strongest vectors are looked at: 10 (the default), or a share such as 5%.",
  },
  reference: {
    type: "string",
    value: "WORD",
    doc: "base (as stored, the default) or official-fp16 (the base rounded to float16 first).",
  },
  exact: {
    type: "boolean",
    doc: "The exact cosine of every vector, from a full SVD of the base.",
  },
} as const satisfies Options;

/** What was said, over the defaults. */
export function intruderOptions(args: Arguments): Partial<IntruderOptions> {
  const reference = args.text("reference") ?? "base";
  if (reference !== "base" && reference !== "official-fp16")
    throw wrong(args, `--reference is base or official-fp16, not ${reference}.`);
  return {
    epsilon: epsilonOf(args),
    k: topOf(args),
    reference,
    exact: args.flag("exact"),
  };
}

function epsilonOf(args: Arguments): number {
  const text = args.text("threshold") ?? "0.5";
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 1) return value;
  throw wrong(args, `--threshold takes a number above 0 and up to 1, not ${text}.`);
}

function topOf(args: Arguments): IntruderOptions["k"] {
  const text = args.text("top") ?? "10";
  const [, share] = /^(\d+(?:\.\d+)?)\s*%$/.exec(text) ?? [];
  if (share !== undefined && Number(share) > 0 && Number(share) <= 100)
    return { share: Number(share) / 100 };
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw wrong(args, `--top takes a count such as 10, or a share such as 5%, not ${text}.`);
}
