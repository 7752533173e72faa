/** @file Reads YAML into located values: survives errors, and is bounded in size, depth and aliases. */
import type { CST, ErrorCode } from "yaml";
import { Composer, Lexer, Parser } from "yaml";
import { convert } from "./convert.ts";
import type { Report } from "./findings.ts";
import type { Located, Location, MapNode, Source } from "./tree.ts";
import { beginningOf, lineAndColumn, locate, source } from "./tree.ts";

/** What a file may cost: an experiment is a few hundred lines. */
export const limits = { characters: 200_000, lexemes: 80_000, depth: 60, nodes: 20_000 } as const;

/** What a text says, and whether it could be read to its end. */
export interface ReadText {
  readonly source: Source;
  /** An empty map where the text says no map. */
  readonly root: MapNode;
}

/** Reads a YAML text whose root is a map. Never throws; every fault is a finding. */
export function readText(file: string, text: string, report: Report): ReadText {
  const from = source(file, text);
  const start: Location = { source: from, start: 0, end: Math.min(1, text.length) };
  const empty: MapNode = { kind: "map", entries: [], flow: false, at: { ...start, end: 0 } };
  if (text.length > limits.characters) {
    report("file-too-large", start, {
      message: `The file has ${text.length} characters; at most ${limits.characters} are read.`,
      remedy: "Keep data in its own files and name them here.",
    });
    return { source: from, root: empty };
  }
  const tokens = tokenise(from, report);
  if (tokens === undefined) return { source: from, root: empty };
  const node = compose(from, tokens, report);
  if (node === undefined || (node.kind === "null" && node.written.trim() === ""))
    return { source: from, root: empty };
  if (node.kind === "map") return { source: from, root: node };
  report("wrong-type", beginningOf(node), {
    message: "The document must be a map of fields.",
    remedy: "Begin with `version: 1` and one `field: value` on each line.",
  });
  return { source: from, root: empty };
}

/** Reads one value, such as the right side of `--set method.r=16`. */
export function readValue(name: string, text: string, report: Report): Located {
  const from = source(name, text);
  const whole: Location = { source: from, start: 0, end: text.length };
  const tokens = text.length > limits.characters ? undefined : tokenise(from, report);
  const node = tokens && compose(from, tokens, report);
  return node ?? locate(null, whole);
}

/** The parser keeps its own stack, so its depth is seen before anything recurses over the tree. */
function tokenise(from: Source, report: Report): readonly CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(from.text)) {
    const { offset } = parser;
    lexemes += 1;
    if (lexemes > limits.lexemes) {
      const at = { source: from, start: offset, end: Math.min(offset + 1, from.text.length) };
      report("file-too-large", at, { message: "The file holds more than an experiment can say." });
      return undefined;
    }
    tokens.push(...parser.next(lexeme));
    // Each level of a document puts at most a container and a scalar on the stack.
    if (parser.stack.length > limits.depth) {
      const at = { source: from, start: offset, end: Math.min(offset + 1, from.text.length) };
      report("file-too-deep", at, {
        message: `The file is nested deeper than ${limits.depth} levels here.`,
      });
      return undefined;
    }
  }
  tokens.push(...parser.end());
  return tokens;
}

function compose(from: Source, tokens: readonly CST.Token[], report: Report): Located | undefined {
  // Duplicates are found here in linear time; the composer compares every pair of keys.
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    uniqueKeys: false,
    keepSourceTokens: true,
    resolveKnownTags: false,
    logLevel: "silent",
  });
  const [document, second] = [...composer.compose(tokens, true, from.text.length)];
  if (document === undefined) return undefined;
  /** Of what is not expected on a line, the rest mostly follows from the first. */
  const unexpected = new Set<number>();
  for (const { code, pos } of document.errors) {
    const [start = 0, end = 0] = pos.map((offset) => Math.min(offset, from.text.length));
    const at = { source: from, start, end };
    if (code === "UNEXPECTED_TOKEN") {
      const [line] = lineAndColumn(from, start);
      if (unexpected.has(line)) continue;
      unexpected.add(line);
    }
    // The converter reports tags and several documents itself, with their places.
    if (code === "TAG_RESOLVE_FAILED" || code === "MULTIPLE_DOCS") continue;
    report("yaml-syntax", at, { message: faults[code], remedy: remedies[code] });
  }
  if (second !== undefined) {
    const [start] = second.range;
    report(
      "several-documents",
      { source: from, start, end: start },
      {
        message: "The file holds several documents; only the first is read.",
        remedy: "Put each experiment into its own file.",
      },
    );
  }
  return convert(from, document.contents, limits.nodes, report);
}

const faults: { readonly [Code in ErrorCode]: string } = {
  ALIAS_PROPS: "An alias such as `*name` can have no anchor or tag of its own.",
  BAD_ALIAS: "This alias has no name.",
  BAD_COLLECTION_TYPE: "The tag does not fit the value.",
  BAD_DIRECTIVE: "This directive cannot be read.",
  BAD_DQ_ESCAPE: 'The text in "double quotes" has an escape that does not exist.',
  BAD_INDENT:
    "The indentation does not fit the lines around it, or a bracket before it is not closed.",
  BAD_PROP_ORDER: "An anchor or tag stands in the wrong place.",
  BAD_SCALAR_START: "A value cannot begin with this character.",
  BLOCK_AS_IMPLICIT_KEY: "This looks like a map inside one line's value.",
  BLOCK_IN_FLOW: "Lines with their own indentation cannot stand inside [ ] or { }.",
  DUPLICATE_KEY: "This key stands twice in the same map.",
  IMPOSSIBLE: "This cannot be read as YAML.",
  KEY_OVER_1024_CHARS: "A key is longer than 1024 characters.",
  MISSING_CHAR: "Something that closes or separates is missing here.",
  MULTILINE_IMPLICIT_KEY: "A key must be on one line; perhaps a `:` is missing.",
  MULTIPLE_ANCHORS: "A value can have one anchor only.",
  MULTIPLE_DOCS: "The file holds several documents.",
  MULTIPLE_TAGS: "A value can have one tag only.",
  NON_STRING_KEY: "A key must be a text.",
  RESOURCE_EXHAUSTION: "The aliases expand to too much.",
  TAB_AS_INDENT: "A tab stands where spaces must.",
  TAG_RESOLVE_FAILED: "The tag is not known.",
  UNEXPECTED_TOKEN: "This is not expected here.",
};

const remedies: { readonly [Code in ErrorCode]?: string } = {
  BAD_DQ_ESCAPE: "Use 'single quotes', in which a backslash is a backslash.",
  BAD_INDENT: "Indent the fields of one map equally, with spaces.",
  BAD_SCALAR_START: "Put the text into quotes.",
  BLOCK_AS_IMPLICIT_KEY: "Put the text into quotes, or the map on its own lines.",
  MISSING_CHAR: "Look for a missing `:`, quote or bracket.",
  TAB_AS_INDENT: "Indent with spaces.",
  UNEXPECTED_TOKEN: "Put a text with special characters into quotes.",
};
