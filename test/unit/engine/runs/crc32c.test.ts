/** @file CRC-32C against the vectors of RFC 3720, B.4. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { crc32c } from "../../../../src/engine/runs/crc32c.ts";

const count = Array.from({ length: 32 }, (_, index) => index);
const readCommand =
  "01c00000 00000000 00000000 00000000 14000000 00000400 00000014 00000018 28000000 00000000 02000000 00000000";

/** The RFC prints the sums as bytes on the wire, lowest first. */
const vectors = {
  "32 bytes of zeroes": [new Uint8Array(32), 0x8a9136aa],
  "32 bytes of ones": [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  "32 bytes counting up": [Uint8Array.from(count), 0x46dd794e],
  "32 bytes counting down": [Uint8Array.from(count.toReversed()), 0x113fdb5c],
  "an iSCSI read command": [Buffer.from(readCommand.replaceAll(" ", ""), "hex"), 0xd9963a56],
} as const;

for (const [name, [bytes, sum]] of Object.entries(vectors))
  it(`gives the sum of ${name}`, () => assert.equal(crc32c(bytes), sum));
