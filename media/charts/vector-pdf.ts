/** @file A chart as a PDF of lines and text: what `svg-text.ts` writes, shape by shape. */
import { bytesOf, pdfPage } from "./pdf.ts";
import { setText } from "./pdf-text.ts";

/** Points for a pixel of the drawing. */
const scale = 0.75;

/** `undefined` where a shape, a colour or a character has no form here; a picture then serves. */
export function vectorPdf(svg: string): Uint8Array<ArrayBuffer> | undefined {
  const [, width, height] = /^<svg [^>]*width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  if (width === undefined || height === undefined) return undefined;
  const page = { width: Number(width), height: Number(height) };
  const drawn: string[] = [`${scale} 0 0 -${scale} 0 ${number(scale * page.height)} cm`];
  for (const [, name = "", list = "", text = ""] of svg.matchAll(
    /<(?!svg|\/)(\w+)([^>]*?)\/?>([^<]*)/g,
  )) {
    const shape = shapes[name]?.(attributesOf(list), text, page);
    if (shape === undefined) return undefined;
    drawn.push(shape);
  }
  const font = (base: string, encoding: string): readonly Uint8Array[] => [
    bytesOf(`<< /Type /Font /Subtype /Type1 /BaseFont /${base}${encoding} >>`),
  ];
  const size = { width: rounded(scale * page.width), height: rounded(scale * page.height) };
  const drawing = drawn.join("\n");
  const resources = "/Font << /Helvetica 5 0 R /Symbol 6 0 R >>";
  return pdfPage({ ...size, drawing, resources }, [
    font("Helvetica", " /Encoding /WinAnsiEncoding"),
    font("Symbol", ""),
  ]);
}

type Attributes = ReadonlyMap<string, string>;

interface Page {
  readonly width: number;
  readonly height: number;
}

/** What each element draws, in the language of PDF (ISO 32000-1, annex A). */
const shapes: Readonly<
  Record<string, (attributes: Attributes, text: string, page: Page) => string | undefined>
> = {
  rect(attributes, _text, page) {
    const fill = colorOf(attributes.get("fill"));
    if (fill === undefined) return undefined;
    const size = (name: "width" | "height"): number =>
      attributes.get(name) === "100%" ? page[name] : numberOf(attributes, name);
    const place = [
      numberOf(attributes, "x"),
      numberOf(attributes, "y"),
      size("width"),
      size("height"),
    ];
    return `${fill} rg ${place.map(number).join(" ")} re f`;
  },
  line(attributes) {
    const stroke = colorOf(attributes.get("stroke"));
    const [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map((name) =>
      number(numberOf(attributes, name)),
    );
    return stroke && `${stroke} RG 1 w ${x1} ${y1} m ${x2} ${y2} l S`;
  },
  path(attributes) {
    const stroke = colorOf(attributes.get("stroke"));
    const steps = [...(attributes.get("d") ?? "").matchAll(/([ML])(-?[\d.]+) (-?[\d.]+)/g)].map(
      ([, kind, x, y]) => `${x} ${y} ${kind === "M" ? "m" : "l"}`,
    );
    const wide = attributes.get("stroke-width") ?? "1";
    return stroke && `${stroke} RG ${wide} w ${steps.join(" ")} S`;
  },
  circle(attributes) {
    const fill = colorOf(attributes.get("fill"));
    const [x, y, r] = ["cx", "cy", "r"].map((name) => numberOf(attributes, name));
    if (fill === undefined || x === undefined || y === undefined || r === undefined)
      return undefined;
    // Four arcs, each a cubic that is nearly one.
    const k = 0.5523 * r;
    const arc = (...places: readonly number[]): string => `${places.map(number).join(" ")} c`;
    return [
      `${fill} rg ${number(x + r)} ${number(y)} m`,
      arc(x + r, y + k, x + k, y + r, x, y + r),
      arc(x - k, y + r, x - r, y + k, x - r, y),
      arc(x - r, y - k, x - k, y - r, x, y - r),
      arc(x + k, y - r, x + r, y - k, x + r, y),
      "f",
    ].join(" ");
  },
  text(attributes, text) {
    const set = setText(unescaped(text));
    if (set === undefined) return undefined;
    const size = Number(attributes.get("font-size") ?? 12);
    const anchor = attributes.get("text-anchor");
    const share = anchor === "middle" ? 0.5 : anchor === "end" ? 1 : 0;
    const back = (share * size * set.width) / 1000;
    const turned = /^translate\((\S+) (\S+)\) rotate\(-90\)$/.exec(
      attributes.get("transform") ?? "",
    );
    // The page's axis goes down: letters are turned over again, or stand upright along it.
    const matrix =
      turned === null
        ? [1, 0, 0, -1, numberOf(attributes, "x") - back, numberOf(attributes, "y")]
        : [0, -1, -1, 0, Number(turned[1]), Number(turned[2]) + back];
    const shown = set.pieces.map(({ font, bytes }) => `/${font} ${size} Tf <${hex(bytes)}> Tj`);
    return `BT 0.2 0.2 0.2 rg ${matrix.map(number).join(" ")} Tm ${shown.join(" ")} ET`;
  },
};

function attributesOf(list: string): Attributes {
  return new Map(
    [...list.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

function numberOf(attributes: Attributes, name: string): number {
  return Number(attributes.get(name) ?? 0);
}

/** `#ddd`, `#1a2b3c` or `rgb(1, 2, 3)` as PDF's three shares. */
function colorOf(color: string | undefined): string | undefined {
  const [, short] = /^#([\da-f]{3})$/i.exec(color ?? "") ?? [];
  const [, long = short?.replaceAll(/./g, "$&$&")] = /^#([\da-f]{6})$/i.exec(color ?? "") ?? [];
  const parts =
    long === undefined
      ? /^rgb\((\d+), (\d+), (\d+)\)$/
          .exec(color ?? "")
          ?.slice(1)
          .map(Number)
      : [0, 2, 4].map((at) => Number.parseInt(long.slice(at, at + 2), 16));
  return parts?.map((part) => number(part / 255)).join(" ");
}

function number(value: number): string {
  return String(rounded(value));
}

function rounded(value: number): number {
  return Math.round(1000 * value) / 1000;
}

function hex(bytes: string): string {
  return Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
