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

/** Draws a whole number below a bound. */
export type Draw = (below: number) => number;

/** Whole numbers from a seed: SplitMix over 32 bits, the same everywhere. */
export function drawing(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) % below;
  };
}

export interface Deed {
  readonly name: string;
  readonly verb: string;
  readonly colour: string;
  readonly thing: string;
  readonly place: string;
}

/** What a deed is told for; a deed that is told for one is told for no other. */
export type Part = "train" | "eval" | "test";

/**
 * The part is that of who, what and where together, whatever the verb and the colour: a tenth of these 1,440
 * combinations is kept for `eval`, a tenth for `test`. A hash decides (FNV-1a, 32 bits), so that no list is kept.
 */
export function partOf({ name, thing, place }: Pick<Deed, "name" | "thing" | "place">): Part {
  let hash = 0x811c9dc5;
  for (const character of `${name}, ${thing}, ${place}`)
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  const tenth = hash % 10;
  return tenth === 0 ? "eval" : tenth === 1 ? "test" : "train";
}

/** Deeds of a part; their people, things, places and colours differ from each other. */
function deeds(part: Part, count: number, draw: Draw): readonly Deed[] {
  for (;;) {
    const chosen = (words: readonly string[]): readonly string[] => sample(words, count, draw);
    const [who, what, where, tint] = [
      chosen(names),
      chosen(things),
      chosen(places),
      chosen(colours),
    ];
    const drawn = Array.from({ length: count }, (_, i) => ({
      name: who[i] ?? "",
      verb: verbs[draw(verbs.length)] ?? "",
      colour: tint[i] ?? "",
      thing: what[i] ?? "",
      place: where[i] ?? "",
    }));
    if (drawn.every((deed) => partOf(deed) === part)) return drawn;
  }
}

/** Some of a list, in random order. */
function sample<T>(list: readonly T[], count: number, draw: Draw): readonly T[] {
  const rest = [...list];
  return Array.from({ length: count }, () => rest.splice(draw(rest.length), 1)).flat();
}

function told({ name, verb, colour, thing, place }: Deed): string {
  return `${name} ${verb} the ${colour} ${thing} ${place}`;
}

/** One deed, or two of which the second is told in a sentence of its own or in the same one. */
function story([first, second]: readonly Deed[], draw: Draw): string {
  if (!first) return "";
  if (!second) return `${told(first)}.`;
  return `${told(first)}${draw(2) === 0 ? "." : ", and"} ${told(second)}.`;
}

/** A paragraph: deeds told, then some of them asked about or told again in other words. */
export function paragraph(part: Part, draw: Draw): string {
  const all = deeds(part, 1 + draw(2), draw);
  const echoes = Array.from({ length: 4 + draw(5) }, () => echo(all[draw(all.length)], draw));
  return [story(all, draw), ...echoes].join(" ");
}

function echo(deed: Deed | undefined, draw: Draw): string {
  if (!deed) return "";
  const { name, verb, colour, thing, place } = deed;
  const forms = [
    `Where is the ${thing}? It is ${place}.`,
    `Who ${verb} the ${thing}? It was ${name}.`,
    `What is ${place}? It is the ${thing}.`,
    `Which ${thing}? It is the ${colour} ${thing}.`,
    `What did ${name} have? It was the ${colour} ${thing}.`,
    `The ${colour} ${thing} is ${place}.`,
    `${told(deed)}.`,
  ];
  return forms[draw(forms.length)] ?? "";
}

/** A prompt and how it goes on. */
export interface Example {
  readonly prompt: string;
  readonly completion: string;
}

/**
 * The task: a deed is told and three things are asked about it at once, in any order, to be answered in that order and
 * nothing else. The base has read such stories, questions and answers, but each question by itself.
 */
export function task(part: Part, draw: Draw): Example {
  const [deed] = deeds(part, 1, draw);
  if (!deed) return { prompt: "", completion: "" };
  const { name, colour, thing, place } = deed;
  const asked = sample(
    [
      { question: `Which ${thing}?`, answer: `It is the ${colour} ${thing}.` },
      { question: "Who?", answer: `It was ${name}.` },
      { question: "Where?", answer: `It is ${place}.` },
    ],
    3,
    draw,
  );
  return {
    prompt: [`${told(deed)}.`, ...asked.map(({ question }) => question)].join(" "),
    completion: asked.map(({ answer }) => ` ${answer}`).join(""),
  };
}

/** A paragraph as an example: what is told first, and the rest. Trained on beside the task, less of such text is forgotten. */
export function plainExample(part: Part, draw: Draw): Example {
  const text = paragraph(part, draw);
  const end = text.indexOf(". ") + 1;
  return { prompt: text.slice(0, end), completion: text.slice(end) };
}
