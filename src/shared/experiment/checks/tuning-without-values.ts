/** @file A tuned field with no values, or with two lists of them. */
import type { Check } from "./check.ts";

export const tuningWithoutValues: Check = {
  code: "tuning-without-values",
  severity: "error",
  doc: "A tuned field says what is tried: factors of its value, or values, and not both.",
  find: ({ sweep }) =>
    Object.entries(sweep?.tune?.fields ?? {}).flatMap(([key, { times, values }]) =>
      (times === null) === (values === null)
        ? [
            {
              path: ["sweep", "tune", key],
              message: `\`${key}\` needs either \`times\` or \`values\`.`,
              remedy: "Write `{ times: [0.3, 1, 3] }` or `{ values: [1.0e-4, 3.0e-4] }`.",
            },
          ]
        : [],
    ),
};
