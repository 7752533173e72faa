/**
 * @file Text in a PDF without a font of its own: Helvetica and Symbol, which every reader brings (ISO 32000-1, 9.6.2.2),
 * with their widths in thousandths of the size.
 */

/** Pieces of one font each, as bytes, and how wide all of them are. */
export interface SetText {
  readonly pieces: readonly { readonly font: "Helvetica" | "Symbol"; readonly bytes: string }[];
  readonly width: number;
}

/** Helvetica's widths from the space to the tilde. */
const widths = (
  "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556 " +
  "1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 " +
  "333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
  .split(" ")
  .map(Number);

/** Beyond Latin-1 in WinAnsiEncoding (ISO 32000-1, annex D): the byte and its width. */
const more: Readonly<Record<string, readonly [byte: number, width: number]>> = {
  "–": [0x96, 556],
  "—": [0x97, 1000],
  "‘": [0x91, 222],
  "’": [0x92, 222],
  "“": [0x93, 333],
  "”": [0x94, 333],
  "„": [0x84, 333],
  "…": [0x85, 1000],
  "•": [0x95, 350],
};

/** Of the font Symbol, in its own encoding. */
const symbols: Readonly<Record<string, readonly [byte: number, width: number]>> = {
  α: [0x61, 631],
  β: [0x62, 549],
  γ: [0x67, 411],
  δ: [0x64, 494],
  ε: [0x65, 439],
  θ: [0x71, 521],
  κ: [0x6b, 549],
  λ: [0x6c, 549],
  μ: [0x6d, 576],
  π: [0x70, 549],
  ρ: [0x72, 549],
  σ: [0x73, 603],
  τ: [0x74, 439],
  φ: [0x66, 521],
  χ: [0x63, 549],
  ω: [0x77, 686],
  Δ: [0x44, 612],
  Σ: [0x53, 592],
  Ω: [0x57, 768],
  "√": [0xd6, 549],
  "≈": [0xbb, 549],
  "≤": [0xa3, 549],
  "≥": [0xb3, 549],
  "∞": [0xa5, 713],
  "−": [0x2d, 549],
  "→": [0xae, 987],
  "′": [0xa2, 247],
};

/** `undefined` where a character is in neither font. */
export function setText(text: string): SetText | undefined {
  const pieces: { font: "Helvetica" | "Symbol"; bytes: string }[] = [];
  let width = 0;
  for (const letter of text.replaceAll("‖", "||").replaceAll(/[\u00a0\u202f]/g, " ")) {
    const symbol = symbols[letter];
    const [byte, wide] = symbol ?? latin(letter);
    if (byte === undefined) return undefined;
    const font = symbol === undefined ? "Helvetica" : "Symbol";
    const last = pieces.at(-1);
    if (last?.font === font) last.bytes += String.fromCharCode(byte);
    else pieces.push({ font, bytes: String.fromCharCode(byte) });
    width += wide;
  }
  return { pieces, width };
}

function latin(letter: string): readonly [byte: number | undefined, width: number] {
  const known = more[letter];
  if (known !== undefined) return known;
  const code = letter.codePointAt(0) ?? 0;
  const wide = widths[code - 0x20];
  if (wide !== undefined) return [code, wide];
  if (code < 0xa1 || code > 0xff) return [undefined, 0];
  // Letters with accents are as wide as without.
  const plain = letter.normalize("NFD").codePointAt(0) ?? 0;
  return [code, widths[plain - 0x20] ?? (letter === "×" ? 584 : letter === "·" ? 278 : 556)];
}
