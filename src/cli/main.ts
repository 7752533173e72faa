/** @file The command line: finds the command, parses its arguments, and turns errors into messages and exit codes. */
import process from "node:process";
import { parseArgs } from "node:util";
import { Cancelled, UserError } from "../shared/errors.ts";
import { nearest } from "../shared/experiment/nearest.ts";
import { commands } from "./commands.ts";
import type { Arguments, Command, Console } from "./define.ts";
import { parseConfig } from "./define.ts";
import { commandHelp, overview } from "./help.ts";
import { messageText } from "./message-text.ts";
import { version } from "./version.ts";

/** Runs the command line; resolves to the exit code: 0 done, 1 the work failed, 2 the input is wrong, 130 stopped. */
export async function main(argv: readonly string[], console: Console): Promise<number> {
  try {
    return await dispatch(argv, console);
  } catch (error) {
    return report(error, console);
  }
}

async function dispatch(argv: readonly string[], console: Console): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    const [asked] = rest;
    const about = commands.find((command) => command.name === asked);
    if (asked !== undefined && !about) throw unknownCommand(asked);
    console.out(about ? commandHelp(about) : overview(commands));
    return name === undefined ? 2 : 0;
  }
  if (name === "--version" || name === "-v" || name === "version") {
    console.out(`${version}\n`);
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) throw unknownCommand(name);
  if (rest.includes("--help") || rest.includes("-h")) {
    console.out(commandHelp(command));
    return 0;
  }
  return command.run(parse(command, rest), console);
}

function parse(command: Command, argv: readonly string[]): Arguments {
  const { values, positionals, tokens } = parsed(command, argv);
  refuseRepeated(command, tokens);
  const { min, max } = command.positionals;
  if (positionals.length < min || positionals.length > max)
    throw new UserError({
      code: "wrong-arguments",
      message: `spectune ${command.name} takes ${min === max ? `${min}` : `${min} to ${max}`} argument${max === 1 ? "" : "s"}, not ${positionals.length}.`,
      remedy: `Usage: spectune ${command.name} ${command.usage}`,
    });
  const value = (name: string): unknown => values[name];
  return {
    command: command.name,
    positionals,
    text(name) {
      const found = value(name);
      return typeof found === "string" ? found : undefined;
    },
    texts(name) {
      const found = value(name);
      return Array.isArray(found) ? found.map(String) : [];
    },
    flag: (name) => value(name) === true,
  };
}

interface Parsed {
  readonly values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
  readonly tokens: readonly { readonly kind: string; readonly name?: string }[];
}

function parsed(command: Command, argv: readonly string[]): Parsed {
  try {
    return parseArgs({
      args: withNumbers(command, argv),
      options: parseConfig(command.options),
      allowPositionals: true,
      tokens: true,
    });
  } catch (error) {
    const [said = ""] = error instanceof Error ? error.message.split(/\. |\n/) : [String(error)];
    const wrong = /'(-[^' ]*)/.exec(said)?.[1] ?? "";
    const option = wrong.replace(/^-+/, "");
    const near = nearest(option, Object.keys(command.options));
    throw new UserError({
      code: "wrong-arguments",
      message: /ambiguous/.test(said)
        ? `spectune ${command.name}: what follows --${option} begins with a dash, as an option does.`
        : `spectune ${command.name}: ${said.replace(/\.+$/, "")}.`,
      remedy:
        near === undefined
          ? `Usage: spectune ${command.name} ${command.usage}`
          : near === option
            ? `A value that begins with a dash is written --${option}=VALUE.`
            : `Did you mean --${near}?`,
      cause: error,
    });
  }
}

/** Of an option that takes one value the last of several would be taken, without a word of the others. */
function refuseRepeated(command: Command, tokens: Parsed["tokens"]): void {
  const seen = new Set<string>();
  for (const { kind, name } of tokens) {
    const option = kind === "option" && name !== undefined ? command.options[name] : undefined;
    if (name === undefined || option?.type !== "string" || option.multiple) continue;
    if (seen.has(name))
      throw new UserError({
        code: "wrong-arguments",
        message: `spectune ${command.name}: --${name} is given more than once, and takes one value.`,
        remedy: `Usage: spectune ${command.name} ${command.usage}`,
      });
    seen.add(name);
  }
}

/** `--temperature -1` as `--temperature=-1`: no option begins with a number. */
function withNumbers(command: Command, argv: readonly string[]): string[] {
  const takesText = (word: string | undefined): boolean =>
    word?.startsWith("--") === true && command.options[word.slice(2)]?.type === "string";
  return argv.flatMap((word, index) => {
    const next = argv[index + 1];
    const [before, isNumber] = [argv[index - 1], /^-\.?\d/.test(word)];
    if (isNumber && takesText(before)) return [];
    return takesText(word) && next !== undefined && /^-\.?\d/.test(next)
      ? [`${word}=${next}`]
      : [word];
  });
}

function unknownCommand(name: string): UserError {
  const near = nearest(
    name,
    commands.map((command) => command.name),
  );
  return new UserError({
    code: "unknown-command",
    message: `There is no command ${name}.`,
    remedy:
      near === undefined
        ? "`spectune help` lists the commands."
        : `Did you mean ${near}? \`spectune help\` lists the commands.`,
  });
}

/** What an error means to the user, on the console; the exit code. */
function report(error: unknown, console: Console): number {
  if (error instanceof UserError) {
    console.err(messageText("error", error));
    return 2;
  }
  if (error instanceof Cancelled) {
    console.err(`${error.message}\n`);
    return 130;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  console.err(`${detail}\n`);
  console.err(
    "This is a defect of Spectune, not of your input. Please report it with the lines above.\n",
  );
  return 1;
}

/** The process's own console. */
export function processConsole(): Console {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    cwd: process.cwd(),
    env: process.env,
    interactive: process.stderr.isTTY,
    // A terminal that nobody gave a size says 0.
    columns: (process.stderr.isTTY && process.stderr.columns) || 80,
  };
}
