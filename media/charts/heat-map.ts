/** @file A matrix as coloured cells on a canvas: one pixel a cell, scaled by the browser, so that a million cells stay quick. */
import { element } from "../shared/dom.ts";
import { onThemeChange, themeColor } from "../shared/page.ts";
import type { Scale } from "./colors.ts";
import { colorAt, css, scales } from "./colors.ts";
import type { Drawing } from "./figure.ts";
import { short } from "./numbers.ts";
import { cellsSvg } from "./svg-text.ts";

export interface HeatMapOptions {
  readonly title: string;
  /** Of the two axes, for the cell's description. */
  readonly rowAxis: string;
  readonly columnAxis: string;
  readonly format?: (value: number) => string;
  /** A cell was clicked, or Enter was pressed on it. */
  readonly choose?: (row: number, column: number) => void;
  /** Cells of at least so many pixels; many cells are as small as they must be. */
  readonly cellHeight?: number;
}

export interface HeatMapData {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** [rows, columns], row by row; NaN is an empty cell. */
  readonly values: ArrayLike<number>;
  readonly scale: Scale;
  /** What the ends of the scale stand for. */
  readonly low: number;
  readonly high: number;
  /** Cells to be marked, as row · columns + column. */
  readonly marked?: ReadonlySet<number>;
}

export interface HeatMap extends Drawing {
  readonly set: (data: HeatMapData) => void;
}

interface View {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
}

const none: HeatMapData = { rows: [], columns: [], values: [], scale: "value", low: 0, high: 1 };
/** Room for the names of rows and columns. */
const margin = { left: 116, bottom: 20, right: 4, top: 4 } as const;

