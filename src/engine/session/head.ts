/** @file Fits a classification head and the labels of the data to one another. */
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { isRecord } from "../../shared/wire.ts";
import type { LabelTarget } from "../data/examples/label-column.ts";
import { allTensors } from "../models/all-tensors.ts";
import type { HeadOutputs, Model } from "../models/architecture.ts";
import { readModel } from "../models/registry.ts";
import { throwErrors } from "../weights/read-errors.ts";
import type { OpenModel } from "./open-model.ts";
import { storedName } from "../models/stored-tensor.ts";

type Opened = Pick<OpenModel, "model" | "source" | "config" | "resolved">;

/** Names that transformers makes up where nobody gave any. */
const madeUp = /^LABEL_\d+$/;

/**
 * The labels that a checkpoint's own head was trained on, in the order of its outputs; undefined where it has no
 * head, or nobody named them.
 */
export function labelsOfHead(opened: Opened): readonly string[] | undefined {
  const names = isRecord(opened.config) ? opened.config["id2label"] : undefined;
  if (!hasOwnHead(opened) || opened.model.target !== "classes" || !isRecord(names))
    return undefined;
  const labels = Array.from({ length: opened.model.labels ?? 0 }, (_, id) => String(names[id]));
  return labels.some((label) => madeUp.test(label)) ? undefined : labels;
}

/** The model with a head for the data's labels; one that the checkpoint brings must fit them. */
export function withHeadFor(opened: Opened, target: LabelTarget | undefined): Model {
  const { model } = opened;
  if (target === undefined || model.headModule === undefined) return model;
  const outputs = outputsFor(target);
  if (model.labels === outputs.labels && model.target === outputs.target) return model;
  if (!hasOwnHead(opened)) return withOutputs(opened, outputs);
  // Numbers stand for outputs; not all of them need occur in the data.
  const fits =
    target.kind === "class" &&
    model.target === "classes" &&
    outputs.labels <= (model.labels ?? 0) &&
    target.names.every((name) => /^\d+$/.test(name));
  if (fits) return model;
  throw otherHead(opened, outputs);
}

function outputsFor(target: LabelTarget): HeadOutputs {
  return target.kind === "class"
    ? { labels: target.names.length, target: "classes" }
    : { labels: 1, target: "values" };
}

function hasOwnHead({ model, source }: Opened): boolean {
  const head = allTensors(model).filter((tensor) =>
    tensor.source.startsWith(`${model.headModule}.`),
  );
  return head.some((tensor) => storedName(model, source.tensors, tensor) !== undefined);
}

function withOutputs({ model, config, resolved }: Opened, outputs: HeadOutputs): Model {
  const { value, findings } = readModel(
    config,
    join(resolved.folder, "config.json"),
    model.task,
    outputs,
  );
  throwErrors(findings);
  return value ?? model;
}

function otherHead({ model, resolved }: Opened, { labels, target }: HeadOutputs): UserError {
  const said = (count: number, of: string): string =>
    of === "values" ? "a number" : `one of ${count} labels`;
  return new UserError({
    code: "head-does-not-fit",
    message: `The checkpoint's head predicts ${said(model.labels ?? 0, model.target)}; the data ask for ${said(labels, target)}.`,
    place: { file: resolved.folder, field: model.headModule ?? "" },
    remedy:
      "List the head's labels in data.labels, mend data.problem_type, or begin with the base model, whose head starts anew.",
  });
}
