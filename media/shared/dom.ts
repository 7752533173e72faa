/** @file Makes elements: attributes, listeners and children in one call. */

export type Child = Node | string | undefined;

/** What an element is given; `on` holds listeners by event, `data` values of `data-…`. */
export interface Given {
  readonly class?: string;
  readonly text?: string;
  readonly title?: string;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly on?: Readonly<Record<string, (event: Event) => void>>;
}

export function element<N extends keyof HTMLElementTagNameMap>(
  name: N,
  given: Given = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[N] {
  const made = document.createElement(name);
  fill(made, given, children);
  return made;
}

const svgNamespace = "http://www.w3.org/2000/svg";

export function svgElement<N extends keyof SVGElementTagNameMap>(
  name: N,
  given: Given = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[N] {
  const made = document.createElementNS(svgNamespace, name);
  fill(made, given, children);
  return made;
}

function fill(made: Element, given: Given, children: readonly Child[]): void {
  if (given.class !== undefined) made.setAttribute("class", given.class);
  if (given.text !== undefined) made.textContent = given.text;
  if (given.title !== undefined) made.setAttribute("title", given.title);
  for (const [name, value] of Object.entries(given.attributes ?? {}))
    if (value !== false) made.setAttribute(name, value === true ? "" : String(value));
  for (const [event, listener] of Object.entries(given.on ?? {}))
    made.addEventListener(event, listener);
  made.append(...children.filter((child) => child !== undefined));
}

/** Puts these in place of what is there. */
export function replaceWith(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren(...children.filter((child) => child !== undefined));
}

/** A button with words on it. */
export function button(text: string, act: () => void, given: Given = {}): HTMLButtonElement {
  return element("button", {
    ...given,
    text,
    attributes: { type: "button", ...given.attributes },
    on: { click: act },
  });
}

/** A box to tick, with its words. */
export function checkbox(
  text: string,
  checked: boolean,
  act: (on: boolean) => void,
): HTMLLabelElement {
  const box = element("input", { attributes: { type: "checkbox", checked } });
  box.addEventListener("change", () => act(box.checked));
  return element("label", { class: "check" }, box, text);
}

export interface Choice {
  readonly value: string;
  readonly text: string;
}

/** A list to choose one of. */
export function select(
  label: string,
  choices: readonly Choice[],
  chosen: string,
  act: (value: string) => void,
): HTMLLabelElement {
  const list = element(
    "select",
    {},
    ...choices.map(({ value, text }) =>
      element("option", { text, attributes: { value, selected: value === chosen } }),
    ),
  );
  list.addEventListener("change", () => act(list.value));
  return element("label", { class: "field" }, element("span", { text: label }), list);
}

/** A slider with its value beside it. */
export function slider(
  label: string,
  range: {
    readonly min: number;
    readonly max: number;
    readonly step: number;
    readonly value: number;
  },
  format: (value: number) => string,
  act: (value: number) => void,
): HTMLLabelElement {
  const shown = element("output", { text: format(range.value) });
  const input = element("input", {
    attributes: {
      type: "range",
      min: range.min,
      max: range.max,
      step: range.step,
      value: range.value,
    },
  });
  input.addEventListener("input", () => {
    shown.textContent = format(input.valueAsNumber);
    act(input.valueAsNumber);
  });
  return element("label", { class: "field" }, element("span", { text: label }), input, shown);
}
