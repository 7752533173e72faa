/**
 * @file The Matthews correlation coefficient, for any number of classes.
 *
 * Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004,
 * https://doi.org/10.1016/j.compbiolchem.2004.09.006
 */
import { metrics } from "../../shared/experiment/fields/metrics.ts";
import { countLabels } from "./confusion.ts";
import { defineMetric } from "./define.ts";

/** (c n − Σ pₖ tₖ) / √((n² − Σ pₖ²) (n² − Σ tₖ²)) with c hits of n; 0 where one side is constant. */
export const matthews = defineMetric({
  fields: metrics.matthews.fields,
  needs: "label",
  value(examples) {
    const n = examples.length;
    let [hits, both, predicted, true_] = [0, 0, 0, 0];
    for (const label of countLabels(examples).values()) {
      hits += label.hits;
      both += label.predictions * label.truths;
      predicted += label.predictions ** 2;
      true_ += label.truths ** 2;
    }
    const spread = (n * n - predicted) * (n * n - true_);
    return spread === 0 ? 0 : (hits * n - both) / Math.sqrt(spread);
  },
  refuses: (predicted) => ("classes" in predicted ? undefined : "it is of classes"),
});
