/** @file Brings a document to canonical names and full forms, saying which names were foreign. */
import type { Field } from "../schema.ts";
import { expandShort, rewrite, setAt, without } from "./change.ts";
import { inline } from "./describe.ts";
import { deletionOf, insertionInto, replace } from "./edits.ts";
import type { Edit, Report } from "./findings.ts";
import type { Change, ForeignRow, Refusal } from "./foreign.ts";
import { foreignValues } from "./foreign-values.ts";
import { foreignNames } from "./foreign.ts";
import type { NamedField } from "./lookup.ts";
import { fieldAt, fieldsIn, namedFields, variantOf } from "./lookup.ts";
import { overrides } from "./override.ts";
import type { Entry, Located, Location, MapNode, Path } from "./tree.ts";
import { entryOf, locate, nodeAt, plain } from "./tree.ts";

/**
 * The document with every short form written as a map, every foreign name under its own, and every
 * foreign value as ours. Each of them is a warning with a fix, never an error.
 */
export function canonicalise(root: Field<unknown>, document: MapNode, report: Report): MapNode {
  const renamed = asMap(rewrite(root, document, renameWith(report)), document);
  const moved = moveForeign(root, renamed, report);
  const again = asMap(rewrite(root, moved, renameWith(report)), moved);
  return replaceValues(root, again, report);
}

function asMap(node: Located, otherwise: MapNode): MapNode {
  return node.kind === "map" ? node : otherwise;
}

/** Expands short forms, and renames keys whose field declares them as an alias. */
function renameWith(report: Report) {
  return (field: Field<unknown>, node: Located, path: Path): Located => {
    const full = expandShort(field, node);
    if (full.kind !== "map") return full;
    const declared = fieldsIn(field, full);
    const entries = full.entries.map((entry) => {
      const own = declared.find(({ key }) => key === entry.key);
      if (own !== undefined) return isOverridden(full, entry, own) ? undefined : entry;
      const target = declared.find((each) => each.field.aliases?.includes(entry.key) === true);
      if (target === undefined) return entry;
      return renamedEntry(full, entry, target, path, report);
    });
    const kept = entries.filter((entry) => entry !== undefined);
    return { ...full, entries: kept };
  };
}

function renamedEntry(
  map: MapNode,
  entry: Entry,
  { key }: NamedField,
  path: Path,
  report: Report,
): Entry | undefined {
  const known = entryOf(map, key);
  if (known !== undefined && known !== entry && !overrides(entry, known.value)) {
    reportTwice(map, entry, [...path, key], report);
    return undefined;
  }
  report("foreign-name", entry.keyAt, {
    severity: "warning",
    message: `\`${entry.key}\` is called \`${key}\` here.`,
    path: [...path, key],
    remedy: `Write \`${key}\`.`,
    fix: { title: `Rename to \`${key}\``, edits: [replace(entry.keyAt, key)] },
  });
  return { ...entry, key };
}

function isOverridden(map: MapNode, entry: Entry, { field }: NamedField): boolean {
  return map.entries.some(
    (other) => field.aliases?.includes(other.key) === true && overrides(other, entry.value),
  );
}

function reportTwice(map: MapNode, entry: Entry, path: Path, report: Report): void {
  report("said-twice", entry.keyAt, {
    severity: "warning",
    message: `\`${entry.key}\` says again what \`${path.join(".")}\` says; the latter counts.`,
    path,
    remedy: "Remove one of them.",
    fix: { title: `Remove \`${entry.key}\``, edits: deletionOf(map, entry) },
  });
}

/** Where names are looked for that belong elsewhere: the root, and each section. */
function sections(root: Field<unknown>, document: MapNode): readonly Path[] {
  const inner = document.entries
    .filter(({ key, value }) => value.kind === "map" && isSection(fieldAt(root, document, [key])))
    .map(({ key }) => [key]);
  return [[], ...inner];
}

function isSection(field: Field<unknown> | undefined): boolean {
  const shape = field?.shape;
  if (shape === undefined) return false;
  if (shape.kind === "list") return shape.single && shape.of.shape.kind === "choice";
  return shape.kind === "object" || shape.kind === "choice";
}

