/** @file The help texts, made from the commands' own declarations. */
import type { Command } from "./define.ts";

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    "spectune COMMAND [ARGUMENTS]",
    "",
    ...rows,
    "",
    "`spectune help COMMAND` tells more.",
    "",
  ].join("\n");
}

export function commandHelp({ name, usage, summary, options }: Command): string {
  const entries = Object.entries(options).map(
    ([option, { doc, value, type }]) =>
      [`--${option}${type === "string" ? ` ${value ?? "VALUE"}` : ""}`, doc] as const,
  );
  const width = Math.max(0, ...entries.map(([left]) => left.length));
  const rows = entries.map(([left, doc]) => `  ${left.padEnd(width)}  ${doc}`);
  return [
    `spectune ${name} ${usage}`,
    "",
    summary,
    ...(rows.length > 0 ? ["", ...rows] : []),
    "",
  ].join("\n");
}
