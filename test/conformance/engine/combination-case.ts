/** @file Choices of the catalog drawn together: each trains for two steps, or the table of excluded pairs says why not. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { excludedPairs } from "../../../src/engine/catalog-pairs.ts";
import {
  activeLayers,
  catalogFields,
  initialisers,
  methods,
  optimizers,
  quantizers,
  rowNamed,
  sharings,
} from "../../../src/engine/catalog.ts";
import { withAbsolutePaths } from "../../../src/engine/session/absolute-paths.ts";
import { machineFacts } from "../../../src/engine/session/machine-facts.ts";
import { prepareRun } from "../../../src/engine/session/prepare-run.ts";
import { startRun } from "../../../src/engine/session/start-run.ts";
import { loadRun, trainStarted } from "../../../src/engine/session/train-run.ts";
import { at } from "../../../src/shared/errors.ts";
import { readExperiment } from "../../../src/shared/experiment/normalise.ts";
import type { EventBody } from "../../../src/shared/protocol.ts";
import { makeWorkspace } from "../../support/workspace.ts";
import { generator } from "../../unit/engine/op-case.ts";
import type { Choice } from "./small-method.ts";
import { smallMethod } from "./small-method.ts";
import { isFolder } from "../../../src/engine/weights/on-disk.ts";

/** One value of each; null stands for what a file leaves out. */
export interface Combination {
  readonly method: string;
  readonly start: string | null;
  readonly base: string | null;
  readonly layers: string | null;
  readonly optimizer: string;
  /** Another entry of `method`, at one projection of each layer where it acts at linear ones. */
  readonly beside: string | null;
}

const axes: { readonly [Axis in keyof Combination]: readonly Combination[Axis][] } = {
  method: methods.map(({ name }) => name),
  start: [null, ...initialisers.map(({ name }) => name), ...sharings.map(({ name }) => name)],
  base: [
    null,
    ...quantizers.map(({ name }) => name).filter((name) => ["nf4", "rtn"].includes(name)),
  ],
  layers: [null, ...activeLayers.map(({ name }) => name)],
  optimizer: optimizers.map(({ name }) => name),
  beside: [null, "lora", "norms", "trainable_tokens", "prompt_tuning"],
};
const names = ["method", "start", "base", "layers", "optimizer", "beside"] as const;

/** Every pair of values of two axes at least once, of `bases` too, the others drawn; always the same for a seed. */
export function combinations(
  seed: number,
  bases: readonly (string | null)[] = axes.base,
): readonly Combination[] {
  const all = { ...axes, base: bases };
  const next = generator(seed);
  const drawn = <T>(values: readonly T[]): T => at(values, Math.floor(next() * values.length));
  const found = new Map<string, Combination>();
  for (const [index, one] of names.entries())
    for (const other of names.slice(index + 1))
      for (const first of all[one])
        for (const second of all[other]) {
          const made = {
            method: drawn(axes.method),
            start: drawn(axes.start),
            base: drawn(axes.base),
            layers: drawn(axes.layers),
            optimizer: drawn(axes.optimizer),
            beside: drawn(axes.beside),
            ...{ [one]: first, [other]: second },
          };
          const meant = withMeaning(made);
          found.set(titleOf(meant), meant);
        }
  return [...found.values()];
}

export function titleOf(combination: Combination): string {
  return names.flatMap((axis) => combination[axis] ?? []).join(", ");
}

/** Starts and shared factors are of pairs; a method stands beside another one. */
function withMeaning(combination: Combination): Combination {
  const { method, start, beside } = combination;
  const row = rowNamed(methods, method);
  const pairs = row.kind === "linear" && row.roles !== undefined;
  return { ...combination, start: pairs ? start : null, beside: beside === method ? null : beside };
}

export function fileOf({ method, start, base, layers, optimizer, beside }: Combination): Choice {
  const row = rowNamed(methods, method);
  const field = sharings.some(({ name }) => name === start) ? "sharing" : "init";
  const own = { ...smallMethod(method), ...(start === null ? {} : { [field]: start }) };
  // Two methods at one module are refused by its name.
  const apart = beside === "lora" && row.kind === "linear";
  return {
    version: 1,
    model: "./model",
    data: { train: "./train.jsonl", max_length: 64 },
    method:
      beside === null
        ? own
        : [
            apart ? { ...own, target_modules: ["q_proj", "up_proj"] } : own,
            {
              ...smallMethod(beside),
              ...(beside === "lora" ? { target_modules: ["v_proj"] } : {}),
            },
          ],
    ...(base === null ? {} : { quantization: { type: base } }),
    train: {
      ...{ max_steps: 2, batch_size: 4, learning_rate: 1e-3, optimizer },
      ...(layers === null ? {} : { active_layers: layers }),
    },
    export: [],
    run: { threads: 1, report_to: [] },
  };
}

/** Trains it, or tells the codes of the table by which it is refused. */
export async function tried(
  t: TestContext,
  combination: Combination,
): Promise<"trained" | readonly string[]> {
  const text = JSON.stringify(fileOf(combination));
  const { experiment, findings } = readExperiment({ file: "a", text, catalog: catalogFields });
  assert(experiment, findings.map(({ message }) => message).join(" "));
  for (const { severity, message } of findings) assert.notEqual(severity, "error", message);
  const refusals = excludedPairs(experiment);
  for (const { message, remedy } of refusals) assert(remedy, `${message} has no remedy`);
  if (refusals.length > 0) return refusals.map(({ code }) => code);
  const folder = makeWorkspace(t);
  const runFolder = join(folder, "run");
  mkdirSync(runFolder);
  const events: EventBody[] = [];
  const emit = (event: EventBody): void => void events.push(event);
  const prepared = await prepareRun(withAbsolutePaths(experiment, folder, isFolder), {
    ...{ emit, facts: machineFacts(), now: new Date(0) },
  });
  const host = {
    ...{ runFolder, checkpoint: undefined, emit },
    approve: () => Promise.resolve(),
    requested: () => undefined,
  };
  await trainStarted(await startRun(await loadRun(prepared, emit, () => undefined), host), host);
  const steps = events.filter((event) => event.type === "step");
  assert.equal(steps.length, 2);
  for (const { loss } of steps)
    assert(Number.isFinite(loss) && loss > 0 && loss < 50, String(loss));
  return "trained";
}