interface Found {
  readonly path: Path;
  readonly map: MapNode;
  readonly entry: Entry;
  readonly row: ForeignRow;
}

function moveForeign(root: Field<unknown>, document: MapNode, report: Report): MapNode {
  const found: Found[] = [];
  let result: MapNode = document;
  for (const path of sections(root, document)) {
    const map = nodeAt(document, path);
    const field = fieldAt(root, document, path);
    if (map?.kind !== "map" || field === undefined) continue;
    const declared = fieldsIn(field, map);
    for (const entry of map.entries) {
      if (declared.some(({ key }) => key === entry.key)) continue;
      const row =
        foreignNames.get(entry.key) ??
        (isOfOtherVariant(field, entry.key) ? undefined : misplaced(root, document, entry.key));
      // A field of a variant that is not known yet may turn out to be in its place.
      if (row !== undefined && !isInPlace(row, entry, path)) found.push({ path, map, entry, row });
    }
  }
  for (const { path, entry } of found) {
    const map = nodeAt(result, path);
    if (map?.kind !== "map") continue;
    result = replaceMap(root, result, path, without(map, entry.key));
  }
  const sayings = new Map(found.map(({ entry }) => [entry.key, entry.value] as const));
  const all = found.map((each) => ({ ...each, changes: each.row(each.entry.value, sayings) }));
  const twice = new Set<Change>();
  // What a name merely implies waits until everything that is said outright has its place.
  for (const soft of [false, true])
    for (const each of all)
      for (const change of isRefusal(each.changes) ? [] : each.changes) {
        if ((change.soft ?? false) !== soft) continue;
        if (!isSaid(result, change, each.entry)) result = applied(root, result, each, change);
        else if (!soft) {
          reportTwice(each.map, each.entry, change.path, report);
          twice.add(change);
        }
      }
  for (const each of all) {
    const { changes } = each;
    if (isRefusal(changes)) {
      reportForeign(document, each, changes, report);
      continue;
    }
    // What was told as said twice is not told again as what it would have said.
    const left = changes.filter((change) => !twice.has(change));
    if (left.length === changes.length || left.some(({ soft = false }) => !soft))
      reportForeign(document, each, left, report);
  }
  return result;
}

/** Whether another name has said it already, and no less exactly; what an override says outright counts first. */
function isSaid(document: MapNode, { path, refines, soft }: Change, entry: Entry): boolean {
  const there = nodeAt(document, path);
  if (there === undefined || (soft !== true && overrides(entry, there))) return false;
  return refined(document, path, refines) === undefined;
}

function isInPlace(row: ForeignRow, { key, value }: Entry, path: Path): boolean {
  const changes = row(value, new Map());
  if (isRefusal(changes)) return false;
  const [only] = changes;
  return changes.length === 1 && only?.path.join(".") === [...path, key].join(".");
}

function replaceMap(root: Field<unknown>, document: MapNode, path: Path, map: MapNode): MapNode {
  if (path.length === 0) return map;
  const changed = setAt(root, document, path, map);
  return changed?.kind === "map" ? changed : document;
}

function applied(
  root: Field<unknown>,
  document: MapNode,
  { entry }: Found,
  { path, value }: Change,
): MapNode {
  const node = isLocated(value) ? value : locate(value, entry.value.at);
  const changed = setAt(root, document, path, node);
  return changed?.kind === "map" ? changed : document;
}

/** The value that a change makes more exact, where the document has one of those that it can. */
function refined(document: MapNode, path: Path, refines: Change["refines"]): Located | undefined {
  const node = nodeAt(document, path);
  return node?.kind === "text" && refines?.includes(node.value) === true ? node : undefined;
}

function isRefusal(changes: readonly Change[] | Refusal): changes is Refusal {
  return "because" in changes;
}

function isLocated(value: Change["value"]): value is Located {
  return typeof value === "object" && value !== null && "at" in value && "kind" in value;
}

