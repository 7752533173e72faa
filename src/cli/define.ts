/** @file What a command states: its words, its options, and what it does with a console. */
import type { ParseArgsConfig } from "node:util";

/** One option of a command, as `node:util` parses it, with what help says. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  readonly short?: string;
  readonly doc: string;
  /** What stands for the value in help, such as `FILE`. */
  readonly value?: string;
}

export type Options = Readonly<Record<string, OptionSpec>>;

/** Option values by name: text, several texts, or a flag. */
export interface Arguments {
  /** The command's name. */
  readonly command: string;
  readonly positionals: readonly string[];
  text(option: string): string | undefined;
  texts(option: string): readonly string[];
  flag(option: string): boolean;
}

/** Where a command reads and writes. */
export interface Console {
  /** For results. */
  out(text: string): void;
  /** For everything beside results: progress, warnings. */
  err(text: string): void;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether `err` is a terminal that a progress bar can be drawn on. */
  readonly interactive: boolean;
  readonly columns: number;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** After the command's name: `FILE [--json]`. */
  readonly usage: string;
  /** How many positionals there must and may be. */
  readonly positionals: { readonly min: number; readonly max: number };
  readonly options: Options;
  /** What the columns or rows of its tables mean, where their titles do not say it. */
  readonly shown?: Readonly<Record<string, string>>;
  /** Exit code 0, or 1 where the work was done and failed. Input errors are thrown as `UserError`. */
  run(args: Arguments, console: Console): Promise<0 | 1>;
}

export const jsonOption = {
  type: "boolean",
  doc: "Print JSON for machines instead of text.",
} as const;

/** The form in which `node:util` takes options. */
export function parseConfig(options: Options): NonNullable<ParseArgsConfig["options"]> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, multiple = false, short }]) => [
      name,
      { type, multiple, ...(short === undefined ? {} : { short }) },
    ]),
  );
}
