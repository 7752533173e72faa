/** @file Small charts as SVG that stand alone: lines and heat maps, light and dark by themselves. */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly x: string;
  readonly y: string;
  readonly logY?: boolean;
  readonly series: readonly Series[];
}

const [width, height, left, right, top, bottom] = [720, 340, 64, 16, 14, 44];

/** Okabe and Ito's colours, told apart by people who see few; black and white are left to the page. */
const colours = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#e69f00",
  "#8c6d31",
  "#666699",
];

const style =
  "<style>text{font:12px sans-serif;fill:#222}.g{stroke:#ccc}.a{stroke:#666}svg{background:#fff}@media(prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#444}.a{stroke:#999}svg{background:#1b1b1b}}</style>";

/** What is not finite, or not positive on a logarithmic axis, is left out of the drawing; the table has it. */
export function lineChart({ x, y, logY = false, series }: LineChart): string {
  const up = (value: number): number => (logY ? Math.log10(value) : value);
  const drawn = series.map(({ name, points }) => ({
    name,
    points: points.filter(([a, b]) => Number.isFinite(a) && Number.isFinite(up(b))),
  }));
  const all = drawn.flatMap(({ points }) => points);
  const [x0, x1] = extent(all.map(([a]) => a));
  const [y0, y1] = extent(all.map(([, b]) => up(b)));
  const px = (value: number): number => left + ((value - x0) / (x1 - x0)) * (width - left - right);
  const py = (value: number): number =>
    height - bottom - ((value - y0) / (y1 - y0)) * (height - top - bottom);
  const legendRows = Math.ceil(series.length / 4);
  const parts: string[] = [];
  for (const value of ticks(x0, x1))
    parts.push(
      `<line class="g" x1="${f(px(value))}" x2="${f(px(value))}" y1="${top}" y2="${height - bottom}"/>`,
      text(px(value), height - bottom + 16, number(value), "middle"),
    );
  for (const value of ticks(y0, y1))
    parts.push(
      `<line class="g" x1="${left}" x2="${width - right}" y1="${f(py(value))}" y2="${f(py(value))}"/>`,
      text(left - 6, py(value) + 4, number(logY ? 10 ** value : value), "end"),
    );
  for (const [index, { name, points }] of drawn.entries()) {
    const colour = colours[index % colours.length] ?? "#666";
    const dash = index < colours.length ? "" : ' stroke-dasharray="5 3"';
    const path = points.map(([a, b]) => `${f(px(a))},${f(py(up(b)))}`).join(" ");
    if (points.length === 1)
      parts.push(
        `<circle cx="${path.split(",")[0] ?? ""}" cy="${path.split(",")[1] ?? ""}" r="3" fill="${colour}"/>`,
      );
    else
      parts.push(
        `<polyline fill="none" stroke="${colour}" stroke-width="1.6"${dash} points="${path}"/>`,
      );
    const [lx, ly] = [left + (index % 4) * 160, height + 14 + 18 * Math.floor(index / 4)];
    parts.push(
      `<rect x="${lx}" y="${ly - 9}" width="14" height="4" fill="${colour}"/>`,
      text(lx + 20, ly - 3, name.slice(0, 22), "start"),
    );
  }
  parts.push(
    text((left + width - right) / 2, height - 8, x, "middle"),
    `<text transform="translate(14 ${(height - bottom + top) / 2}) rotate(-90)" text-anchor="middle">${escape(y)}${logY ? " (log)" : ""}</text>`,
  );
  return svg(width, height + 18 * legendRows + 6, parts);
}

export interface HeatMap {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Undefined where there is no such cell. */
  readonly values: readonly (readonly (number | undefined)[])[];
}

export function heatMap({ rows, columns, values }: HeatMap): string {
  const cell = { width: Math.max(34, Math.min(90, 640 / Math.max(1, columns.length))), height: 22 };
  const room = 90;
  const known = values
    .flat()
    .filter((value): value is number => value !== undefined && Number.isFinite(value));
  const most = Math.max(...known, 1e-300);
  const parts: string[] = [];
  for (const [column, name] of columns.entries())
    parts.push(text(room + (column + 0.5) * cell.width, 14, name.slice(0, 14), "middle"));
  for (const [row, name] of rows.entries()) {
    parts.push(text(room - 6, 36 + row * cell.height, name, "end"));
    for (const column of columns.keys()) {
      const value = values[row]?.[column];
      if (value === undefined) continue;
      const share = Math.max(0, Math.min(1, value / most));
      const at = `x="${f(room + column * cell.width)}" y="${21 + row * cell.height}" width="${f(cell.width - 1)}" height="${cell.height - 1}"`;
      parts.push(
        `<rect ${at} fill="#0072b2" fill-opacity="${(0.06 + 0.94 * share).toFixed(3)}"><title>${escape(`${name} ${columns[column] ?? ""}: ${number(value)}`)}</title></rect>`,
        `<text x="${f(room + (column + 0.5) * cell.width)}" y="${36 + row * cell.height}" text-anchor="middle"${share > 0.5 ? ' style="fill:#fff"' : ""}>${number(value)}</text>`,
      );
    }
  }
  return svg(room + columns.length * cell.width + 4, 30 + rows.length * cell.height, parts);
}

export function escape(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

export function number(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6))
    return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

function svg(w: number, h: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${f(w)} ${f(h)}" role="img">${style}${parts.join("")}</svg>`;
}

function text(x: number, y: number, value: string, anchor: string): string {
  return `<text x="${f(x)}" y="${f(y)}" text-anchor="${anchor}">${escape(value)}</text>`;
}

function f(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function extent(values: readonly number[]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function ticks(low: number, high: number): readonly number[] {
  const raw = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw) ?? raw;
  const from = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - from + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (from + i) * step);
}
