/** @file `extends`: the document with the files beneath it merged in, and `--set` on top. */
import type { Field } from "../schema.ts";
import { canonicalise } from "./canonical-names.ts";
import { merge, rewrite, setAt, without } from "./change.ts";
import type { Report } from "./findings.ts";
import { readText, readValue } from "./located.ts";
import { overrideMark } from "./override.ts";
import { folderOf, join, relativeTo } from "./paths.ts";
import type { Located, MapNode } from "./tree.ts";
import { shortened } from "./scalars.ts";
import { entryOf } from "./tree.ts";

/** Gives the text of a file by its path (relative to where the experiment's own path is), if there is one. */
export type Provider = (path: string) => string | Unreadable | undefined;

/** What stands at a path and is no text of an experiment. */
export interface Unreadable {
  /** The end of "`x` is …". */
  readonly is: string;
  readonly remedy: string;
  /** Where that shows, from 1. */
  readonly line?: number;
}

const deepest = 10;

/** Reads `text` and all it extends into one document; paths in it are relative to `file`. */
export function readDocument(
  root: Field<unknown>,
  file: string,
  text: string,
  provider: Provider,
  report: Report,
): MapNode {
  return readChain(root, file, text, provider, report, [join("", file)]);
}

function readChain(
  root: Field<unknown>,
  file: string,
  text: string,
  provider: Provider,
  report: Report,
  chain: readonly string[],
): MapNode {
  const document = canonicalise(root, readText(file, text, report).root, report);
  const entry = entryOf(document, "extends");
  const own = without(document, "extends");
  if (entry === undefined || entry.value.kind === "null") return own;
  const { value } = entry;
  if (value.kind !== "text") {
    report("wrong-type", value.at, {
      message: "`extends` must be the path of one file.",
      path: ["extends"],
    });
    return own;
  }
  const path = join(folderOf(file), value.value);
  if (chain.includes(path)) {
    const circle = [...chain, path].map((name) => `\`${name}\``).join(" → ");
    const message = `Files extend each other in a circle: ${circle}.`;
    report("extends-cycle", value.at, { message, path: ["extends"] });
    return own;
  }
  if (chain.length >= deepest) {
    const message = `More than ${deepest} files extend each other.`;
    report("extends-too-deep", value.at, { message, path: ["extends"] });
    return own;
  }
  const inner = provider(path);
  if (typeof inner !== "string") {
    report("extends-missing", value.at, {
      message:
        inner === undefined ? `There is no file \`${path}\`.` : `\`${path}\` is ${inner.is}.`,
      path: ["extends"],
      remedy: inner?.remedy ?? "The path is relative to the file that says it.",
    });
    return own;
  }
  const base = readChain(root, path, inner, provider, report, [...chain, path]);
  const moved = rebase(root, base, folderOf(path), folderOf(file));
  const merged = merge(root, moved, own);
  return merged.kind === "map" ? merged : own;
}

/** Paths of a document in one folder, as they read from another. */
function rebase(root: Field<unknown>, document: MapNode, from: string, to: string): MapNode {
  if (from === to) return document;
  const moved = rewrite(root, document, ({ shape }, node): Located => {
    if (node.kind !== "text" || shape.kind !== "text") return node;
    const isPath = shape.form === "path" || (shape.form === "model" && node.value.startsWith("."));
    if (!isPath) return node;
    const value = relativeTo(to, join(from, node.value));
    return { ...node, value };
  });
  return moved.kind === "map" ? moved : document;
}

/** `key=value` from the command line, the value in YAML: `method.r=16`, `method={type: lora}`. */
export function applyOverride(
  root: Field<unknown>,
  document: MapNode,
  override: string,
  report: Report,
): MapNode {
  const name = `${overrideMark}${shortened(override)}`;
  const split = override.indexOf("=");
  const key = override.slice(0, Math.max(split, 0)).trim();
  const written = override.slice(split + 1);
  const value = readValue(name, written, report);
  const complain = (message: string) => {
    report("bad-override", value.at, { message, remedy: "Write `--set method.r=16`." });
    return document;
  };
  if (split < 1 || !/^[\w-]+(\.[\w-]+)*$/.test(key))
    return complain(`\`${shortened(override)}\` is not of the form \`field=value\`.`);
  if (written.trim() === "")
    return complain(`Nothing stands behind \`${key}=\`; \`null\` means the default.`);
  const changed = setAt(root, document, key.split("."), value);
  if (changed?.kind !== "map")
    return complain(`\`${key}\` leads through a value that has no fields.`);
  return canonicalise(root, changed, report);
}
