/** @file What analysis panels share: the documents of what is looked at, and one command at a time that makes them. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import type { AnalysisDocument, WorkEnd, WorkProgress } from "../../shared/analysis.ts";
import { messageOf } from "../../shared/errors.ts";
import { isProblem, isRecord, json, parseJson } from "../../shared/wire.ts";
import { callCommandLine } from "../call.ts";
import { reasonOf } from "../reason.ts";
import type { Runtime } from "../runtime.ts";

export interface AnalysisWork {
  /** What has been written, by kind: `spectra`, `intruders`, …; all of them without one. */
  readonly documents: (kinds: readonly string[]) => Promise<readonly AnalysisDocument[]>;
  readonly working: () => boolean;
  /** Begins `spectune …args --json`. */
  readonly begin: (args: readonly string[]) => void;
  readonly cancel: () => void;
}

export interface WorkEvents {
  readonly progress: (progress: WorkProgress) => void;
  readonly ended: (end: WorkEnd) => void;
  readonly changed: () => void;
}

export interface AnalysisSubject {
  readonly folder: string;
  /** A run's documents lie in its own `analysis` folder. */
  readonly isRun: boolean;
}

/**
 * The commands write their documents themselves, and say where. For what is no run they are kept in mind by the
 * workspace: nothing else ties them to their subject.
 */
export function analysisWork(
  memory: vscode.Memento,
  runtime: () => Runtime,
  subject: AnalysisSubject,
  events: WorkEvents,
): AnalysisWork {
  let running: vscode.CancellationTokenSource | undefined;
  const key = `spectune.analysis.${subject.folder}`;
  const files = async (): Promise<readonly string[]> => {
    if (!subject.isRun) return memory.get<string[]>(key, []);
    const folder = join(subject.folder, "analysis");
    return (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
  };
  const work = async (args: readonly string[], token: vscode.CancellationToken) => {
    const { code, output, errors } = await callCommandLine(runtime(), {
      args: [...args, "--json"],
      cwd: dirname(subject.folder),
      token,
      onProgress: (text) => events.progress(progressOf(text)),
    });
    if (token.isCancellationRequested) return { cancelled: true };
    if (code !== 0) return { error: reasonOf(errors) };
    const made = filesIn(parseJson(output));
    await memory.update(key, [...new Set([...memory.get<string[]>(key, []), ...made])]);
    return {};
  };
  return {
    documents: async (kinds) => {
      const wanted = (await files())
        .filter((file) => file.endsWith(".json"))
        .filter((file) => kinds.some((kind) => basename(file).startsWith(kind)));
      return (await Promise.all(wanted.toSorted().map(documentOf))).flat();
    },
    working: () => running !== undefined,
    begin: (args) => {
      if (!vscode.workspace.isTrusted)
        throw new Error(vscode.l10n.t("This needs a trusted workspace: it runs a model."));
      if (running !== undefined) throw new Error(vscode.l10n.t("It is still computing."));
      const source = new vscode.CancellationTokenSource();
      running = source;
      work(args, source.token)
        .catch((error: unknown) => ({ error: messageOf(error) }))
        .then((end: WorkEnd) => {
          running = undefined;
          source.dispose();
          events.ended(end);
          events.changed();
        })
        .catch(() => undefined);
    },
    cancel: () => running?.cancel(),
  };
}

async function documentOf(file: string): Promise<readonly AnalysisDocument[]> {
  // It may have been deleted since.
  const value = json(parseJson(await readFile(file, "utf8").catch(() => "")), "");
  if (isProblem(value)) return [];
  return [{ file, modified: (await stat(file)).mtimeMs, json: value }];
}

/** Every `file` that a command's JSON names. */
function filesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((each: unknown) => filesIn(each));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name === "file" && typeof inner === "string") return [inner];
    // Matrices name none, and there may be many.
    return name === "matrices" ? [] : filesIn(inner);
  });
}

/** A line such as `spectra 12/84 (34 s left)`. */
function progressOf(text: string): WorkProgress {
  const [, done, total] = /(\d+)\s*\/\s*(\d+)/.exec(text) ?? [];
  return done === undefined || total === undefined || Number(total) === 0
    ? { text }
    : { text, share: Number(done) / Number(total) };
}
