/** @file A small world of people, things and places, and the sentences about it: all of the sample's text is made here. */

const names = "Mia Tom Ada Leo Ivy Sam Eva Max Zoe Ben Ann Kai".split(" ");
const colours = "red blue green black white brown pink grey".split(" ");
const things = "cup key ball book coin pen ring lamp hat bell box fork".split(" ");
const places = [
  "on the shelf",
  "in the drawer",
  "under the bed",
  "behind the door",
  "on the table",
  "in the basket",
  "near the window",
  "under the chair",
  "in the garden",
  "on the roof",
];
const verbs = "put left hid".split(" ");

/** Whole numbers below a bound, from a seed. */
export type Pick = (below: number) => number;

/** A generator of whole numbers below a bound: SplitMix over 32 bits, the same everywhere. */
export function picker(seed: number): Pick {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) % below;
  };
}

interface Deed {
  readonly name: string;
  readonly verb: string;
  readonly colour: string;
  readonly thing: string;
  readonly place: string;
}

/** Some deeds with people, things and places that differ from each other. */
function deeds(pick: Pick, count: number): readonly Deed[] {
  const chosen = (words: readonly string[]): readonly string[] => sample(words, count, pick);
  const [who, what, where, tint] = [chosen(names), chosen(things), chosen(places), chosen(colours)];
  return Array.from({ length: count }, (_, i) => ({
    name: who[i] ?? "",
    verb: verbs[pick(verbs.length)] ?? "",
    colour: tint[i] ?? "",
    thing: what[i] ?? "",
    place: where[i] ?? "",
  }));
}

function sample(words: readonly string[], count: number, pick: Pick): readonly string[] {
  const rest = [...words];
  return Array.from({ length: count }, () => rest.splice(pick(rest.length), 1)[0] ?? "");
}

function told({ name, verb, colour, thing, place }: Deed): string {
  return `${name} ${verb} the ${colour} ${thing} ${place}.`;
}

/** A paragraph: deeds told, then some of them asked about or told again in other words. */
export function paragraph(pick: Pick): string {
  const all = deeds(pick, 1 + pick(2));
  const echoes = Array.from({ length: 4 + pick(5) }, () =>
    echo(all[pick(all.length)] ?? all[0], pick),
  );
  return [...all.map(told), ...echoes].join(" ");
}

function echo(deed: Deed | undefined, pick: Pick): string {
  if (!deed) return "";
  const { name, verb, colour, thing, place } = deed;
  const forms = [
    `Where is the ${thing}? It is ${place}.`,
    `Who ${verb} the ${thing}? It was ${name}.`,
    `What is ${place}? It is the ${thing}.`,
    `Which ${thing}? It is the ${colour} ${thing}.`,
    `What did ${name} have? It was the ${colour} ${thing}.`,
    `The ${colour} ${thing} is ${place}.`,
    told(deed),
  ];
  return forms[pick(forms.length)] ?? "";
}

export interface Task {
  readonly prompt: string;
  readonly completion: string;
}

/**
 * The task: who and which colour, in two words. The base has read such stories and answers to such questions in
 * whole sentences, never in this form.
 */
export function task(pick: Pick): Task {
  const [deed] = deeds(pick, 1);
  if (!deed) return { prompt: "", completion: "" };
  const { name, colour, thing } = deed;
  return { prompt: `${told(deed)} What is the ${thing}?`, completion: ` ${name} ${colour}.` };
}
