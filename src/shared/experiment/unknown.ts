/** @file What is said about names that no declaration knows, and what was probably meant. */
import { enumerate } from "./describe.ts";
import { deletionOf, isWritten, replace } from "./edits.ts";
import { knownElsewhere } from "./elsewhere.ts";
import type { ChoiceShape, NamedField } from "./lookup.ts";
import { nearest } from "./nearest.ts";
import type { CheckContext } from "./scalars.ts";
import { nameOf, shortened, wrongType } from "./scalars.ts";
import type { Located, MapNode, Path } from "./tree.ts";
import { beginningOf, entryOf } from "./tree.ts";

export function reportUnknown(
  ctx: CheckContext,
  map: MapNode,
  declared: readonly NamedField[],
  path: Path,
  owner: string,
): void {
  const keys = declared.map(({ key }) => key);
  for (const entry of map.entries) {
    if (keys.includes(entry.key)) continue;
    const absent = keys.filter((key) => entryOf(map, key) === undefined);
    const places = ctx.placesOf(entry.key).filter((place) => place.length > 1 || path.length > 0);
    const depth = places[0]?.length ?? Infinity;
    // A field of a section is meant where its name is written out; one deeper within may be a slip of the pen.
    const near = depth < 3 ? undefined : (nearest(entry.key, absent) ?? nearest(entry.key, keys));
    const inner = [...path, entry.key];
    // A path of fields among fields: `method.r` beside a sweep's `grid`.
    const holder = entry.key.includes(".")
      ? declared.find(({ field }) => field.shape.kind === "record")
      : undefined;
    const fix =
      near === undefined
        ? { title: `Remove \`${shortened(entry.key)}\``, edits: deletionOf(map, entry) }
        : { title: `Rename to \`${near}\``, edits: [replace(entry.keyAt, near)] };
    ctx.report("unknown-field", entry.keyAt, {
      message: `${path.length === 0 ? "An experiment" : owner} has no field \`${shortened(entry.key)}\`.`,
      path: inner,
      remedy:
        near !== undefined
          ? `Did you mean \`${near}\`?`
          : places.length > 0
            ? placeInWords(places)
            : holder
              ? `Paths of fields stand within \`${holder.key}\`.`
              : `Known here: ${enumerate(keys, "and")}.`,
      // What is only in the wrong place may hold much: nothing offers to remove it.
      ...((near !== undefined || places.length === 0) && isWritten(entry) && { fix }),
    });
  }
}

/** Where a name is at home that stands among another map's fields. */
function placeInWords(places: readonly Path[]): string {
  if (places.some(({ length }) => length === 1))
    return "Its place is the margin, within no other field.";
  const names = places.map((each) => each.join("."));
  return `Its place is ${enumerate(names, "or")}.`;
}

export function reportOmitted(
  ctx: CheckContext,
  map: MapNode,
  key: string,
  type: string,
  path: Path,
): void {
  const entry = entryOf(map, key);
  if (entry === undefined || entry.value.kind === "null") return;
  ctx.report("field-not-for-variant", entry.keyAt, {
    message: `\`${key}\` has no meaning for \`${type}\`.`,
    path: [...path, key],
    remedy: "Remove it.",
    ...(isWritten(entry) && {
      fix: { title: `Remove \`${key}\``, edits: deletionOf(map, entry) },
    }),
  });
}

/** `type` is missing, no text, or a name that is not in the catalog. */
export function reportVariant(
  ctx: CheckContext,
  shape: ChoiceShape,
  map: MapNode,
  path: Path,
): void {
  const names = Object.keys(shape.variants);
  const entry = entryOf(map, "type");
  const inner = [...path, "type"];
  if (entry === undefined) {
    ctx.report("missing-field", beginningOf(map), {
      message: `${nameOf(path)} has no \`type\`; it must be ${enumerate(names, "or")}.`,
      path: inner,
      remedy: "Add `type`.",
    });
    return;
  }
  reportUnknownVariant(ctx, entry.value, names, inner);
}

export function reportUnknownVariant(
  ctx: CheckContext,
  node: Located,
  names: readonly string[],
  path: Path,
): void {
  if (node.kind !== "text") {
    wrongType(ctx, node, path, enumerate(names, "or"), undefined);
    return;
  }
  const elsewhere = knownElsewhere(path, node.value);
  // What another project calls so is no slip of the pen for what is near.
  const near = elsewhere === undefined ? nearest(node.value, names) : elsewhere.instead;
  const offered = near !== undefined && names.includes(near) ? near : undefined;
  const known =
    names.length === 0
      ? `There is nothing to choose from here: leave \`${ownerOf(path)}\` out.`
      : `Known: ${enumerate(names, "and")}.`;
  ctx.report("unknown-variant", node.at, {
    message: `${nameOf(path)} names \`${shortened(node.value)}\`, which is ${elsewhere === undefined ? "not known" : "not offered here"}.`,
    path,
    remedy:
      elsewhere === undefined && offered !== undefined
        ? `Did you mean \`${offered}\`?`
        : [elsewhere?.advice, known].filter((part) => part !== undefined).join(" "),
    ...(offered === undefined
      ? {}
      : {
          fix: {
            title: `Replace with \`${offered}\``,
            edits: [replace(node.at, offered)],
          },
        }),
  });
}

/** The field whose `type` is named. */
function ownerOf(path: Path): string {
  return path.findLast((step) => step !== "type") ?? "";
}
