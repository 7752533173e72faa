/** @file The numbers behind a chart: as a table that is read aloud and by keyboard, and as CSV. */
import { element } from "../shared/dom.ts";
import { short } from "./numbers.ts";

export type Cell = number | string | undefined;

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** The head of a column; those of numbers stand at the right. */
export interface ColumnHead {
  readonly text: string;
  readonly isNumber?: boolean;
}

export function tableHead(columns: readonly ColumnHead[]): HTMLTableSectionElement {
  const cells = columns.map(({ text, isNumber }) =>
    element("th", {
      ...(isNumber === true ? { class: "number" } : {}),
      text,
      attributes: { scope: "col" },
    }),
  );
  return element("thead", {}, element("tr", {}, ...cells));
}

/** Rows at a time: a table of 100,000 would hold the page up. */
const rowsAtOnce = 200;

/** The first rows, and a button for more. */
export function tableElement({ columns, rows }: Table, more: string, caption: string): HTMLElement {
  const body = element("tbody");
  const [first = []] = rows;
  const head = tableHead(
    columns.map((text, place) => ({ text, isNumber: typeof first[place] === "number" })),
  );
  let shown = 0;
  const button = element("button", { text: more, attributes: { type: "button" } });
  const showMore = (): void => {
    const next = rows.slice(shown, shown + rowsAtOnce);
    body.append(...next.map(rowElement));
    shown += next.length;
    button.hidden = shown >= rows.length;
  };
  button.addEventListener("click", showMore);
  showMore();
  return element(
    "div",
    { class: "table", attributes: { tabindex: 0, role: "region", "aria-label": caption } },
    element("table", {}, element("caption", { class: "unseen", text: caption }), head, body),
    button,
  );
}

function rowElement(row: readonly Cell[]): HTMLTableRowElement {
  return element(
    "tr",
    {},
    ...row.map((cell) =>
      element("td", {
        class: typeof cell === "number" ? "number" : "",
        text: typeof cell === "string" ? cell : short(cell),
      }),
    ),
  );
}

/** RFC 4180, every digit of the numbers; what is missing is empty. */
export function csvOf({ columns, rows }: Table): string {
  return [columns, ...rows].map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

function field(cell: Cell): string {
  if (cell === undefined || (typeof cell === "number" && Number.isNaN(cell))) return "";
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
