/** @file A column in a template that the data do not have. */
import { enumerate } from "../../../src/shared/experiment/describe.ts";
import { nearest } from "../../../src/shared/experiment/nearest.ts";
import { nodeAt } from "../../../src/shared/experiment/tree.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";

export const templateColumnMissing: FactCheck = {
  code: "template-column-missing",
  severity: "error",
  doc: "`{name}` in a template is the column that plays that role, or the column of that name.",
  find({ experiment, facts, resolve, document }) {
    const { template, columns, train } = experiment.data;
    const known = valueOf(facts.data(resolve(train)))?.columns;
    if (template === null || known === undefined) return [];
    const roles: ReadonlyMap<string, string | null> = new Map(Object.entries(columns));
    const names = [...template.matchAll(/\{\{|\}\}|\{([^{}]+)\}/g)].map(([, name]) => name?.trim());
    return names.flatMap((name) => {
      if (name === undefined || known.includes(roles.get(name) ?? name)) return [];
      const near = nearest(name, known);
      const node = nodeAt(document, ["data", "template"]);
      const offset = node?.at.source.text.indexOf(`{${name}}`, node.at.start) ?? -1;
      const start = offset + 1;
      return [
        {
          path: "data.template",
          message: `The data have no column \`${roles.get(name) ?? name}\`; they have ${enumerate(known, "and")}.`,
          ...(near !== undefined && {
            remedy: `Did you mean \`{${near}}\`?`,
            ...(node !== undefined &&
              offset >= 0 &&
              start + name.length <= node.at.end && {
                fixes: [
                  {
                    title: `Write \`{${near}}\``,
                    edits: [
                      { file: node.at.source.file, start, end: start + name.length, text: near },
                    ],
                  },
                ],
              }),
          }),
        },
      ];
    });
  },
};
