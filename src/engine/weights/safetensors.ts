/** @file The header of a safetensors file: read with every guard that the format asks for, as a pure function. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import type { Checked, Finding } from "../../shared/findings.ts";
import { quote, readHeaderText, type HeaderEntry } from "./header-text.ts";
import { fetchAgain, otherFormat } from "./other-formats.ts";
import { storedType } from "./stored-types.ts";

/** A tensor in a file, and where its bytes lie. */
export interface TensorInfo {
  readonly name: string;
  /** Path of the file. */
  readonly file: string;
  /** Absent where Spectune cannot compute with the stored type; such a tensor is listed, not read. */
  readonly dtype?: DType;
  /** The type as the file names it, such as `BF16`. */
  readonly storedAs: string;
  readonly shape: Shape;
  /** Offset of the first byte from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
  /** Of a quantized matrix: how it lies in the files. Its type and shape are those that it is expanded to. */
  readonly packed?: PackedAs;
}

/** A quantized matrix in a file, W [rows, columns] = [out, in]. */
export interface PackedAs {
  readonly format: string;
  readonly settings: Readonly<Record<string, number | string | boolean>>;
  readonly rows: number;
  readonly columns: number;
  /** Of everything that is stored of it. */
  readonly bytes: number;
  /** Whether groups of a row follow each other. */
  readonly inOrder: boolean;
}

export interface SafetensorsHeader {
  /** Tensors by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Headers above this are refused, as by the format's own library. */
const maxHeaderBytes = 100_000_000;

/** A file starts with the length of its header as 64 bits, the least significant byte first. */
export const lengthBytes = 8;

/**
 * Bytes from the start of the file to the end of the header, from the file's first bytes. Nothing
 * but a length that the file can hold and that is at most {@link maxHeaderBytes} comes out.
 */
export function headerEnd(
  start: Uint8Array,
  fileSize: number,
  file: string,
): Checked<number | undefined> {
  const refuse = (code: string, message: string, remedy: string) => ({
    value: undefined,
    findings: [{ code, severity: "error", message, place: { file }, remedy } as const],
  });
  if (start.length < lengthBytes || fileSize < lengthBytes)
    return refuse(
      "truncated-weights",
      `${file} has ${fileSize} bytes, which is too short for a safetensors file.`,
      fetchAgain,
    );
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    const other = otherFormat(start);
    if (other !== undefined)
      return refuse("not-safetensors", `${file} is ${other.what}.`, other.remedy);
    return refuse(
      "weights-header-too-large",
      `${file} claims a header of ${length.toString()} bytes; at most ${maxHeaderBytes} are allowed.`,
      notSafetensors,
    );
  }
  const end = lengthBytes + Number(length);
  if (end > fileSize)
    return refuse(
      "truncated-weights",
      `${file} claims a header of ${Number(length)} bytes, but the file has only ${fileSize} bytes.`,
      fetchAgain,
    );
  return { value: end, findings: [] };
}

/**
 * Reads a header from the file's first bytes, which must reach to {@link headerEnd}; `fileSize` is
 * the length of the whole file. A name that occurs twice, an element type whose bytes don't fit the
 * shape, data that overlap, leave a gap or don't end with the file are errors. The value holds the
 * tensors that are sound by themselves; `undefined` where the text cannot be read at all. A type
 * that the format does not name is a warning: its tensor is listed, and refused when it is read.
 */
export function parseSafetensorsHeader(
  bytes: Uint8Array,
  fileSize: number,
  file: string,
): Checked<SafetensorsHeader | undefined> {
  const { value: end, findings: refused } = headerEnd(bytes, fileSize, file);
  if (end === undefined) return { value: undefined, findings: refused };
  const { findings, report } = reporter(file);
  if (bytes.length < end) {
    report("truncated-weights", `${file} ends inside its header.`, fetchAgain);
    return { value: undefined, findings };
  }
  const text = decodeText(bytes.subarray(lengthBytes, end));
  const read =
    text === undefined ? { problem: "it is not UTF-8", position: 0 } : readHeaderText(text);
  if ("problem" in read) {
    const where = read.tensor === undefined ? "" : ` in the entry ${quote(read.tensor)}`;
    report(
      "malformed-weights-header",
      `The header of ${file} cannot be read: ${read.problem}${where} (character ${read.position}).`,
      fetchAgain,
      read.tensor,
    );
    return { value: undefined, findings };
  }
  const tensors = new Map<string, TensorInfo>();
  const names = new Set<string>();
  for (const entry of read.entries) {
    if (names.has(entry.name)) {
      const message = `The header of ${file} has the tensor ${quote(entry.name)} twice.`;
      report("duplicate-tensor", message, writeAgain, entry.name);
      continue;
    }
    names.add(entry.name);
    const tensor = checkEntry(entry, end, file, report);
    if (tensor !== undefined) tensors.set(entry.name, tensor);
  }
  checkLayout(read.entries, fileSize - end, file, report);
  const ordered = [...tensors].toSorted(([, a], [, b]) => a.offset - b.offset);
  return { value: { tensors: new Map(ordered), metadata: read.metadata }, findings };
}