function reportForeign(
  document: MapNode,
  { path, map, entry }: Found,
  changes: ReturnType<ForeignRow>,
  report: Report,
): void {
  if (isRefusal(changes)) {
    report("foreign-without-counterpart", entry.keyAt, {
      severity: changes.severity,
      message: `\`${entry.key}: ${shortened(entry.value)}\` ${changes.because}`,
      path: [...path, entry.key],
      remedy: "Remove it.",
      fix: { title: `Remove \`${entry.key}\``, edits: deletionOf(map, entry) },
    });
    return;
  }
  // What another field already says is not written again.
  const said = changes.filter((change) => !isSaid(document, change, entry));
  const says = said.map(({ path: target, value }) => `\`${target.join(".")}: ${written(value)}\``);
  report("foreign-name", entry.keyAt, {
    severity: "warning",
    message:
      says.length === 0
        ? `\`${entry.key}: ${shortened(entry.value)}\` is how it is here anyway.`
        : `\`${entry.key}\` is written ${says.join(" and ")} here.`,
    path: [...path, entry.key],
    fix: {
      title: says.length === 0 ? `Remove \`${entry.key}\`` : `Write ${says.join(" and ")}`,
      edits: editsFor(document, { path, map, entry }, said),
    },
  });
}

/** What is to be written into one map of the file. */
interface Insertion {
  readonly owner: MapNode;
  readonly key: string;
  readonly parts: { readonly deeper: Path; readonly text: string }[];
}

/** Takes the foreign entry out and writes what it means: in its place where that is in the same map. */
function editsFor(
  document: MapNode,
  { path, map, entry }: Omit<Found, "row">,
  changes: readonly Change[],
): readonly Edit[] {
  const insertions: Insertion[] = [];
  const replaced: Edit[] = [];
  for (const { path: target, value, refines } of changes) {
    const less = refined(document, target, refines);
    if (less !== undefined) {
      replaced.push(replace(less.at, written(value)));
      continue;
    }
    const place = deepestMap(document, target);
    const part = { deeper: target.slice(place.depth + 1), text: written(value) };
    const key = target[place.depth] ?? "";
    const same = insertions.find((each) => each.owner === place.owner && each.key === key);
    if (same === undefined) insertions.push({ owner: place.owner, key, parts: [part] });
    else same.parts.push(part);
  }
  const owner = nodeAt(document, path);
  const [inPlace] = insertions.filter((each) => each.owner === owner && !isShort(each.owner));
  const others = insertions.filter((each) => each !== inPlace);
  const edits = others.flatMap((each) =>
    isShort(each.owner) ? [] : insertionInto(each.owner, each.key, textOf(each)),
  );
  edits.push(...replaced);
  const shortOwner = others.find((each) => isShort(each.owner))?.owner;
  if (shortOwner !== undefined) {
    const inner = others.filter((each) => each.owner === shortOwner);
    edits.push(openShort(shortOwner, inner));
  }
  if (inPlace === undefined) return [...deletionOf(map, entry), ...edits];
  return [replace(wholeEntry(entry), `${inPlace.key}: ${textOf(inPlace)}`), ...edits];
}

function deepestMap(
  document: MapNode,
  target: Path,
): { readonly owner: MapNode; readonly depth: number } {
  for (let depth = target.length - 1; depth > 0; depth -= 1) {
    const owner = nodeAt(document, target.slice(0, depth));
    if (owner?.kind === "map") return { owner, depth };
  }
  return { owner: document, depth: 0 };
}

/** A short form such as `method: lora`, which stands for a map but has no braces. */
function isShort({ flow, entries, at }: MapNode): boolean {
  return flow && entries.length === 1 && entries[0]?.keyAt.start === at.start;
}

function openShort(owner: MapNode, insertions: readonly Insertion[]): Edit {
  const said = owner.entries.map(({ key, value }) => `${key}: ${written(value)}`);
  const added = insertions.map((each) => `${each.key}: ${textOf(each)}`);
  return replace(owner.at, `{ ${[...said, ...added].join(", ")} }`);
}

