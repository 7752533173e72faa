/** @file Protobuf's wire format, as far as writing a message needs it. */

/** Appends fields to one message. */
export interface MessageWriter {
  /** A varint field; negative numbers as 64-bit two's complement. */
  integer(field: number, value: number): void;
  /** A 32-bit float field. */
  float(field: number, value: number): void;
  text(field: number, value: string): void;
  bytes(field: number, value: Uint8Array): void;
  /** Integers in one length-delimited field. */
  packedIntegers(field: number, values: readonly number[]): void;
  /** An embedded message. */
  message(field: number, write: (inner: MessageWriter) => void): void;
}

const varintType = 0;
const lengthDelimitedType = 2;
const fixed32Type = 5;

/** The bytes of the message that `write` describes. */
export function encodeMessage(write: (message: MessageWriter) => void): Uint8Array<ArrayBuffer> {
  const chunks = encodeChunks(write);
  const bytes = new Uint8Array(totalLength(chunks));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function encodeChunks(write: (message: MessageWriter) => void): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const tag = (field: number, type: number): void => {
    chunks.push(varint(field * 8 + type));
  };
  const delimited = (field: number, parts: readonly Uint8Array[]): void => {
    tag(field, lengthDelimitedType);
    chunks.push(varint(totalLength(parts)));
    for (const part of parts) chunks.push(part);
  };
  write({
    integer(field, value) {
      tag(field, varintType);
      chunks.push(varint(value));
    },
    float(field, value) {
      tag(field, fixed32Type);
      chunks.push(float32Bytes(value));
    },
    text: (field, value) => delimited(field, [new TextEncoder().encode(value)]),
    bytes: (field, value) => delimited(field, [value]),
    packedIntegers: (field, values) => delimited(field, values.map(varint)),
    message: (field, writeInner) => delimited(field, encodeChunks(writeInner)),
  });
  return chunks;
}

/** Seven bits a byte, lowest first. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function float32Bytes(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value, true);
  return new Uint8Array(view.buffer);
}

function totalLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