/** The tensor of one entry, unless its own numbers contradict each other. */
function checkEntry(
  entry: HeaderEntry,
  dataStart: number,
  file: string,
  report: Report,
): TensorInfo | undefined {
  const { name, dtype: storedAs, shape, begin, end } = entry;
  const shown = `The tensor ${quote(name)} in ${file}`;
  if (end < begin) {
    const message = `${shown} ends at byte ${end}, before it begins at byte ${begin}.`;
    report("tensor-out-of-bounds", message, writeAgain, name);
    return undefined;
  }
  const count = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(count)) {
    const message = `${shown} has the shape [${shape.join(", ")}], which is more than any file holds.`;
    report("tensor-size-mismatch", message, writeAgain, name);
    return undefined;
  }
  const type = storedType(storedAs);
  if (type === undefined) {
    const message = `${shown} has the element type ${quote(storedAs)}, which is not known here.`;
    report("unknown-tensor-dtype", message, "The tensor is listed but cannot be read.", name);
  } else if (count * type.bits !== (end - begin) * 8) {
    const message = `${shown} has the shape [${shape.join(", ")}] of ${storedAs}, which takes ${(count * type.bits) / 8} bytes, but the header gives it ${end - begin}.`;
    report("tensor-size-mismatch", message, writeAgain, name);
    return undefined;
  }
  return {
    name,
    file,
    storedAs,
    shape,
    offset: dataStart + begin,
    bytes: end - begin,
    ...(type?.dtype === undefined ? {} : { dtype: type.dtype }),
  };
}

/** The tensors must fill the data from its first byte to the end of the file, each byte once. */
function checkLayout(
  entries: readonly HeaderEntry[],
  dataBytes: number,
  file: string,
  report: Report,
): void {
  const ordered = entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  let filled = 0;
  let before = "the header";
  for (const { name, begin, end } of ordered) {
    const shown = quote(name);
    if (end < begin) continue;
    if (begin < filled)
      report(
        "overlapping-tensors",
        `In ${file} the tensor ${shown} begins at byte ${begin} of the data, inside ${before}, which ends at ${filled}.`,
        writeAgain,
        name,
      );
    else if (begin > filled)
      report(
        "gap-in-weights",
        `In ${file} ${begin - filled} bytes between ${before} and the tensor ${shown} belong to no tensor.`,
        writeAgain,
        name,
      );
    if (end > filled) {
      filled = end;
      before = `the tensor ${shown}`;
    }
  }
  if (filled > dataBytes)
    report(
      "truncated-weights",
      `The header of ${file} describes ${filled} bytes of data, but the file has ${dataBytes}: it is cut short.`,
      fetchAgain,
    );
  if (filled < dataBytes)
    report(
      "gap-in-weights",
      `${file} has ${dataBytes - filled} bytes behind ${before} that belong to no tensor.`,
      writeAgain,
    );
}

const writeAgain = "Save the model again with the tool that made it; this file breaks the format.";
const notSafetensors = "Check that it is a safetensors file, or fetch it again.";

type Report = (code: string, message: string, remedy: string, tensor?: string) => void;

/** A file that breaks in a thousand places needs no thousand remarks; this many of each severity. */
const mostFindings = 20;

function reporter(file: string): {
  readonly findings: readonly Finding[];
  readonly report: Report;
} {
  const findings: Finding[] = [];
  return {
    findings,
    report(code, message, remedy, tensor) {
      const severity = code === "unknown-tensor-dtype" ? "warning" : "error";
      // Counted apart, so that warnings never push out the error that refuses the file.
      if (findings.filter((finding) => finding.severity === severity).length >= mostFindings)
        return;
      const place = { file, ...(tensor === undefined ? {} : { field: tensor }) };
      findings.push({ code, severity, message, place, remedy });
    },
  };
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
