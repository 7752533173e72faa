/** @file What charts as SVG share: colours, axes, text; each stands alone, light and dark by itself. */

/** Okabe and Ito's colours, told apart by people who see few; black and white are left to the page. */
export const colours = [
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
  "<style>svg.chart text{font:12px sans-serif;fill:#222}svg.chart .g{stroke:#ccc}svg.chart .r{stroke:#222}svg.chart{background:#fff}@media(prefers-color-scheme:dark){svg.chart text{fill:#ddd}svg.chart .g{stroke:#444}svg.chart .r{stroke:#ddd}svg.chart{background:#1b1b1b}}</style>";

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

export function svg(w: number, h: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${f(w)} ${f(h)}" width="${f(w)}" role="img">${style}${parts.join("")}</svg>`;
}

export function text(x: number, y: number, value: string, anchor: string): string {
  return `<text x="${f(x)}" y="${f(y)}" text-anchor="${anchor}">${escape(value)}</text>`;
}

export function f(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function extent(values: readonly number[]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

export function ticks(low: number, high: number): readonly number[] {
  const raw = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw) ?? raw;
  const from = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - from + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (from + i) * step);
}
