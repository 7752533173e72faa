/** @file One reading of a document: what it says, what the experiment is, and what is known of the things it names. */
import { catalogFields } from "../../src/engine/catalog.ts";
import type { CatalogFields } from "../../src/shared/experiment/fields/catalog-fields.ts";
import type { Provider } from "../../src/shared/experiment/extends.ts";
import { documentField } from "../../src/shared/experiment/fields/experiment-fields.ts";
import type { Experiment } from "../../src/shared/experiment/fields/experiment-fields.ts";
import { collector } from "../../src/shared/experiment/findings.ts";
import { readText } from "../../src/shared/experiment/located.ts";
import type { Normalised } from "../../src/shared/experiment/normalise.ts";
import { readExperiment } from "../../src/shared/experiment/normalise.ts";
import { folderOf, join } from "../../src/shared/experiment/paths.ts";
import type { MapNode, Path } from "../../src/shared/experiment/tree.ts";
import { nodeAt } from "../../src/shared/experiment/tree.ts";
import type { Field } from "../../src/shared/schema.ts";
import type { Facts, Known } from "./facts.ts";
import { valueOf } from "./facts.ts";
import type { ModelView } from "./model-view.ts";
import { viewModel } from "./model-view.ts";

/** A version of a document's text. */
export interface TextVersion {
  /** Absolute path, with `/`. */
  readonly file: string;
  readonly text: string;
  /** `field=value` from a command line, which go before what the files say. */
  readonly overrides?: readonly string[];
}

export interface Analysis extends TextVersion {
  readonly facts: Facts;
  /** Folder that the document's paths are relative to. */
  readonly base: string;
  readonly catalog: CatalogFields;
  /** The declaration of the whole document. */
  readonly root: Field<unknown>;
  readonly normalised: Normalised;
  /** The experiment with every default written out, where nothing without a default is missing. */
  readonly experiment: Experiment | undefined;
  readonly model: Known<ModelView>;
  /** Path of the training data, absolute. */
  readonly trainFile: string | undefined;
  /** The document as it is written: foreign names, short forms and all. */
  readonly written: () => MapNode;
  /** A path of the experiment as an absolute one. */
  readonly resolve: (path: string) => string;
}

/** Reads a document. Never throws on what the text says; what is not known yet is left out. */
export function analyse(
  { file, text, overrides = [] }: TextVersion,
  facts: Facts,
  catalog = catalogFields,
): Analysis {
  const provider: Provider = (path) => {
    const known = facts.text(path);
    if (known.state !== "absent" || !["not-utf8", "no-experiment"].includes(known.why.code))
      return valueOf(known);
    return { is: known.why.message, remedy: known.why.remedy ?? "" };
  };
  const normalised = readExperiment({ file, text, catalog, provider, overrides });
  const { experiment } = normalised;
  const base = folderOf(file);
  let written: MapNode | undefined;
  return {
    file,
    text,
    facts,
    base,
    catalog,
    root: documentField(catalog),
    normalised,
    experiment,
    model: modelOf(normalised, base, facts),
    trainFile: trainFileOf(normalised, base),
    written() {
      written ??= readText(file, text, collector().report).root;
      return written;
    },
    resolve: (path) => join(base, path),
  };
}

/** A half-typed document is no experiment yet, and says which model it is about all the same. */
function modelOf(
  { experiment, document }: Normalised,
  base: string,
  facts: Facts,
): Known<ModelView> {
  const id = experiment?.model.id ?? textAt(document, ["model", "id"]);
  if (id === undefined || id === "") return { state: "pending" };
  const revision = experiment?.model.revision ?? textAt(document, ["model", "revision"]) ?? null;
  const labels = textAt(document, ["task"]) === "sequence-classification";
  const task = experiment?.task ?? (labels ? "sequence-classification" : "causal-lm");
  const found = facts.model(id, revision, base);
  if (found.state !== "known") return found;
  return { state: "known", value: viewModel(found.value, task) };
}

function trainFileOf({ experiment, document }: Normalised, base: string): string | undefined {
  const file = experiment?.data.train ?? textAt(document, ["data", "train"]);
  return file === undefined ? undefined : join(base, file);
}

function textAt(document: MapNode, path: Path): string | undefined {
  const node = nodeAt(document, path);
  return node?.kind === "text" ? node.value : undefined;
}
