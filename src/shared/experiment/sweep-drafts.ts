/** @file The points of a sweep as settings of fields, before they are checked, and their labels. */
import type { Sweep } from "./fields/experiment-fields.ts";
import { inline } from "./describe.ts";
import type { Report } from "./findings.ts";
import type { Entry, Located, MapNode } from "./tree.ts";
import { beginningOf, entryOf, nodeAt, plain } from "./tree.ts";

/** One point before it is checked: located values, so that findings lead to the sweep's own lines. */
export interface Draft {
  readonly settings: readonly Entry[];
  readonly control: boolean;
}

/** All points in order: the grid's last field fastest, then paired lists, then controls. */
export function draftsOf(
  document: MapNode,
  sweep: Sweep | null,
  report: Report,
): readonly Draft[] | undefined {
  if (sweep === null) return [{ settings: [], control: false }];
  const section = nodeAt(document, ["sweep"]);
  const grid = entriesOf(entryOf(section, "grid")?.value);
  const paired = itemsOf(entryOf(section, "paired")?.value).map((map) => pairedRows(map, report));
  const controls = itemsOf(entryOf(section, "controls")?.value);
  const axes = [
    ...grid.map((entry) => itemsOf(entry.value).map((value) => [{ ...entry, value }])),
    ...paired,
  ];
  const count = axes.reduce((product, axis) => product * axis.length, 1) + controls.length;
  const tuned = candidateCount(sweep);
  const runs = count * ((sweep.seeds?.length ?? 1) + tuned);
  if (runs > sweep.limits.runs) {
    const at = section === undefined ? beginningOf(document) : beginningOf(section);
    report("sweep-too-large", at, {
      message: `The sweep has ${count} points and ${runs} runs, more than \`limits.runs\`, ${sweep.limits.runs}.`,
      path: ["sweep"],
      remedy: `Raise \`sweep.limits.runs\`, or take values away.`,
    });
    return undefined;
  }
  const combined = axes.reduce<readonly (readonly Entry[])[]>(
    (points, axis) => points.flatMap((point) => axis.map((row) => [...point, ...row])),
    [[]],
  );
  // Controls alone are compared with the experiment as it stands.
  return [
    ...combined.map((settings) => ({ settings, control: false })),
    ...controls.map((map) => ({ settings: entriesOf(map), control: true })),
  ];
}

function pairedRows(map: Located, report: Report): readonly (readonly Entry[])[] {
  const entries = entriesOf(map);
  const lists = entries.map(({ value }) => itemsOf(value));
  const lengths = new Set(lists.map(({ length }) => length));
  if (lengths.size > 1) {
    const said = entries.map(({ key }, index) => `\`${key}\` has ${lists[index]?.length ?? 0}`);
    report("sweep-unequal-lists", beginningOf(map), {
      message: `Paired lists must have equal lengths: ${said.join(", ")}.`,
      path: ["sweep", "paired"],
    });
  }
  const length = Math.min(...lengths);
  return Array.from({ length: Number.isFinite(length) ? length : 0 }, (_, row) =>
    entries.flatMap((entry, index) => {
      const value = lists[index]?.[row];
      return value === undefined ? [] : [{ ...entry, value }];
    }),
  );
}

function entriesOf(node: Located | undefined): readonly Entry[] {
  return node?.kind === "map" ? node.entries : [];
}

function itemsOf(node: Located | undefined): readonly Located[] {
  if (node === undefined || node.kind === "null") return [];
  return node.kind === "list" ? node.items : [node];
}

/** `method.r` is told as `r`, unless another field of the sweep ends in the same name. */
export function labelsOf(drafts: readonly Draft[]): readonly string[] {
  const keys = new Set(drafts.flatMap(({ settings }) => settings.map(({ key }) => key)));
  const shortOf = (key: string): string => {
    const steps = key.split(".");
    for (let length = 1; length < steps.length; length += 1) {
      const tail = steps.slice(-length).join(".");
      const rivals = [...keys].filter((other) => other === tail || other.endsWith(`.${tail}`));
      if (rivals.length === 1) return tail;
    }
    return key;
  };
  const taken = new Map<string, number>();
  return drafts.map(({ settings }) => {
    const parts = settings.map(({ key, value }) => `${shortOf(key)}=${inline(plain(value))}`);
    const label = parts.length === 0 ? "base" : parts.join(" ");
    const times = (taken.get(label) ?? 0) + 1;
    taken.set(label, times);
    return times === 1 ? label : `${label} (${times})`;
  });
}

function candidateCount({ tune }: Sweep): number {
  const fields = Object.values(tune?.fields ?? {});
  if (fields.length === 0) return 0;
  return fields.reduce((product, { times, values }) => product * (times ?? values ?? []).length, 1);
}
