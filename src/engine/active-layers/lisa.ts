/**
 * @file LISA: embedding and head always train, of the layers a few that are drawn anew after some steps.
 *
 * Pan, Liu, Diao, Pi, Zhang, Han, Zhang, "LISA: Layerwise Importance Sampling for Memory-Efficient Large Language Model
 * Fine-Tuning", 2024, https://arxiv.org/abs/2403.17919.
 *
 *   in steps k·interval + 1 … (k + 1)·interval: embedding, head and `layers` layers, uniformly without replacement
 *
 * The optimizer's state of layers that rest stays as it is, and so does the count of steps that its corrections take, as in
 * the official code.
 */
import { int } from "../../shared/schema.ts";
import { at } from "../../shared/errors.ts";
import { defineActiveLayers } from "./define.ts";

export const lisa = defineActiveLayers({
  name: "lisa",
  title: "LISA",
  doc: "Trains embedding and head always, and a few layers that are drawn at random every so many steps.",
  equation:
    "W_l ← step(W_l) for embedding, head and l in S, else W_l; S = `layers` layers drawn each `interval` steps",
  use: "Choose it for full fine-tuning with the memory of a few layers' state at a time.",
  paperTitle:
    "LISA: Layerwise Importance Sampling for Memory-Efficient Large Language Model Fine-Tuning",
  paper: "https://arxiv.org/abs/2403.17919",
  config: {
    layers: int({
      default: 2,
      min: 1,
      doc: "Layers that train at a time.",
      aliases: ["lisa_activated_layers"],
    }),
    interval: int({
      default: 20,
      min: 1,
      unit: "steps",
      doc: "Steps until others are drawn.",
      aliases: ["lisa_interval_steps"],
    }),
  },
  axes: { T: "a few layers, drawn at intervals" },
  active({ t, blocks, layers, shuffled }, { layers: count, interval }) {
    const drawn = shuffled(Math.floor((t - 1) / interval), layers.length).slice(0, count);
    const chosen = new Set(drawn.map((index) => at(layers, index)));
    return blocks.filter((block) => !layers.includes(block) || chosen.has(block));
  },
});
