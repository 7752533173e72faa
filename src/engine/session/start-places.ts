/** @file Starts methods' tensors at places other than linear layers, from the model and its tokenizer. */
import { UserError, invariant } from "../../shared/errors.ts";
import type { Factors } from "../network/factors.ts";
import type { BaseWeights } from "../network/base-weights.ts";
import type { Parameters } from "../network/parameters.ts";
import type { PlaceContext } from "../methods/place.ts";
import type { StartRandom } from "../methods/start.ts";
import type { TensorSpec } from "../models/architecture.ts";
import { wordTable } from "../models/word-table.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { localName, parameterName } from "../programs/setup.ts";
import type { ModelSetup } from "./set-up.ts";

export interface PlaceStartParts {
  readonly setup: ModelSetup;
  readonly parameters: Parameters;
  readonly factors: Factors;
  readonly base: Pick<BaseWeights, "rows" | "decode">;
  /** Ids of a text, without what the tokenizer puts around it. */
  readonly tokenize: (text: string) => Int32Array;
  readonly random: (place: string, name: string) => StartRandom;
}

export async function startPlaces(parts: PlaceStartParts): Promise<void> {
  for (const setup of parts.setup.setups.values())
    for (const [place, { method, params, group }] of setup.places ?? []) {
      if (!method.start) continue;
      const found = await method.start(contextOf(parts, setup, place), params);
      for (const [param, values] of found) {
        const name = parameterName(setup.spec, localName(place, { params, group }, param));
        const frozen = params.get(param)?.trains === false;
        const data = frozen ? parts.factors.get(name).data : parts.parameters.get(name).weight;
        invariant(data.length === values.length, `${name} was given ${values.length} values`);
        data.set(values);
      }
    }
}

function contextOf(parts: PlaceStartParts, setup: BlockSetup, place: string): PlaceContext {
  const { model } = parts.setup;
  return {
    sizes: model.sizes,
    random: (name) => parts.random(`${setup.spec.id}.${place}`, name),
    wordRows: (ids) => Promise.resolve(wordRows(parts, wordTable(model), ids)),
    tokenize(text) {
      const ids = parts.tokenize(text);
      if (ids.length === 0)
        throw new UserError({
          code: "start-without-words",
          message: "The text that the virtual tokens start from has no words.",
          remedy: "Give `prompt_tuning_init_text` a sentence, or another `prompt_tuning_init`.",
        });
      return Promise.resolve(ids);
    },
    tensor(name) {
      const tensor = setup.spec.tensors.find((own) => own.name === name);
      invariant(tensor, `block ${setup.spec.id} has no tensor ${name}`);
      return Promise.resolve(valuesOf(parts, tensor).slice());
    },
  };
}

function wordRows(parts: PlaceStartParts, table: TensorSpec, ids: Int32Array): Float32Array {
  const width = table.shape[1] ?? 0;
  const rows = new Float32Array(ids.length * width);
  const trained = parts.parameters.all.get(table.source)?.weight;
  if (!trained) parts.base.rows(table.source, ids, rows);
  else
    ids.forEach((id, row) => {
      rows.set(trained.subarray(id * width, (id + 1) * width), row * width);
    });
  return rows;
}

function valuesOf({ parameters, base }: PlaceStartParts, { source }: TensorSpec): Float32Array {
  return parameters.all.get(source)?.weight ?? base.decode(source);
}
