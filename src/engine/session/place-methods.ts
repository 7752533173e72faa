/** @file Puts methods at the places of a model that are no linear layers. */
import type { MethodChoice } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Checked, Finding } from "../../shared/findings.ts";
import { methods, rowNamed } from "../catalog.ts";
import type { BoundPlace, PlacedMethod } from "../methods/placed.ts";
import { isPlaced } from "../methods/placed.ts";
import type { BlockSpec, Model } from "../models/architecture.ts";
import { wordModules } from "../models/word-table.ts";
import { moduleOf } from "../models/module-names.ts";
import { beforeWords } from "../network/virtual-tokens.ts";
import type { PlaceMethod } from "../programs/setup.ts";
import { blockSite, groupName } from "../programs/setup.ts";

/** Methods by the block's id and the name of their place in it. */
export type Places = ReadonlyMap<string, ReadonlyMap<string, PlaceMethod>>;

export function placeMethods(model: Model, choices: readonly MethodChoice[]): Checked<Places> {
  const places = new Map<string, Map<string, PlaceMethod>>();
  const findings: Finding[] = [];
  for (const [index, choice] of choices.entries()) {
    const row = rowNamed(methods, choice.type);
    if (!isPlaced(row)) continue;
    findings.push(...outside(model, row, choice));
    for (const { block, place, method } of placed(
      model,
      row.bind(choice.config),
      choice,
      groupName(index),
    )) {
      const own = places.get(block.id) ?? new Map<string, PlaceMethod>();
      places.set(block.id, own);
      if (own.has(place) && findings.length === 0) findings.push(twice(place, choice.type));
      own.set(place, method);
    }
  }
  findings.push(...tooLong(model, places));
  return { value: places, findings };
}

/** What stands before the words must leave room for some. */
function tooLong({ sizes }: Model, places: Places): readonly Finding[] {
  const { tokens, prefix } = beforeWords([...places.values()].map((own) => ({ places: own })));
  if (tokens + prefix < sizes.maxLength - 1) return [];
  return [
    {
      code: "prompt-exceeds-model",
      severity: "error",
      message: `${tokens + prefix} virtual tokens leave no room for words: the model takes ${sizes.maxLength} places in all.`,
      remedy: "Lower num_virtual_tokens.",
    },
  ];
}

/** Rows that the table of words does not have. */
function outside(
  { sizes }: Model,
  row: PlacedMethod,
  { config }: MethodChoice,
): readonly Finding[] {
  if (row.kind !== "rows") return [];
  const { indices } = row.bind(config);
  const index = indices.find((id) => id >= sizes.vocabulary);
  if (index === undefined) return [];
  return [
    {
      code: "token-outside-vocabulary",
      severity: "error",
      message: `token_indices names ${index}; the model's table of words has rows 0 to ${sizes.vocabulary - 1}.`,
      remedy: "Leave it out, or take a model whose table has the token.",
    },
  ];
}

const sideParts = { embedding: "enter", layer: "layer", head: "leave" } as const;

interface Placed {
  readonly block: BlockSpec;
  readonly place: string;
  readonly method: PlaceMethod;
}

function placed(
  model: Model,
  bound: BoundPlace,
  { layers_to_transform: chosen }: MethodChoice,
  group: string,
): readonly Placed[] {
  const { sizes } = model;
  const layers = model.blocks
    .filter(({ kind }) => kind === "layer")
    .filter((_, index) => chosen?.includes(index) ?? true);
  switch (bound.kind) {
    case "tokens": {
      const params = bound.params({ width: sizes.hidden });
      return model.blocks
        .filter(({ kind }) => kind === "embedding")
        .map((block) => ({ block, place: "tokens", method: { method: bound, params, group } }));
    }
    case "prefix": {
      const params = bound.params({ width: sizes.keyValueHeads * sizes.headDim });
      return layers.map((block) => ({
        block,
        place: "prefix",
        method: { method: bound, params, group },
      }));
    }
    case "rows": {
      const params = bound.params({ width: sizes.hidden });
      const tables = new Set(wordModules(model));
      const holds = ({ tensors, linears }: BlockSpec): boolean =>
        tensors.some((own) => own.role === "embedding" && tables.has(moduleOf(own.source))) ||
        linears.some(({ module }) => tables.has(module));
      return model.blocks
        .filter(holds)
        .map((block) => ({ block, place: "rows", method: { method: bound, params, group } }));
    }
    case "side": {
      const narrow = model.narrowed(bound.narrowing);
      const ladder = new Set(layers);
      return model.blocks.flatMap((block, index): readonly Placed[] => {
        const at = sideParts[block.kind];
        if (at === "layer" && !ladder.has(block)) return [];
        const params = bound.params({
          at,
          width: sizes.hidden,
          narrow: narrow.sizes.hidden,
          tensors: at === "layer" ? (narrow.blocks[index]?.tensors ?? []) : [],
        });
        return [{ block, place: "side", method: { method: bound, params, group, narrow } }];
      });
    }
    case "block":
      return layers.flatMap((block) =>
        bound.parts.map((part) => {
          const params = bound.params(blockSite(block, part, sizes.hidden));
          return { block, place: part, method: { method: bound, params, group } };
        }),
      );
  }
}

/** The model with the length that is left for words. */
export function withRoomFor(model: Model, places: Places): Model {
  const { tokens, prefix } = beforeWords([...places.values()].map((own) => ({ places: own })));
  if (tokens + prefix === 0) return model;
  const maxLength = Math.max(1, model.sizes.maxLength - tokens - prefix);
  return { ...model, sizes: { ...model.sizes, maxLength } };
}

function twice(place: string, type: string): Finding {
  return {
    code: "two-methods-at-one-site",
    severity: "error",
    message: `Two entries of method act on the ${place} of the same block; the second is ${type}.`,
    remedy: "Leave one of them out, or give them layers that do not overlap.",
  };
}
