/** @file Turns parsed YAML nodes into located values: aliases, merge keys, tags and keys as the file may use them. */
import type { Alias, Node, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { isAlias, isMap, isScalar, isSeq } from "yaml";
import { deletionOf } from "./edits.ts";
import type { Report } from "./findings.ts";
import type { Entry, Located, Location, MapNode, Source } from "./tree.ts";

const knownTags = ["!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq"];

/**
 * `contents` as located values, with aliases replaced by what they stand for. At most `most` nodes, those
 * behind aliases counted each time: a few lines of aliases of aliases can stand for billions.
 */
export function convert(
  source: Source,
  contents: Node | null,
  most: number,
  report: Report,
): Located | undefined {
  const anchors = new Map<string, { readonly node: Located; readonly size: number }>();
  let count = 0;
  let refused = false;

  function visit(node: Node | null | undefined, near: number): Located {
    const before = count;
    count += 1;
    if (node === null || node === undefined) return nothing(near);
    const [start, end] = node.range ?? [near, near];
    const at: Location = { source, start, end };
    if (count > most) return tooMuch(at);
    if (isAlias(node)) return aliased(node, at);
    checkTag(node, at);
    const located = isScalar(node)
      ? scalar(node, at)
      : isMap(node)
        ? map(node, at)
        : list(node, at);
    if (node.anchor !== undefined)
      anchors.set(node.anchor, { node: located, size: count - before });
    return located;
  }

  function nothing(offset: number): Located {
    return { kind: "null", written: "", at: { source, start: offset, end: offset } };
  }

  function tooMuch(at: Location): Located {
    if (!refused)
      report("file-too-large", at, {
        message: `The file holds more than ${most} values, those behind aliases counted each time.`,
      });
    refused = true;
    return nothing(at.start);
  }

  function aliased(node: Alias, at: Location): Located {
    const anchor = anchors.get(node.source);
    if (anchor === undefined) {
      report("yaml-alias", at, {
        message: `\`*${node.source}\` stands for nothing: no \`&${node.source}\` before it.`,
      });
      return nothing(at.start);
    }
    count += anchor.size;
    return count > most ? tooMuch(at) : { ...anchor.node, at };
  }

  function checkTag(node: Scalar | YAMLMap | YAMLSeq, at: Location): void {
    const tag = node.tag?.replace("tag:yaml.org,2002:", "!!");
    if (tag === undefined || tag === "!" || knownTags.includes(tag)) return;
    report("yaml-tag", at, {
      severity: "warning",
      message: `The tag \`${tag}\` has no meaning here; the value is read without it.`,
      remedy: "Remove the tag.",
    });
  }

  function scalar(node: Scalar, at: Location): Located {
    const written = source.text.slice(at.start, at.end);
    const { value } = isTagged(node) ? { value: coreValue(written) } : node;
    if (value === null) return { kind: "null", written, at };
    if (typeof value === "boolean") return { kind: "bool", value, written, at };
    if (typeof value === "number") return { kind: "number", value, written, at };
    const quoted = node.type !== undefined && node.type !== "PLAIN";
    return {
      kind: "text",
      value: typeof value === "string" ? value : written,
      quoted,
      written,
      at,
    };
  }

  function list(node: YAMLSeq, at: Location): Located {
    const items = node.items.map((item) => visit(isNode(item) ? item : null, at.start));
    return { kind: "list", items, flow: node.flow === true, at };
  }

  function map(node: YAMLMap, at: Location): MapNode {
    const entries = new Map<string, Entry>();
    const duplicates: Entry[] = [];
    const merged: Located[] = [];
    for (const pair of node.items) {
      const key = isNode(pair.key) ? pair.key : null;
      const [start, end] = key?.range ?? [at.start, at.start];
      const keyAt: Location = { source, start, end };
      const value = visit(isNode(pair.value) ? pair.value : null, end);
      if (!isScalar(key) || key.value === null) {
        report("yaml-key", keyAt, { message: "A key must be a plain text." });
        continue;
      }
      // `0:` and `true:` are keys as they are written.
      const name = typeof key.value === "string" ? key.value : source.text.slice(start, end);
      const entry: Entry = { key: name, keyAt, value };
      if (name === "<<" && key.type === "PLAIN") merged.push(value);
      else if (entries.has(name)) duplicates.push(entry);
      else entries.set(name, entry);
    }
    for (const inner of merged) mergeInto(entries, inner);
    const result: MapNode = {
      kind: "map",
      entries: [...entries.values()],
      flow: node.flow === true,
      at,
    };
    for (const entry of duplicates) reportDuplicate(result, entry);
    return result;
  }

  /** `<<: *base` or `<<: [*a, *b]`: what the map itself says comes first, then the earlier ones. */
  function mergeInto(entries: Map<string, Entry>, node: Located): void {
    if (node.kind === "list") {
      for (const item of node.items) mergeInto(entries, item);
      return;
    }
    // An alias to nothing has been reported.
    if (node.kind === "null") return;
    if (node.kind !== "map") {
      report("yaml-alias", node.at, { message: "`<<` takes a map, or a list of maps." });
      return;
    }
    for (const entry of node.entries) if (!entries.has(entry.key)) entries.set(entry.key, entry);
  }

  function reportDuplicate(map: MapNode, entry: Entry): void {
    report("duplicate-key", entry.keyAt, {
      message: `\`${entry.key}\` stands twice in this map; the first counts.`,
      remedy: "Remove one of them.",
      fix: { title: `Remove this \`${entry.key}\``, edits: deletionOf(map, entry) },
    });
  }

  return contents === null ? undefined : visit(contents, 0);
}

/** A tag other than `!!str` changes nothing: the plain text behind it is read as if it were not there. */
function isTagged({ tag, type }: Scalar): boolean {
  return tag !== undefined && tag !== "!" && tag !== stringTag && type === "PLAIN";
}

const stringTag = "tag:yaml.org,2002:str";

/** A plain scalar by YAML 1.2's core schema. */
function coreValue(written: string): null | boolean | number | string {
  if (/^(?:~|null|Null|NULL|)$/.test(written)) return null;
  if (/^(?:true|True|TRUE)$/.test(written)) return true;
  if (/^(?:false|False|FALSE)$/.test(written)) return false;
  const isNumber = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(written);
  return isNumber ? Number(written) : written;
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}
