/** @file A scale far from those that adapters are trained with. */
import { numberText } from "../describe.ts";
import type { Check } from "./check.ts";
import { fixedValue } from "./edits-at.ts";

export const scaleExtreme: Check = {
  code: "scale-extreme",
  severity: "warning",
  doc: "The update is multiplied by α/r (α/√r with rsLoRA); usual are 1 and 2. A scale far from them acts like another learning rate.",
  find: ({ method }, { document }) =>
    method.flatMap(({ config: { r, alpha, use_rslora: rs } }, index) => {
      if (typeof r !== "number" || typeof alpha !== "number") return [];
      const scale = alpha / (rs === true ? Math.sqrt(r) : r);
      if (scale >= 1 / 16 && scale <= 32) return [];
      const path = ["method", ...(method.length === 1 ? [] : [String(index)]), "alpha"];
      return [
        {
          path,
          message: `The scale ${rs === true ? "α/√r" : "α/r"} is ${numberText(Number(scale.toPrecision(3)))}.`,
          remedy: "Usual are `alpha: r` and `alpha: 2r`.",
          ...fixedValue(document, path, "2r"),
        },
      ];
    }),
};
