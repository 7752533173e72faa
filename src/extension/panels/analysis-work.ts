/** @file What analysis panels share: the documents of what is looked at, and one command at a time that makes them. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import type { AnalysisDocument, WorkEnd, WorkProgress } from "../../shared/analysis.ts";
import { messageOf } from "../../shared/errors.ts";
import { json } from "../../shared/wire.ts";
import { isProblem, parseJson } from "../../shared/wire.ts";
import { callCommandLine } from "../call.ts";
import { reasonOf } from "../reason.ts";
import type { Runtime } from "../runtime.ts";
import type { WorkbenchClient } from "../workbench-client.ts";

export interface AnalysisWork {
  /** What has been written, by kind: `spectra`, `intruders`, …; all of them without one. */
  readonly documents: (kinds: readonly string[]) => Promise<readonly AnalysisDocument[]>;
  readonly working: () => boolean;
  /** Begins `spectune …args --json`; its output becomes the document of that name. */
  readonly begin: (name: string, args: readonly string[]) => void;
  readonly cancel: () => void;
}

export interface WorkEvents {
  readonly progress: (progress: WorkProgress) => void;
  readonly ended: (end: WorkEnd) => void;
  readonly changed: () => void;
}

/** Documents of a run lie in its `analysis` folder; those of anything else beside the runs, by its path's hash. */
export function analysisWork(
  workbench: WorkbenchClient,
  runtime: () => Runtime,
  subject: string,
  isRun: boolean,
  events: WorkEvents,
): AnalysisWork {
  let running: vscode.CancellationTokenSource | undefined;
  const folder = async (): Promise<string> => {
    if (isRun) return join(subject, "analysis");
    const spectune = await workbench.ask("spectuneFolder", { file: join(subject, "x") });
    const hash = createHash("sha256").update(subject).digest("hex").slice(0, 12);
    return join(spectune, "analysis", `${basename(subject)}-${hash}`);
  };
  const work = async (name: string, args: readonly string[], token: vscode.CancellationToken) => {
    const { code, output, errors } = await callCommandLine(runtime(), {
      args: [...args, "--json"],
      cwd: dirname(subject),
      token,
      onProgress: (text) => events.progress(progressOf(text)),
    });
    if (token.isCancellationRequested) return { cancelled: true };
    if (code !== 0) return { error: reasonOf(errors) };
    const target = await folder();
    await mkdir(target, { recursive: true });
    const file = join(target, `${name}.json`);
    await writeFile(`${file}.tmp`, output);
    await rename(`${file}.tmp`, file);
    return {};
  };
  return {
    documents: async (kinds) => {
      const place = await folder();
      const names = (await readdir(place).catch(() => []))
        .filter((name) => name.endsWith(".json"))
        .filter((name) => kinds.some((kind) => name.startsWith(kind)));
      const found = await Promise.all(
        names.toSorted().map((name) => documentOf(join(place, name))),
      );
      return found.flat();
    },
    working: () => running !== undefined,
    begin: (name, args) => {
      if (!vscode.workspace.isTrusted)
        throw new Error(vscode.l10n.t("This needs a trusted workspace: it runs a model."));
      if (running !== undefined) throw new Error(vscode.l10n.t("It is still computing."));
      const source = new vscode.CancellationTokenSource();
      running = source;
      work(name, args, source.token)
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
  const value = json(parseJson(await readFile(file, "utf8")), "");
  if (isProblem(value)) return [];
  return [{ file, modified: (await stat(file)).mtimeMs, json: value }];
}

/** A line such as `spectra 12/84 (34 s left)`. */
function progressOf(text: string): WorkProgress {
  const [, done, total] = /(\d+)\s*\/\s*(\d+)/.exec(text) ?? [];
  return done === undefined || total === undefined || Number(total) === 0
    ? { text }
    : { text, share: Number(done) / Number(total) };
}
