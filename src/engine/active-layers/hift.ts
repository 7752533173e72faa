/**
 * @file HiFT: one group of blocks trains at each step, in turn.
 *
 * Liu, Zhang, Li, Liu, Feng, Zhang, Wang, "HiFT: A Hierarchical Full Parameter Fine-Tuning Strategy", 2024,
 * https://arxiv.org/abs/2401.15207.
 *
 *   step t trains group order[(t − 1) mod k] of k; the learning rate goes on after each whole turn
 *
 * Groups are `group` neighbouring blocks, embedding and head among them. Idle state stays in memory: here it is the
 * host's already. Each group counts its own steps for the optimizer.
 */
import { int, oneOf } from "../../shared/schema.ts";
import { at } from "../../shared/errors.ts";
import { defineActiveLayers } from "./define.ts";

export const hift = defineActiveLayers({
  name: "hift",
  title: "HiFT",
  doc: "Trains one group of layers at each step, in turn; the learning rate goes on after each whole turn.",
  equation:
    "W_l ← step(W_l) for l in group order[(t − 1) mod k], else W_l, t the step and k the number of groups",
  use: "Choose it for full fine-tuning where gradients and state of one group are what fits.",
  paperTitle: "HiFT: A Hierarchical Full Parameter Fine-Tuning Strategy",
  paper: "https://arxiv.org/abs/2401.15207",
  config: {
    group: int({ default: 1, min: 1, doc: "Neighbouring layers that train together." }),
    order: oneOf(
      {
        bottom2up: "From the embedding to the head.",
        top2down: "From the head to the embedding.",
        random: "In one order that is drawn once.",
      },
      { default: "bottom2up", doc: "In which order the groups have their turn." },
    ),
  },
  axes: { T: "one group of layers at a time, in turn" },
  active({ t, blocks, shuffled }, { group, order }) {
    const groups = groupsOf(blocks.length, group);
    const place = (t - 1) % groups;
    const index =
      order === "bottom2up"
        ? place
        : order === "top2down"
          ? groups - 1 - place
          : at(shuffled(0, groups), place);
    return blocks.slice(index * group, (index + 1) * group);
  },
  cycle: (blocks, { group }) => groupsOf(blocks, group),
});

function groupsOf(blocks: number, group: number): number {
  return Math.max(1, Math.ceil(blocks / group));
}