export function heatMap(options: HeatMapOptions): HeatMap {
  const { format = short } = options;
  const canvas = element("canvas", {
    attributes: { tabindex: 0, role: "img", "aria-label": options.title },
  });
  const told = element("div", { class: "told", attributes: { "aria-live": "polite" } });
  const legend = element("div", { class: "legend" });
  const box = element("div", { class: "cells" }, canvas, told, legend);
  /** The cells, one pixel each. */
  const image = document.createElement("canvas");
  let data = none;
  let view: View = { row: 0, column: 0, rows: 1, columns: 1 };
  let at: { readonly row: number; readonly column: number } | undefined;

  const draw = (): void => {
    const ratio = window.devicePixelRatio;
    const width = Math.max(120, box.clientWidth);
    const wanted = (options.cellHeight ?? 14) * data.rows.length;
    const height =
      margin.top +
      margin.bottom +
      Math.min(Math.max(wanted, 60), Math.max(220, width - margin.left));
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    if (pen === null || data.rows.length === 0) return;
    pen.scale(ratio, ratio);
    pen.imageSmoothingEnabled = false;
    const area = areaOf(width, height);
    pen.drawImage(
      image,
      view.column,
      view.row,
      view.columns,
      view.rows,
      area.left,
      area.top,
      area.width,
      area.height,
    );
    drawNames(pen, area);
    drawMarks(pen, area);
  };
  const areaOf = (width: number, height: number) => ({
    left: margin.left,
    top: margin.top,
    width: width - margin.left - margin.right,
    height: height - margin.top - margin.bottom,
  });
  type Area = ReturnType<typeof areaOf>;

  const drawNames = (pen: CanvasRenderingContext2D, area: Area): void => {
    pen.fillStyle = themeColor("foreground", "#888");
    pen.font = "11px sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    const rowHeight = area.height / view.rows;
    const everyRow = Math.ceil(12 / rowHeight);
    for (let row = Math.ceil(view.row); row < view.row + view.rows; row += everyRow)
      pen.fillText(
        fitted(pen, data.rows[row] ?? "", margin.left - 8),
        margin.left - 6,
        area.top + (row - view.row + 0.5) * rowHeight,
      );
    pen.textAlign = "center";
    const columnWidth = area.width / view.columns;
    const widest = Math.max(
      ...data.columns.slice(0, 200).map((name) => pen.measureText(name).width),
    );
    const everyColumn = Math.ceil((widest + 6) / columnWidth);
    for (
      let column = Math.ceil(view.column);
      column < view.column + view.columns;
      column += everyColumn
    )
      pen.fillText(
        data.columns[column] ?? "",
        area.left + (column - view.column + 0.5) * columnWidth,
        area.top + area.height + 10,
      );
  };
  const drawMarks = (pen: CanvasRenderingContext2D, area: Area): void => {
    const cell = { width: area.width / view.columns, height: area.height / view.rows };
    const outline = (row: number, column: number, color: string, width: number): void => {
      pen.strokeStyle = color;
      pen.lineWidth = width;
      pen.strokeRect(
        area.left + (column - view.column) * cell.width + width / 2,
        area.top + (row - view.row) * cell.height + width / 2,
        Math.max(1, cell.width - width),
        Math.max(1, cell.height - width),
      );
    };
    pen.save();
    pen.beginPath();
    pen.rect(area.left, area.top, area.width, area.height);
    pen.clip();
    for (const place of data.marked ?? [])
      outline(
        Math.floor(place / data.columns.length),
        place % data.columns.length,
        themeColor("editorWarning-foreground", "#d80"),
        1.5,
      );
    if (at !== undefined) outline(at.row, at.column, themeColor("focusBorder", "#08f"), 2);
    pen.restore();
  };

  const tell = (): void => {
    if (at === undefined) {
      told.textContent = "\u00a0";
      return;
    }
    const { row, column } = at;
    const value = data.values[row * data.columns.length + column] ?? NaN;
    told.textContent = `${data.rows[row] ?? ""} · ${options.columnAxis} ${data.columns[column] ?? ""}: ${format(value)}`;
  };
  const move = (row: number, column: number): void => {
    at = {
      row: Math.min(data.rows.length - 1, Math.max(0, row)),
      column: Math.min(data.columns.length - 1, Math.max(0, column)),
    };
    draw();
    tell();
  };
  const placeOf = (
    event: MouseEvent,
  ): { readonly row: number; readonly column: number; readonly inside: boolean } => {
    const area = areaOf(canvas.clientWidth, canvas.clientHeight);
    const row = Math.floor(view.row + ((event.offsetY - area.top) / area.height) * view.rows);
    const column = Math.floor(
      view.column + ((event.offsetX - area.left) / area.width) * view.columns,
    );
    const inside =
      row >= 0 &&
      row < data.rows.length &&
      column >= 0 &&
      column < data.columns.length &&
      event.offsetX >= area.left;
    return { row, column, inside };
  };
  canvas.addEventListener("mousemove", (event) => {
    const place = placeOf(event);
    if (place.inside && (place.row !== at?.row || place.column !== at.column))
      move(place.row, place.column);
  });
  canvas.addEventListener("click", (event) => {
    const place = placeOf(event);
    if (place.inside) options.choose?.(place.row, place.column);
  });
  canvas.addEventListener("dblclick", () => {
    view = whole(data);
    draw();
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && data.rows.length * data.columns.length < 10_000) return;
      event.preventDefault();
      const place = placeOf(event);
      view = zoomed(view, place.row + 0.5, place.column + 0.5, event.deltaY > 0 ? 1.25 : 0.8, data);
      draw();
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    const from = at ?? { row: 0, column: 0 };
    const step = keySteps.get(event.key);
    if (step !== undefined) move(from.row + step[0], from.column + step[1]);
    else if (event.key === "Enter" || event.key === " ") options.choose?.(from.row, from.column);
    else if (event.key === "+" || event.key === "-") {
      view = zoomed(
        view,
        from.row + 0.5,
        from.column + 0.5,
        event.key === "-" ? 1.5 : 1 / 1.5,
        data,
      );
      draw();
    } else return;
    event.preventDefault();
  });
  new ResizeObserver(draw).observe(box);
  onThemeChange(draw);

  return {
    element: box,
    set(next) {
      const isSameSize =
        next.rows.length === data.rows.length && next.columns.length === data.columns.length;
      data = next;
      if (!isSameSize) {
        view = whole(data);
        at = undefined;
      }
      paint(image, data);
      legend.replaceChildren(...legendParts(data, format));
      draw();
      tell();
    },
    table: () => ({
      columns: [options.rowAxis, ...data.columns],
      rows: data.rows.map((name, row) => [
        name,
        ...data.columns.map((_, column) => data.values[row * data.columns.length + column]),
      ]),
    }),
    svg: () =>
      cellsSvg({
        title: options.title,
        rows: data.rows,
        columns: data.columns,
        fill(row, column) {
          const color = colorAt(data.scale, shareOf(data, row * data.columns.length + column));
          return color && css(color);
        },
      }),
  };
}

