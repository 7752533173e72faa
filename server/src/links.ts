/** @file What a value leads to: files, a model's folder, a method's paper. */
import type { Located, Path } from "../../src/shared/experiment/tree.ts";
import type { Analysis } from "./analysis.ts";
import { declaredAt } from "./declared.ts";
import { valueOf } from "./facts.ts";

export interface Link {
  readonly start: number;
  readonly end: number;
  /** An absolute path, or the address of a page. */
  readonly target: { readonly file: string } | { readonly page: string };
}

export function links(analysis: Analysis): readonly Link[] {
  return linksIn(analysis, analysis.written(), []);
}

function linksIn(analysis: Analysis, node: Located, path: Path): readonly Link[] {
  switch (node.kind) {
    case "map":
      return node.entries.flatMap(({ key, value }) => linksIn(analysis, value, [...path, key]));
    case "list":
      return node.items.flatMap((item, index) => linksIn(analysis, item, [...path, String(index)]));
    case "text": {
      const target = targetOf(analysis, path, node.value);
      // A quote that is not closed yet ends with the text.
      const quote = /^(["']).*\1$/s.test(node.written) && node.quoted ? 1 : 0;
      const { start, end } = node.at;
      return target === undefined ? [] : [{ start: start + quote, end: end - quote, target }];
    }
    case "null":
    case "bool":
    case "number":
      return [];
  }
}

function targetOf(analysis: Analysis, path: Path, value: string): Link["target"] | undefined {
  const field = declaredAt(analysis.root, analysis.written(), path)?.field;
  if (field === undefined) return undefined;
  const { shape } = field;
  const forms = shape.kind === "union" ? shape.options.map((option) => option.shape) : [shape];
  for (const form of forms) {
    if (form.kind === "text" && form.form === "path") return { file: analysis.resolve(value) };
    if (form.kind === "text" && form.form === "model") return modelTarget(analysis);
    if (form.kind === "object" && form.short === "id") return modelTarget(analysis);
  }
  return paperOf(analysis, path, value);
}

function modelTarget({ model }: Analysis): Link["target"] | undefined {
  const folder = valueOf(model)?.facts.folder;
  return folder === undefined ? undefined : { file: `${folder}/config.json` };
}

/** The paper of a method, quantizer, optimizer or other row. */
function paperOf(
  { root, written }: Analysis,
  path: Path,
  value: string,
): Link["target"] | undefined {
  const owner = path.at(-1) === "type" ? path.slice(0, -1) : path;
  const shape = declaredAt(root, written(), owner)?.field.shape;
  const choice = shape?.kind === "list" ? shape.of.shape : shape;
  if (choice?.kind !== "choice" || !Object.hasOwn(choice.variants, value)) return undefined;
  const page = choice.variants[value]?.paper;
  return page === undefined ? undefined : { page };
}
