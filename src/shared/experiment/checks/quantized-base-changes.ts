/** @file A method that changes the base's own weights, and a base that is quantized. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const quantizedBaseChanges: Check = {
  code: "quantized-base-changes",
  severity: "error",
  doc: "A quantized weight cannot be changed in place: methods that train the base need it in floating point.",
  find({ method, quantization }, { methodRow, document }) {
    const index = method.findIndex(({ type }) => methodRow(type)?.trainsBase === true);
    const found = method[index];
    if (found === undefined || quantization === null) return [];
    return [
      {
        path: method.length === 1 ? "method" : `method.${index}`,
        message: `\`${found.type}\` changes the model's own weights, and quantized ones cannot be changed.`,
        remedy: "Remove `quantization`, or use an adapter such as lora.",
        ...removed(document, ["quantization"]),
      },
    ];
  },
};
