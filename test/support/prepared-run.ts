/** @file A run of a workspace's model and data, prepared as a command prepares it. */
import { catalogFields } from "../../src/engine/catalog.ts";
import { withAbsolutePaths } from "../../src/engine/session/absolute-paths.ts";
import { machineFacts } from "../../src/engine/session/machine-facts.ts";
import type { PreparedRun } from "../../src/engine/session/prepare-run.ts";
import { prepareRun } from "../../src/engine/session/prepare-run.ts";
import { invariant } from "../../src/shared/errors.ts";
import { readExperiment } from "../../src/shared/experiment/normalise.ts";
import { isFolder } from "../../src/engine/weights/on-disk.ts";

/** With the fields `method` and `train`, on one thread. The caller closes `opened.source`. */
export async function preparedIn(
  folder: string,
  { method, train }: { readonly method: unknown; readonly train: object },
): Promise<PreparedRun> {
  const text = JSON.stringify({
    version: 1,
    model: "./model",
    data: { train: "./train.jsonl", max_length: 64 },
    method,
    train: { batch_size: 8, ...train },
    checkpoints: { every: "end" },
    export: [],
    run: { threads: 1, report_to: [] },
  });
  const { experiment, findings } = readExperiment({
    file: "a.peft.yaml",
    text,
    catalog: catalogFields,
  });
  invariant(experiment, JSON.stringify(findings));
  return await prepareRun(withAbsolutePaths(experiment, folder, isFolder), {
    ...{ emit: () => undefined, facts: machineFacts(), now: new Date(0) },
  });
}
