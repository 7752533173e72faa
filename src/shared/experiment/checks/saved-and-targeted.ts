/** @file A module that trains whole and is adapted as well. */
import type { Check } from "./check.ts";

export const savedAndTargeted: Check = {
  code: "saved-and-targeted",
  severity: "warning",
  doc: "A module in `modules_to_save` trains whole; an update beside it has nothing to add and is left out.",
  find: ({ method }) =>
    method.flatMap(({ target_modules: targets, modules_to_save: saved }, index) =>
      targets === null || typeof targets === "string"
        ? []
        : targets.flatMap((name, item) =>
            saved.includes(name)
              ? [
                  {
                    path: [
                      "method",
                      ...(method.length === 1 ? [] : [String(index)]),
                      "target_modules",
                      String(item),
                    ],
                    message: `\`${name}\` trains whole, by \`modules_to_save\`, and is not adapted.`,
                    remedy: "Name it in one of the two.",
                  },
                ]
              : [],
          ),
    ),
};
