/** @file Text out of bytes that must be UTF-8: another encoding is named, and never read as replacement characters. */

/** What bytes are that are no UTF-8, and how to mend it. */
export interface OtherEncoding {
  /** As people call it. */
  readonly name: string;
  /** What it is, as the end of "the file is …". */
  readonly message: string;
  readonly remedy: string;
  /** Offset of the first byte that is no UTF-8. */
  readonly offset: number;
}

/** The text, its byte-order mark included, or what it is instead. */
export function decodeUtf8(bytes: Uint8Array): string | OtherEncoding {
  const wide = wideEncodingOf(bytes);
  if (wide !== undefined) return wide;
  try {
    return decoder.decode(bytes);
  } catch {
    return narrowEncodingOf(bytes);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-16 and UTF-32, by their mark, or by the zeros that Latin letters have in them; else `undefined`. */
export function wideEncodingOf(bytes: Uint8Array): OtherEncoding | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe)
    return c === 0 && d === 0 ? other("UTF-32", "UTF-32") : other("UTF-16", "UTF-16");
  if (a === 0xfe && b === 0xff) return other("UTF-16", "UTF-16");
  const pairs = Math.floor(Math.min(bytes.length, 1024) / 2);
  const zeros = [0, 0];
  for (let index = 0; index < 2 * pairs; index += 1)
    if (bytes[index] === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  // A third of all characters at least are Latin letters, spaces and signs, which have one zero each.
  if (pairs < 2 || Math.max(even, odd) < pairs / 3 || Math.min(even, odd) > pairs / 10)
    return undefined;
  return odd > even ? other("UTF-16", "UTF-16LE") : other("UTF-16", "UTF-16BE");
}

/** What bytes are that are neither UTF-8 nor any of {@link wideEncodingOf}. */
export function narrowEncodingOf(bytes: Uint8Array): OtherEncoding {
  const offset = firstInvalid(bytes);
  const byte = bytes[offset] ?? 0;
  const written = `the byte 0x${byte.toString(16).toUpperCase().padStart(2, "0")} is none`;
  if (bytes.some((value) => value < 9))
    return {
      name: "no text",
      message: `no text: ${written} of UTF-8`,
      remedy: "Check that it is the file that is meant.",
      offset,
    };
  const windows = bytes.some((value) => value >= 0x80 && value < 0xa0);
  return {
    ...(windows ? other("Windows-1252", "WINDOWS-1252") : other("Latin-1", "ISO-8859-1")),
    message: `not UTF-8, but ${windows ? "Windows-1252" : "Latin-1"} as it seems: ${written} of UTF-8`,
    offset,
  };
}

function other(name: string, iconv: string): OtherEncoding {
  return {
    name,
    message: `${name}, not UTF-8`,
    remedy: `Save it as UTF-8, or convert it: \`iconv -f ${iconv} -t UTF-8 OLD > NEW\`.`,
    offset: 0,
  };
}

/** Offset of the first byte that begins or continues no character (RFC 3629); the length where there is none. */
function firstInvalid(bytes: Uint8Array): number {
  for (let index = 0; index < bytes.length;) {
    const width = widthOf(bytes, index);
    if (width === 0) return index;
    index += width;
  }
  return bytes.length;
}

/** Bytes of the character at `index`; 0 where there is none. */
function widthOf(bytes: Uint8Array, index: number): number {
  const first = bytes[index] ?? 0;
  if (first < 0x80) return 1;
  const width = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  for (let next = 1; next < width; next += 1)
    if (((bytes[index + next] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[index + 1] ?? 0;
  // Overlong forms, halves of surrogate pairs, and what lies above U+10FFFF.
  const outside =
    (first === 0xe0 && second < 0xa0) ||
    (first === 0xed && second >= 0xa0) ||
    (first === 0xf0 && second < 0x90) ||
    (first === 0xf4 && second >= 0x90);
  return outside ? 0 : width;
}
