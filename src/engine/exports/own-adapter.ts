/** @file An adapter folder of our own form, for methods that neither peft nor merged weights can hold. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { methodField } from "../../shared/experiment/fields/method.ts";
import { readExperiment } from "../../shared/experiment/normalise.ts";
import { plainFields } from "../../shared/experiment/plain.ts";
import { isRecord } from "../../shared/wire.ts";
import { catalogFields } from "../catalog.ts";
import type { Task } from "../models/architecture.ts";
import type { Factors } from "../network/factors.ts";
import type { Parameters } from "../network/parameters.ts";
import { writeFolderAtomic } from "../runs/atomic.ts";
import { isUnreachable } from "../runs/file-errors.ts";
import { writeWeights } from "../train/run-state.ts";
import type { ResolvedModel } from "../weights/hub-cache.ts";

/** What the folder says beside its tensors. */
export type OwnAdapter = Pick<Experiment, "model" | "task" | "method"> & {
  /** Of the experiment: factors that are not stored are drawn from it. */
  readonly seed: number;
};

export interface OwnAdapterParts {
  readonly task: Task;
  readonly method: Experiment["method"];
  readonly seed: number;
  readonly reference: ResolvedModel;
  readonly parameters: Parameters;
  readonly factors: Factors;
}

/** The file that tells such a folder from others. */
export const ownAdapterFile = "spectune_adapter.json";

/** Writes the adapter into `folder`, replacing one that is there: its method as an experiment says it, and what trained. */
export async function writeOwnAdapter(parts: OwnAdapterParts, folder: string): Promise<void> {
  const { hubId, folder: base, snapshot, revision } = parts.reference;
  const plain = plainFields({ method: methodField(catalogFields) }, { method: parts.method });
  const said = {
    format: "spectune-adapter",
    version: 1,
    model: { id: hubId ?? base, revision: (hubId && (snapshot ?? revision)) ?? null },
    task: parts.task,
    seed: parts.seed,
    ...plain,
  };
  await writeFolderAtomic(folder, async (temporary) => {
    await writeFile(join(temporary, ownAdapterFile), `${JSON.stringify(said, null, 2)}\n`);
    await writeWeights(temporary, parts);
  });
}

/** What such a folder says; undefined where it is none. A {@link UserError} where it says nothing that is known. */
export async function readOwnAdapter(folder: string): Promise<OwnAdapter | undefined> {
  const file = join(folder, ownAdapterFile);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
  const json = parsed(text);
  const { model, task, seed, method } = json ?? {};
  const asFile = {
    version: 1,
    model,
    task,
    data: { train: "none.jsonl" },
    method,
    train: { seed },
  };
  const { experiment, findings } = readExperiment({
    file,
    text: JSON.stringify(asFile),
    catalog: catalogFields,
  });
  const [fault] = findings.filter(({ severity }) => severity === "error");
  if (experiment && !fault && json?.["version"] === 1)
    return {
      model: experiment.model,
      task: experiment.task,
      method: experiment.method,
      seed: experiment.train.seed,
    };
  throw new UserError({
    code: "malformed-adapter-config",
    message: `${file} says nothing that is understood here${fault ? `: ${fault.message}` : "."}`,
    place: { file },
    remedy: "Export the adapter again with this version.",
  });
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}