function textOf({ parts }: Insertion): string {
  const [first] = parts;
  if (first !== undefined && first.deeper.length === 0) return first.text;
  const inner = parts.map(({ deeper, text }) => {
    const [key = "", ...rest] = deeper;
    return `${key}: ${rest.reduceRight((value, step) => `{ ${step}: ${value} }`, text)}`;
  });
  return `{ ${inner.join(", ")} }`;
}

/** From the key to the value's last character, without the line's end behind it. */
function wholeEntry({ keyAt, value }: Entry): Location {
  const { source, start } = keyAt;
  const end = Math.max(value.at.end, keyAt.end);
  return { source, start, end: start + source.text.slice(start, end).trimEnd().length };
}

function written(value: Change["value"]): string {
  if (!isLocated(value)) return inline(value);
  return value.kind === "map" || value.kind === "list" ? inline(plain(value)) : value.written;
}

function shortened(node: Located): string {
  const text = written(node);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/**
 * A name that belongs to another section: `learning_rate` at the root. What a section has whatever is chosen there
 * comes before what only a variant of it would have. What training and measuring both have, such as `batch_size`,
 * means training; of other names of several sections, and of sections themselves, nothing is guessed.
 */
function misplaced(root: Field<unknown>, document: MapNode, name: string): ForeignRow | undefined {
  if (fieldsIn(root, document).some(({ key }) => key === name)) return undefined;
  const ownersIn = (fieldsOf: typeof unchosenFields): readonly Path[] =>
    fieldsIn(root, document).flatMap(({ key, field }) => {
      const target = fieldsOf(field, nodeAt(document, [key])).find(
        (each) => each.key === name || each.field.aliases?.includes(name) === true,
      );
      return target === undefined || target.key === "type" ? [] : [[key, target.key]];
    });
  const said = ownersIn(fieldsIn);
  const owners = said.length > 0 ? said : ownersIn(unchosenFields);
  const owner = owners.length === 1 ? owners[0] : owners.find(([section]) => section === "train");
  if (owner === undefined) return undefined;
  return (value) => [{ path: owner, value }];
}

/** Whether another variant of the section has it: then it stands where it was meant, and is told as not for this one. */
function isOfOtherVariant({ shape }: Field<unknown>, name: string): boolean {
  if (shape.kind === "list") return shape.single && isOfOtherVariant(shape.of, name);
  return (
    shape.kind === "choice" &&
    Object.values(shape.variants)
      .flatMap(({ fields }) => namedFields(fields))
      .some(({ key, field }) => key === name || field.aliases?.includes(name) === true)
  );
}

/** Fields of all variants, where the document has not chosen one yet. */
function unchosenFields(
  { shape }: Field<unknown>,
  node: Located | undefined,
): readonly NamedField[] {
  if (shape.kind === "list") return shape.single ? unchosenFields(shape.of, node) : [];
  if (shape.kind !== "choice" || variantOf(shape, node) !== undefined) return [];
  return Object.values(shape.variants).flatMap(({ fields }) => namedFields(fields));
}

/** Values that other projects write in a field of ours: `max_steps: -1`, `optimizer: adamw_torch`. */
function replaceValues(root: Field<unknown>, document: MapNode, report: Report): MapNode {
  let result = document;
  for (const [name, row] of foreignValues) {
    const path = name.split(".");
    const node = nodeAt(result, path);
    if (node === undefined) continue;
    const value = row(node);
    if (value === undefined) continue;
    const text = inline(value);
    report("foreign-name", node.at, {
      severity: "warning",
      message: `\`${shortened(node)}\` is written \`${text}\` here.`,
      path,
      remedy: `Write \`${text}\`.`,
      fix: { title: `Replace with \`${text}\``, edits: [replace(node.at, text)] },
    });
    const owner = path.at(-1) === "type" && typeof value === "object" ? path.slice(0, -1) : path;
    const changed = setAt(root, result, owner, locate(value, node.at));
    if (changed?.kind === "map") result = changed;
  }
  return result;
}
