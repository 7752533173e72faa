/** @file Any adapter folder beside its base: peft's LoRA and IA³ without the architecture, other types and our own form by the catalog. */
import { join } from "node:path";
import { InternalError, invariant } from "../../shared/errors.ts";
import { isRecord } from "../../shared/wire.ts";
import type { SideRecord } from "../../shared/analysis-documents.ts";
import { fillFromAdapter, openAdapter, placeOpenAdapter } from "../adapters/load-peft.ts";
import { isOtherConfig } from "../adapters/other-config.ts";
import { readOwnAdapter } from "../exports/own-adapter.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import { wordTable } from "../models/word-table.ts";
import { createFactors } from "../network/factors.ts";
import { createParameters } from "../network/parameters.ts";
import { noState } from "../optimizers/define.ts";
import type { OpenModel } from "../session/open-model.ts";
import { openModel, readJson } from "../session/open-model.ts";
import type { PlaceStartParts } from "../session/start-places.ts";
import { startPlaces } from "../session/start-places.ts";
import { setUpModel } from "../session/set-up.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import type { ModelPlaces } from "../weights/hub-cache.ts";
import { throwErrors } from "../weights/read-errors.ts";
import { methodSide } from "./method-side.ts";
import type { ModelFolder } from "./model-folder.ts";
import { plainName } from "./names.ts";
import { runCheckpoint } from "./run-checkpoint.ts";
import { readMatrix } from "./stored-matrix.ts";
import type { AdapterContext } from "./tuned-adapter.ts";
import { tunedAdapter } from "./tuned-adapter.ts";
import type { TunedSide } from "./tuned-side.ts";

export async function adapterSide(
  folder: string,
  base: ModelFolder,
  places: ModelPlaces,
  ctx: AdapterContext,
  origin: Partial<SideRecord>,
): Promise<TunedSide> {
  const record: SideRecord = { kind: "adapter", path: folder, ...origin };
  const own = await readOwnAdapter(folder);
  if (own) {
    const by = { ...own, reference: { id: base.path }, quantization: null };
    return runCheckpoint(folder, by, places, ctx.fullMatch, record);
  }
  const config = await unlessMissing(readJson(join(folder, adapterFiles.config)));
  if (isOtherConfig(config) && isRecord(config) && config["peft_type"] !== "IA3")
    return otherType(folder, base, places, ctx, record);
  return tunedAdapter(folder, base, ctx, origin);
}

/** By the method of the catalog that peft's type is; its tensors are read whole. */
async function otherType(
  folder: string,
  base: ModelFolder,
  places: ModelPlaces,
  { fullMatch }: AdapterContext,
  record: SideRecord,
): Promise<TunedSide> {
  const adapter = await openAdapter(folder);
  const { config, source, labels } = adapter;
  try {
    const outputs =
      labels === undefined
        ? undefined
        : { labels, target: labels === 1 ? ("values" as const) : ("classes" as const) };
    const task = config.task ?? "causal-lm";
    const opened = await openModel({ id: base.path }, task, places, outputs);
    await opened.source.close();
    const placed = placeOpenAdapter(adapter, opened.model, fullMatch);
    const method = [placed.choice];
    const { value: setup, findings } = setUpModel(
      opened.model,
      { method, quantization: null },
      opened.source.tensors,
      fullMatch,
    );
    throwErrors(findings);
    const parameters = createParameters(setup.trained, noState);
    const factors = createFactors(setup.factors);
    // What is computed from the base is no part of an adapter: the rows of a table before they trained.
    if ([...setup.setups.values()].some(({ places: own }) => own?.has("rows")))
      await startPlaces({
        ...{ setup, parameters, factors, base: await wordsOf(opened, base) },
        ...{ tokenize: never, random: never },
      });
    await fillFromAdapter(placed, source, parameters, factors);
    return methodSide({
      ...{ record, method, setup, whole: new Map(), findings: adapter.findings },
      read(name) {
        const trained = parameters.all.get(name);
        const own = trained && { name, shape: trained.shape, data: trained.weight, stored: true };
        return Promise.resolve(own ?? factors.all.get(name));
      },
      close: () => Promise.resolve(),
    });
  } finally {
    await source.close();
  }
}

/** The table of words, for what starts from its rows. */
async function wordsOf({ model }: OpenModel, base: ModelFolder): Promise<PlaceStartParts["base"]> {
  const { source } = wordTable(model);
  const stored = base.matrices.get(plainName(source));
  invariant(stored, `a model that was opened has ${source}`);
  const { columns, data } = (await readMatrix(stored)).W;
  return {
    rows(_, ids, into) {
      for (const [row, id] of ids.entries())
        into.set(data.subarray(id * columns, (id + 1) * columns), row * columns);
    },
    decode: never,
  };
}

function never(): never {
  throw new InternalError("rows of a table start from nothing but the table");
}
