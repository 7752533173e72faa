/** @file Tensors of a checkpoint that its config.json leaves without use: layers too many, parts of another architecture. */
import type { Finding } from "../../shared/findings.ts";
import type { Model } from "./architecture.ts";
import { checkpointNames } from "./tensor-specs.ts";
import { firstOf } from "./tensors-at-fault.ts";
import { tiedHead, untiedName } from "./untie.ts";

/** What checkpoints hold beside weights: masks and tables that every program makes itself. */
const tables = /(?:^|\.)(?:inv_freq|position_ids|attn\.(?:masked_)?bias)$/;

/** Heads of other tasks, which a checkpoint may have and a run has no use for. */
const heads = /(?:^|\.)(?:cls|lm_head|classifier|score|qa_outputs|pooler)\./;

/** What is said of them, where a checkpoint has tensors of these names; transformers warns of the same. */
export function tensorsLeftOut(
  model: Model,
  names: Iterable<string>,
): Pick<Finding, "message" | "remedy"> | undefined {
  const head = tiedHead(model);
  const wanted = model.blocks.flatMap((block) =>
    block.tensors.flatMap(({ source, stored = source }) => [source, stored]),
  );
  const known = new Set(
    [...wanted, ...(head ? [untiedName(model, head)] : [])].flatMap((name) =>
      checkpointNames(model, name),
    ),
  );
  const unused = [...names].filter(
    (name) => !known.has(name) && !tables.test(name) && !heads.test(name),
  );
  const [first] = unused;
  if (first === undefined) return undefined;
  return {
    message: `The weights hold what config.json has no use for, and what the run leaves out: ${firstOf(unused)}.`,
    remedy:
      "Take config.json and weights from the same model and revision; layers may be missing in config.json.",
  };
}
