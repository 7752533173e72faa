/** @file Files of PDF 1.4 (ISO 32000-1, 7.5), the least that they ask for; a picture as one page. */

export interface Picture {
  /** A whole JPEG file in RGB. */
  readonly jpeg: Uint8Array;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** The page is `points` wide, 1/72 inch each, and as high as the picture then is. */
export function pdfOf({ jpeg, width, height }: Picture, points: number): Uint8Array<ArrayBuffer> {
  const high = Math.round((100 * points * height) / width) / 100;
  const drawing = `q ${points} 0 0 ${high} 0 0 cm /Picture Do Q`;
  const page = { width: points, height: high, drawing, resources: "/XObject << /Picture 5 0 R >>" };
  return pdfPage(page, [
    [
      bytesOf(
        `<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode /Length ${jpeg.length} >>\nstream\n`,
      ),
      jpeg,
      bytesOf("\nendstream"),
    ],
  ]);
}

/** A page of so many points, and what draws on it. */
export interface PdfPage {
  readonly width: number;
  readonly height: number;
  /** The operators (ISO 32000-1, annex A), a byte for each character. */
  readonly drawing: string;
  /** The entries of its dictionary of resources. */
  readonly resources: string;
}

/** A file of one page; the objects that its resources name count from 5. */
export function pdfPage(
  { width, height, drawing, resources }: PdfPage,
  objects: readonly (readonly Uint8Array[])[],
): Uint8Array<ArrayBuffer> {
  const page = `/MediaBox [0 0 ${width} ${height}] /Contents 4 0 R /Resources << ${resources} >>`;
  return pdfFile([
    [bytesOf("<< /Type /Catalog /Pages 2 0 R >>")],
    [bytesOf("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")],
    [bytesOf(`<< /Type /Page /Parent 2 0 R ${page} >>`)],
    [bytesOf(`<< /Length ${drawing.length} >>\nstream\n${drawing}\nendstream`)],
    ...objects,
  ]);
}

/** A file of objects, the first of them the catalog, with the table of their places. */
function pdfFile(objects: readonly (readonly Uint8Array[])[]): Uint8Array<ArrayBuffer> {
  const head = bytesOf("%PDF-1.4\n%\u00e2\u00e3\u00cf\u00d3\n");
  const parts = [head];
  const places: number[] = [];
  let at = head.length;
  const add = (part: Uint8Array): void => {
    parts.push(part);
    at += part.length;
  };
  for (const [index, body] of objects.entries()) {
    places.push(at);
    add(bytesOf(`${index + 1} 0 obj\n`));
    body.forEach(add);
    add(bytesOf("\nendobj\n"));
  }
  const rows = places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`).join("");
  const count = objects.length + 1;
  add(
    bytesOf(
      `xref\n0 ${count}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${at}\n%%EOF\n`,
    ),
  );
  const whole = new Uint8Array(at);
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

/** A byte for each character: nothing here is beyond Latin-1. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
