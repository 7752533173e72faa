/** @file A loss on a part of the example that this form of examples does not have. */
import type { Check } from "./check.ts";

export const lossWithoutForm: Check = {
  code: "loss-without-form",
  severity: "error",
  doc: "`loss_on` names a part of an example: a completion, or what the assistant says; other forms have none.",
  find({ task, data: { loss_on: on, format } }) {
    if (on === "auto" || on === "all") return [];
    const wanted = on === "assistant" ? "messages" : "prompt-completion";
    const known =
      format === "auto" || format === wanted || (on === "completion" && format === "messages");
    if (task === "causal-lm" && known) return [];
    const generates = task === "causal-lm";
    return [
      {
        path: "data.loss_on",
        message: generates
          ? `\`loss_on: ${on}\` needs examples in the format \`${wanted}\`, and these are \`${format}\`.`
          : `\`loss_on: ${on}\` has no meaning for \`${task}\`.`,
        remedy: generates ? `Use \`format: ${wanted}\` or \`loss_on: all\`.` : "Remove `loss_on`.",
      },
    ];
  },
};
