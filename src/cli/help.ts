/** @file The help texts, made from the commands' own declarations. */
import type { Command } from "./define.ts";

export function overview(commands: readonly Command[]): string {
  return [
    "spectune COMMAND [ARGUMENTS]",
    "",
    ...aligned(commands.map(({ name, summary }) => [name, summary])),
    "",
    "`spectune help COMMAND` tells more.",
    "",
  ].join("\n");
}

export function commandHelp({ name, usage, summary, options, shown = {} }: Command): string {
  const entries = Object.entries(options).map(
    ([option, { doc, value, type }]) =>
      [`--${option}${type === "string" ? ` ${value ?? "VALUE"}` : ""}`, doc] as const,
  );
  const meanings = aligned(Object.entries(shown));
  return [
    `spectune ${name} ${usage}`,
    "",
    summary,
    ...(entries.length > 0 ? ["", ...aligned(entries)] : []),
    ...(meanings.length > 0 ? ["", "Its table:", ...meanings] : []),
    "",
  ].join("\n");
}

function aligned(entries: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(0, ...entries.map(([left]) => left.length));
  return entries.map(([left, doc]) => `  ${left.padEnd(width)}  ${doc}`);
}
