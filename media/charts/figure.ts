/** @file What every chart stands in: its title, the table behind it, and its export. */
import { button, element, replaceWith } from "../shared/dom.ts";
import type { Say } from "../shared/say.ts";
import { pdfOf } from "./pdf.ts";
import { vectorPdf } from "./vector-pdf.ts";
import type { Table } from "./table.ts";
import { csvOf, tableElement } from "./table.ts";

/** What a chart must be able to do to stand in a figure. */
export interface Drawing {
  readonly element: Element;
  /** The numbers that it shows, whole. */
  readonly table: () => Table;
  /** As a picture of its own, on a light ground. */
  readonly svg: () => string;
}

export interface FigureOptions {
  readonly title: string;
  /** Where the numbers come from: n, seeds, thresholds, version. */
  readonly caption?: string;
  /** Of the files that are saved, without an ending. */
  readonly fileName: string;
  readonly say: Say;
  readonly save: (file: { readonly name: string; readonly content: string | Uint8Array }) => void;
  /** Put into the row of the title: switches of this chart. */
  readonly controls?: readonly Element[];
}

/** A figure with its switches: table or chart, CSV, SVG, PNG. */
export function figure(drawing: Drawing, options: FigureOptions): HTMLElement {
  const { title, caption, fileName, say, save } = options;
  const place = element("div", { class: "drawing" }, drawing.element);
  let isTable = false;
  const toggle = button(say("Table"), () => {
    isTable = !isTable;
    toggle.setAttribute("aria-pressed", String(isTable));
    replaceWith(
      place,
      isTable ? tableElement(drawing.table(), say("More rows"), title) : drawing.element,
    );
  });
  toggle.setAttribute("aria-pressed", "false");
  const tools = element(
    "div",
    { class: "tools", attributes: { role: "toolbar", "aria-label": title } },
    ...(options.controls ?? []),
    toggle,
    button("CSV", () => save({ name: `${fileName}.csv`, content: csvOf(drawing.table()) })),
    button("SVG", () => save({ name: `${fileName}.svg`, content: drawing.svg() })),
    button("PNG", () => {
      void picture(drawing.svg(), "image/png").then(({ bytes }) => {
        save({ name: `${fileName}.png`, content: bytes });
      });
    }),
    button("PDF", () => {
      const lines = vectorPdf(drawing.svg());
      if (lines !== undefined) {
        save({ name: `${fileName}.pdf`, content: lines });
        return;
      }
      // A name in a script that no font of every reader has.
      void picture(drawing.svg(), "image/jpeg").then(({ bytes, width, height }) => {
        // Three quarters of a point are a pixel; the picture has four of them for each.
        const pdf = pdfOf({ jpeg: bytes, width, height }, (0.75 * width) / scaleOfPictures);
        save({ name: `${fileName}.pdf`, content: pdf });
      });
    }),
  );
  return element(
    "figure",
    {},
    element("div", { class: "head" }, element("h3", { text: title }), tools),
    place,
    caption === undefined ? undefined : element("figcaption", { text: caption }),
  );
}

/** Pictures have so many dots for each of the drawing, in either direction, for print. */
const scaleOfPictures = 4;

async function picture(
  svg: string,
  type: "image/png" | "image/jpeg",
): Promise<{ readonly bytes: Uint8Array; readonly width: number; readonly height: number }> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  const width = (canvas.width = scaleOfPictures * image.width);
  const height = (canvas.height = scaleOfPictures * image.height);
  canvas.getContext("2d")?.drawImage(image, 0, 0, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.95));
  if (blob === null) throw new Error("The picture could not be made.");
  return { bytes: new Uint8Array(await blob.arrayBuffer()), width, height };
}
