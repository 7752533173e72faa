/** @file An option that takes a count. */
import type { Arguments } from "./define.ts";
import { wrong } from "./lab-options.ts";

export function countOption(
  args: Arguments,
  option: string,
  { fallback, most }: { readonly fallback: number; readonly most: number },
): number {
  const text = args.text(option);
  if (text === undefined) return fallback;
  if (/^\d{1,9}$/.test(text) && Number(text) <= most) return Number(text);
  throw wrong(`--${option} takes a count from 0 to ${most}, not ${text}.`);
}
