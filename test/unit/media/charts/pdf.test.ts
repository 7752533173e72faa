/** @file Pictures as PDF: the table of places holds, and the picture is in it as it was. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { pdfOf } from "../../../../media/charts/pdf.ts";

it("finds every object at its place, and the picture whole", () => {
  const jpeg = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
  const bytes = Buffer.from(pdfOf({ jpeg, width: 800, height: 400 }, 150));
  const text = bytes.toString("latin1");
  const table = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1]);
  assert.equal(text.slice(table, table + 9), "xref\n0 6\n");
  const places = [...text.slice(table).matchAll(/^(\d{10}) 00000 n $/gm)].map(([, at]) =>
    Number(at),
  );
  assert.equal(places.length, 5);
  for (const [index, place] of places.entries())
    assert.equal(text.slice(place, place + 7), `${index + 1} 0 obj`);
  assert.match(text, /\/MediaBox \[0 0 150 75\]/);
  assert.match(text, /\/DCTDecode \/Length 300 >>/);
  const from = text.indexOf("/DCTDecode");
  const begin = text.indexOf("stream\n", from) + 7;
  assert.deepEqual(new Uint8Array(bytes.subarray(begin, begin + 300)), jpeg);
});
