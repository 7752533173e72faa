/** @file Heat maps as SVG: numbers in their cells where there is room, shades alone where there are many. */
import { escape, f, number, svg, text } from "./svg.ts";

export interface HeatMap {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Undefined where there is no such cell. */
  readonly values: readonly (readonly (number | undefined)[])[];
  /** The value of the fullest shade; by default the largest there is. */
  readonly most?: number;
  /** Rows whose names are set off, such as intruders. */
  readonly marked?: ReadonlySet<number>;
}

const room = 96;

export function heatMap(map: HeatMap): string {
  return map.columns.length > 24 ? shades(map) : cells(map);
}

function cells({ rows, columns, values, most: wanted, marked }: HeatMap): string {
  const cell = { width: Math.max(34, Math.min(90, 640 / Math.max(1, columns.length))), height: 22 };
  const most = wanted ?? mostOf(values);
  const parts: string[] = [];
  const letters = Math.max(5, Math.floor(cell.width / 6.5));
  for (const [column, name] of columns.entries()) {
    const short = name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
    parts.push(text(room + (column + 0.5) * cell.width, 14, short, "middle"));
  }
  for (const [row, name] of rows.entries()) {
    parts.push(rowName(name, 36 + row * cell.height, marked?.has(row)));
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

function shades({ rows, columns, values, most: wanted, marked }: HeatMap): string {
  const most = wanted ?? mostOf(values);
  const width = Math.max(1.5, 620 / columns.length);
  const height = 18;
  const parts: string[] = [];
  for (const [row, name] of rows.entries()) {
    const y = 6 + row * height;
    parts.push(rowName(name, y + 13, marked?.has(row)));
    for (const column of columns.keys()) {
      const share = Math.max(0, Math.min(1, (values[row]?.[column] ?? 0) / most));
      // What is hardly there would only make the file long.
      if (share < 0.02) continue;
      parts.push(
        `<rect x="${f(room + column * width)}" y="${y}" width="${f(width + 0.2)}" height="${height - 1}" fill="#0072b2" fill-opacity="${share.toFixed(2)}"/>`,
      );
    }
  }
  const bottom = 6 + rows.length * height;
  for (const column of [0, Math.floor(columns.length / 2), columns.length - 1])
    parts.push(text(room + (column + 0.5) * width, bottom + 16, columns[column] ?? "", "middle"));
  return svg(room + columns.length * width + 20, bottom + 24, parts);
}

function rowName(name: string, y: number, isMarked = false): string {
  const weight = isMarked ? ' style="font-weight:bold;fill:#d55e00"' : "";
  return `<text x="${room - 6}" y="${y}" text-anchor="end"${weight}>${escape(name)}</text>`;
}

function mostOf(values: HeatMap["values"]): number {
  let most = 1e-300;
  for (const value of values.flat())
    if (value !== undefined && Number.isFinite(value)) most = Math.max(most, value);
  return most;
}
