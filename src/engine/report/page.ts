/** @file A report as one HTML page: opens alone, asks no network, light and dark; each chart with its table, CSV and SVG. */
import { escape } from "./svg.ts";

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export type Block =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "paragraph"; readonly text: string }
  /** Text that comes of the training data. */
  | { readonly kind: "sample"; readonly text: string }
  | { readonly kind: "table"; readonly caption: string; readonly table: Table }
  | {
      readonly kind: "chart";
      readonly caption: string;
      readonly svg: string;
      readonly table: Table;
    };

const css =
  ":root{color-scheme:light dark;--fg:#222;--bg:#fff;--line:#ccc;--soft:#f4f4f4}@media(prefers-color-scheme:dark){:root{--fg:#ddd;--bg:#1b1b1b;--line:#444;--soft:#262626}}" +
  "body{font:15px/1.5 sans-serif;color:var(--fg);background:var(--bg);max-width:900px;margin:2em auto;padding:0 1em}h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2em}" +
  "figure{margin:1.5em 0}figcaption,.c{font-size:.9em;opacity:.85}table{border-collapse:collapse;font-size:.85em;margin:.6em 0;display:block;overflow-x:auto}td,th{border-bottom:1px solid var(--line);padding:.15em .6em;text-align:right;white-space:nowrap}td:first-child,th:first-child{text-align:left}" +
  "pre{background:var(--soft);padding:.6em;white-space:pre-wrap}a{color:inherit}svg{max-width:100%;height:auto}summary{cursor:pointer}";

/** `withoutText` leaves out whatever comes of the training data. */
export function reportPage(
  title: string,
  blocks: readonly Block[],
  { withoutText }: { readonly withoutText: boolean },
): string {
  const shown = blocks.filter(({ kind }) => !withoutText || kind !== "sample");
  const body = shown.map((block, index) => blockHtml(block, index)).join("\n");
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"><title>${escape(title)}</title><style>${css}</style></head><body>\n<h1>${escape(title)}</h1>\n${body}\n</body></html>\n`;
}

function blockHtml(block: Block, index: number): string {
  switch (block.kind) {
    case "heading":
      return `<h2>${escape(block.text)}</h2>`;
    case "paragraph":
      return `<p>${escape(block.text)}</p>`;
    case "sample":
      return `<pre>${escape(block.text)}</pre>`;
    case "table":
      return `<figure>${tableHtml(block.table)}<figcaption>${escape(block.caption)} ${download("CSV", `table-${index}.csv`, "text/csv", csv(block.table))}</figcaption></figure>`;
    case "chart":
      return `<figure>${block.svg}<figcaption>${escape(block.caption)} ${download("CSV", `chart-${index}.csv`, "text/csv", csv(block.table))} ${download("SVG", `chart-${index}.svg`, "image/svg+xml", block.svg)}</figcaption><details><summary class="c">Table</summary>${tableHtml(block.table)}</details></figure>`;
  }
}

function tableHtml({ head, rows }: Table): string {
  const line = (cells: readonly (string | number)[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(String(cell))}</${tag}>`).join("")}</tr>`;
  return `<table><thead>${line(head, "th")}</thead><tbody>${rows.map((row) => line(row, "td")).join("")}</tbody></table>`;
}

/** RFC 4180. */
export function csv({ head, rows }: Table): string {
  const cell = (value: string | number): string => {
    const written = String(value);
    return /[",\r\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written;
  };
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function download(label: string, name: string, type: string, content: string): string {
  const data = Buffer.from(content, "utf8").toString("base64");
  return `<a download="${name}" href="data:${type};base64,${data}">${label}</a>`;
}
