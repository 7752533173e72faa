/** @file `spectune queue`: experiments that wait for their turn. */
import { basename, dirname, join, resolve } from "node:path";
import { catalogFields } from "../../engine/catalog.ts";
import { createExecute } from "../../engine/queue/execute-entry.ts";
import { drainQueue } from "../../engine/queue/drain.ts";
import type { ListedEntry } from "../../engine/queue/queue-folder.ts";
import { addEntry, cancelEntry, listEntries } from "../../engine/queue/queue-folder.ts";
import { systemClock } from "../../engine/runs/ownership.ts";
import { findSpectuneFolder } from "../../engine/runs/run-folder.ts";
import { createEngineRunner } from "../../engine/sweeps/engine-runner.ts";
import { checkSweep, documentText } from "../../engine/sweeps/run-sweep.ts";
import { UserError } from "../../shared/errors.ts";
import { nearest } from "../../shared/experiment/nearest.ts";
import type { Arguments, Command, Console } from "../define.ts";
import { jsonOption } from "../define.ts";
import { table } from "../format.ts";
import { createProgress } from "../progress.ts";
import { usableDocument } from "../read-document.ts";
import { withStopSignal } from "../stop-signal.ts";
import { createSweepProgress } from "../sweep-progress.ts";
import { versions } from "../version.ts";

type Action = (args: Arguments, console: Console) => Promise<0 | 1>;

/** What the first argument may be. */
const actions: Readonly<Record<string, Action>> = { add, list, cancel, run };

const usage = "add FILE [--set key=value]… | list | cancel ENTRY… | run [--device DEVICE]";

export const queueCommand: Command = {
  name: "queue",
  summary: "Let experiments and sweeps wait for their turn, and run them one after the other.",
  usage: `${usage} [--json]`,
  positionals: { min: 1, max: 1000 },
  options: {
    set: {
      type: "string",
      multiple: true,
      value: "KEY=VALUE",
      doc: "Override a field of what is added.",
    },
    device: {
      type: "string",
      value: "DEVICE",
      doc: "Run the entries of this run.device alone; by default of all that nobody serves.",
    },
    json: jsonOption,
  },
  run(args, console) {
    const [name = ""] = args.positionals;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action !== undefined) return action(args, console);
    const near = nearest(name, Object.keys(actions));
    throw new UserError({
      code: "wrong-arguments",
      message: `spectune queue has no ${name}.`,
      remedy: near === undefined ? `Usage: spectune queue ${usage}` : `Did you mean ${near}?`,
    });
  },
};

async function add(args: Arguments, console: Console): Promise<0 | 1> {
  const [, file, ...more] = args.positionals;
  if (file === undefined || more.length > 0) throw wrongCount("add takes one experiment file");
  const normalised = usableDocument(file, args.texts("set"), console);
  checkSweep(normalised, catalogFields);
  const path = resolve(console.cwd, file);
  const id = await addEntry(await findSpectuneFolder(path), {
    name: basename(file).replace(/(\.peft)?\.ya?ml$/, ""),
    file: path,
    folder: dirname(path),
    device: normalised.experiment.run.device,
    document: documentText(normalised),
    added: Date.now(),
  });
  console.out(args.flag("json") ? `${JSON.stringify({ id })}\n` : `${id} waits\n`);
  return 0;
}

async function list(args: Arguments, console: Console): Promise<0 | 1> {
  if (args.positionals.length > 1) throw wrongCount("list takes no arguments");
  const entries = await listEntries(await here(console));
  if (args.flag("json")) console.out(`${JSON.stringify(entries.map(described))}\n`);
  else if (entries.length === 0) console.out("The queue is empty.\n");
  else
    console.out(
      table(
        [{ title: "entry" }, { title: "state" }, { title: "device" }, { title: "runs in" }],
        entries.map((entry) => [
          entry.id,
          stateText(entry),
          entry.entry?.device ?? "",
          entry.entry?.sweep ?? entry.entry?.run ?? "",
        ]),
      ),
    );
  return 0;
}

/** An entry without the experiment that it holds. */
function described({ id, state, cancelling, entry }: ListedEntry): object {
  if (entry === undefined) return { id, state, cancelling, damaged: true };
  const { name, file, device, added: addedAt, sweep, run: runId, outcome, error } = entry;
  const place = { name, file, device, added: addedAt, sweep, run: runId };
  return { id, state, cancelling, ...place, outcome, error };
}

function stateText({ state, cancelling, entry }: ListedEntry): string {
  if (entry === undefined) return "damaged";
  if (cancelling) return "to be cancelled";
  if (state !== "ended") return state;
  const { outcome = "cancelled", error } = entry;
  return error === undefined ? outcome : `${outcome}: ${error.message} [${error.code}]`;
}

async function cancel(args: Arguments, console: Console): Promise<0 | 1> {
  const [, ...references] = args.positionals;
  if (references.length === 0) throw wrongCount("cancel takes the names of entries");
  const spectuneFolder = await here(console);
  const cancelled = [];
  for (const reference of references) cancelled.push(await cancelEntry(spectuneFolder, reference));
  if (args.flag("json")) console.out(`${JSON.stringify(cancelled)}\n`);
  else
    for (const { id, was } of cancelled)
      console.out(
        was === "waiting"
          ? `${id} is cancelled\n`
          : `${id} will be stopped after its step and not be gone on with\n`,
      );
  return 0;
}

async function run(args: Arguments, console: Console): Promise<0 | 1> {
  if (args.positionals.length > 1) throw wrongCount("run takes no arguments");
  const spectuneFolder = await here(console);
  const progress = createProgress(console);
  const clock = systemClock;
  const result = await withStopSignal(console, (signal) =>
    drainQueue({
      spectuneFolder,
      device: args.text("device"),
      clock,
      signal,
      // Each sweep counts its own runs.
      execute: (entry, begun, stop) =>
        createExecute({
          spectuneFolder,
          catalog: catalogFields,
          runner: createEngineRunner({
            versions: versions(),
            onEvent: (event) => progress.event(event),
          }),
          clock,
          onRecord: createSweepProgress(console),
        })(entry, begun, stop),
      onEntry(id, { error }, change) {
        progress.close();
        const why = error === undefined ? "" : `: ${error.message} [${error.code}]`;
        console.err(`${id} ${change}${why}\n`);
      },
    }),
  );
  progress.close();
  for (const device of result.busy)
    console.err(`Entries for ${device} wait: another process serves that device.\n`);
  const { finished, failed, cancelled } = result;
  if (args.flag("json")) console.out(`${JSON.stringify(result)}\n`);
  else console.out(`${finished} finished, ${failed} failed, ${cancelled} cancelled\n`);
  return failed > 0 ? 1 : 0;
}

async function here({ cwd }: Console): Promise<string> {
  return await findSpectuneFolder(join(cwd, "x"));
}

function wrongCount(message: string): UserError {
  return new UserError({
    code: "wrong-arguments",
    message: `spectune queue ${message}.`,
    remedy: `Usage: spectune queue ${usage}`,
  });
}
