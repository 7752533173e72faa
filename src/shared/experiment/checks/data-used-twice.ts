/** @file One file for two ends. */
import { join } from "../paths.ts";
import type { Check } from "./check.ts";
import { dataFiles } from "./data-files.ts";

export const dataUsedTwice: Check = {
  code: "data-used-twice",
  severity: "warning",
  doc: "A score on data that the model was trained or chosen by says nothing about new examples.",
  find(experiment) {
    const files = dataFiles(experiment).slice(0, 3);
    return files.flatMap(({ path, file }, index) => {
      const [, name] = path;
      const earlier = files.slice(0, index).find((each) => join("", each.file) === join("", file));
      if (earlier === undefined || name === "text") return [];
      const other = earlier.path.join(".");
      const chosen = name === "test" && other === "data.eval";
      return [
        {
          path,
          message: chosen
            ? "The test data are those that choose checkpoints: their score is no longer one of new examples."
            : `\`data.${name}\` is the same file as \`${other}\`: its scores say nothing about new examples.`,
          remedy:
            name === "eval"
              ? "Set a part of the training data aside: `eval: { from: train, share: 0.05 }`."
              : "Use examples that the model has not been chosen or trained by.",
        },
      ];
    });
  },
};
