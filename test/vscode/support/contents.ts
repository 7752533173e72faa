/** @file What a VSIX holds, read from the directory at the end of its ZIP archive. */
import { readFileSync } from "node:fs";

export interface PackedFile {
  readonly path: string;
  readonly bytes: number;
}

/** The files of an archive of less than 65,535 entries and 4 GB, as the ZIP format (APPNOTE 4.3.12, 4.3.16) lists them. */
export function contentsOf(archive: string): readonly PackedFile[] {
  const bytes = readFileSync(archive);
  const end = bytes.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  const files: PackedFile[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    const name = bytes.readUInt16LE(at + 28);
    files.push({
      path: bytes.toString("utf8", at + 46, at + 46 + name),
      bytes: bytes.readUInt32LE(at + 24),
    });
    at += 46 + name + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return files;
}