const keySteps: ReadonlyMap<string, readonly [rows: number, columns: number]> = new Map([
  ["ArrowUp", [-1, 0]],
  ["ArrowDown", [1, 0]],
  ["ArrowLeft", [0, -1]],
  ["ArrowRight", [0, 1]],
]);

function whole({ rows, columns }: HeatMapData): View {
  return {
    row: 0,
    column: 0,
    rows: Math.max(1, rows.length),
    columns: Math.max(1, columns.length),
  };
}

/** The view with the cell at (row, column) where it was, `factor` times as many cells, none outside of the data. */
function zoomed(
  view: View,
  row: number,
  column: number,
  factor: number,
  { rows, columns }: HeatMapData,
): View {
  const across = (
    start: number,
    size: number,
    place: number,
    all: number,
  ): readonly [number, number] => {
    const wanted = Math.min(all, Math.max(Math.min(8, all), size * factor));
    const first = place - ((place - start) / size) * wanted;
    return [Math.min(all - wanted, Math.max(0, first)), wanted];
  };
  const [top, height] = across(view.row, view.rows, row, rows.length);
  const [left, width] = across(view.column, view.columns, column, columns.length);
  return { row: top, column: left, rows: height, columns: width };
}

function shareOf({ values, low, high }: HeatMapData, place: number): number {
  const value = values[place] ?? NaN;
  return high > low ? (value - low) / (high - low) : Number.isNaN(value) ? NaN : 0.5;
}

/** Colours as ImageData holds them on the little-endian machines that browsers run on. */
const wordsOf: { readonly [S in Scale]: Uint32Array } = {
  value: wordsOfScale("value"),
  difference: wordsOfScale("difference"),
};

function wordsOfScale(name: Scale): Uint32Array {
  return Uint32Array.from(
    scales[name],
    ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0,
  );
}

function paint(image: HTMLCanvasElement, data: HeatMapData): void {
  image.width = Math.max(1, data.columns.length);
  image.height = Math.max(1, data.rows.length);
  const pen = image.getContext("2d");
  if (pen === null) return;
  const pixels = pen.createImageData(image.width, image.height);
  // A million cells: one word a pixel, and nothing made for each.
  const words = new Uint32Array(pixels.data.buffer);
  const colors = wordsOf[data.scale];
  const { values, low, high } = data;
  const factor = high > low ? 255 / (high - low) : 0;
  const offset = high > low ? 0 : 127.5;
  for (let place = 0; place < values.length; place += 1) {
    const share = ((values[place] ?? NaN) - low) * factor + offset;
    if (!Number.isNaN(share))
      words[place] = colors[share < 0 ? 0 : share > 255 ? 255 : Math.round(share)] ?? 0;
  }
  pen.putImageData(pixels, 0, 0);
}

function legendParts(
  { scale, low, high }: HeatMapData,
  format: (value: number) => string,
): readonly Node[] {
  const bar = element("canvas", { attributes: { width: 256, height: 1, "aria-hidden": true } });
  const pen = bar.getContext("2d");
  for (const [place, color] of scales[scale].entries()) {
    if (pen === null) break;
    pen.fillStyle = css(color);
    pen.fillRect(place, 0, 1, 1);
  }
  return [element("span", { text: format(low) }), bar, element("span", { text: format(high) })];
}

/** A text cut from the left, since names differ at their ends. */
function fitted(pen: CanvasRenderingContext2D, text: string, width: number): string {
  if (pen.measureText(text).width <= width) return text;
  let cut = text;
  while (cut.length > 1 && pen.measureText(`…${cut}`).width > width) cut = cut.slice(1);
  return `…${cut}`;
}
