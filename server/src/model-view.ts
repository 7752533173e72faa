/** @file A model as checks and completion see it: an architecture that trains here, or what headers tell of any other. */
import type { LinearSpec, Model, Task } from "../../src/engine/models/architecture.ts";
import { readModel } from "../../src/engine/models/registry.ts";
import type { Finding } from "../../src/shared/findings.ts";
import type { ModelFacts } from "./facts.ts";

export interface ModelView {
  readonly facts: ModelFacts;
  /** Absent where the architecture, or the task with it, does not train here. */
  readonly model: Model | undefined;
  /** What config.json has that keeps the model from being trained. */
  readonly findings: readonly Finding[];
  /** In the form in which target names are looked up. */
  readonly blocks: readonly { readonly linears: readonly LinearSpec[] }[];
  readonly headModule?: string;
  /** Names of the linear layers in `blocks`: one list, so that answers about it can be kept. */
  readonly sites: readonly string[];
  /** Names of all modules that hold weights. */
  readonly modules: readonly string[];
  readonly layers: number | undefined;
  /** Longest sequence that its positions allow. */
  readonly maxLength: number | undefined;
}

const views = new WeakMap<ModelFacts, Map<Task, ModelView>>();

/** The view of a model for a task, made once. */
export function viewModel(facts: ModelFacts, task: Task): ModelView {
  const known = views.get(facts) ?? new Map<Task, ModelView>();
  views.set(facts, known);
  const view = known.get(task) ?? makeView(facts, task);
  known.set(task, view);
  return view;
}

function makeView(facts: ModelFacts, task: Task): ModelView {
  const { value: model, findings } = readModel(facts.config, "config.json", task);
  const blocks = model?.blocks ?? [{ linears: linearsOf(facts) }];
  const modules = [...new Set([...facts.tensors.keys()].map(moduleOf))];
  return {
    facts,
    model,
    findings,
    blocks,
    sites: blocks.flatMap(({ linears }) => linears.map(({ module }) => module)),
    ...(model?.headModule !== undefined && { headModule: model.headModule }),
    modules,
    layers:
      model?.sizes.layers ?? configNumber(facts, ["num_hidden_layers", "n_layer", "num_layers"]),
    maxLength:
      model?.sizes.maxLength ?? configNumber(facts, ["max_position_embeddings", "n_positions"]),
  };
}

/** Matrices that are no embedding, as the names of their tensors tell. */
function linearsOf({ tensors }: ModelFacts): readonly LinearSpec[] {
  return [...tensors].flatMap(([name, { shape }]) => {
    const [out, width] = shape;
    if (!name.endsWith(".weight") || shape.length !== 2 || out === undefined || width === undefined)
      return [];
    const module = moduleOf(name);
    const last = module.slice(module.lastIndexOf(".") + 1);
    if (/emb|^wte$|^wpe$|norm|^shared$/i.test(last)) return [];
    const bias = tensors.has(`${module}.bias`);
    const linear = { name: module, module, in: width, out, bias };
    return [
      /^(?:lm_head|embed_out|score|classifier)$/.test(last) ? { ...linear, head: true } : linear,
    ];
  });
}

/** `a.b.weight` belongs to `a.b`. */
function moduleOf(tensor: string): string {
  const dot = tensor.lastIndexOf(".");
  return dot < 0 ? tensor : tensor.slice(0, dot);
}

function configNumber({ config }: ModelFacts, names: readonly string[]): number | undefined {
  if (typeof config !== "object" || config === null) return undefined;
  for (const [name, value] of Object.entries(config))
    if (names.includes(name) && typeof value === "number") return value;
  return undefined;
}
