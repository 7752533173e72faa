/** @file Every guard of the header against a file made to break it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSafetensorsHeader } from "../../../../src/engine/weights/safetensors.ts";
import { entry, fileBytes } from "./files.ts";

const parse = (bytes: Uint8Array, fileSize = bytes.length) =>
  parseSafetensorsHeader(bytes, fileSize, "a.safetensors");

const a = entry("a", "F32", [2], 0, 8);
const b = entry("b", "F16", [2, 2], 8, 16);

describe("a sound header", () => {
  it("gives tensors in the order of their bytes, types, and metadata", () => {
    const header = `{"__metadata__":{"format":"pt","k\\u00e9":"\\"\\n"},${b},${a},"e\\"x":{"data_offsets":[16,17],"shape":[],"dtype":"BOOL"}}  \n`;
    const { value, findings } = parse(fileBytes(header, 17));
    assert.deepEqual(findings, []);
    const start = 8 + header.length;
    const file = "a.safetensors";
    assert.deepEqual(
      [...(value?.tensors.values() ?? [])],
      [
        { name: "a", file, dtype: "float32", storedAs: "F32", shape: [2], offset: start, bytes: 8 },
        {
          name: "b",
          file,
          dtype: "float16",
          storedAs: "F16",
          shape: [2, 2],
          offset: start + 8,
          bytes: 8,
        },
        {
          name: 'e"x',
          file,
          dtype: "bool",
          storedAs: "BOOL",
          shape: [],
          offset: start + 16,
          bytes: 1,
        },
      ],
    );
    assert.deepEqual(
      [...(value?.metadata ?? [])],
      [
        ["format", "pt"],
        ["ké", '"\n'],
      ],
    );
  });

  it("may be empty, and may hold empty tensors anywhere", () => {
    for (const [header, data] of [
      ["{}", 0],
      [' { "__metadata__" : { } } ', 0],
      [`{${entry("z", "F32", [0, 5], 8, 8)},${a}}`, 8],
      [`{${a},${entry("z", "F32", [9e15, 0, 9e15], 0, 0)}}`, 8],
    ] as const)
      assert.deepEqual(parse(fileBytes(header, data)).findings, [], header);
  });

  it("lists types that are not computed with, and warns of those that the format does not name", () => {
    const header = `{${entry("a", "F8_E4M3", [3], 0, 3)},${entry("b", "F4", [6], 3, 6)},${entry("c", "Q9", [6], 6, 8)}}`;
    const { value, findings } = parse(fileBytes(header, 8));
    assert.deepEqual(
      findings.map(({ code, severity, place }) => [code, severity, place?.field]),
      [["unknown-tensor-dtype", "warning", "c"]],
    );
    assert.deepEqual(
      [...(value?.tensors.values() ?? [])].map(({ dtype, storedAs }) => [dtype, storedAs]),
      [
        [undefined, "F8_E4M3"],
        [undefined, "F4"],
        [undefined, "Q9"],
      ],
    );
  });
});

describe("a broken header", () => {
  const cases: readonly (readonly [what: string, bytes: Uint8Array, code: string, says: RegExp])[] =
    [
      ["no bytes", new Uint8Array(0), "truncated-weights", /0 bytes/],
      ["seven bytes", new Uint8Array(7), "truncated-weights", /7 bytes/],
      [
        "a length of 2^60",
        fileBytes("{}", 0, 2n ** 60n),
        "weights-header-too-large",
        /1152921504606846976/,
      ],
      [
        "a length of 2^64-1",
        fileBytes("{}", 0, 2n ** 64n - 1n),
        "weights-header-too-large",
        /18446744073709551615/,
      ],
      [
        "a length beyond the file",
        fileBytes("{}", 0, 3n),
        "truncated-weights",
        /header of 3 bytes/,
      ],
      [
        "a Git LFS pointer",
        new TextEncoder().encode("version https://git-lfs and more"),
        "not-safetensors",
        /Git LFS/,
      ],
      ["a pickle", new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 8, 8]), "not-safetensors", /pickle/],
      ["no text", fileBytes("", 0), "malformed-weights-header", /the end instead of \{/],
      [
        "no JSON",
        fileBytes("abc", 0),
        "malformed-weights-header",
        /"a" instead of \{ \(character 0\)/,
      ],
      ["a list", fileBytes("[]", 0), "malformed-weights-header", /instead of \{/],
      ["half a text", fileBytes(`{${a}`, 8), "malformed-weights-header", /the end instead of ,/],
      ["more behind it", fileBytes(`{${a}}x`, 8), "malformed-weights-header", /"x" behind the end/],
      [
        "a comma too many",
        fileBytes(`{${a},}`, 8),
        "malformed-weights-header",
        /"}" instead of a key/,
      ],
      ["no UTF-8", fileBytes(`{${a}}`, 8).fill(0xff, 9, 12), "malformed-weights-header", /UTF-8/],
      [
        "a control character",
        fileBytes('{"a\n":{}}', 0),
        "malformed-weights-header",
        /control character/,
      ],
      [
        "half a surrogate pair",
        fileBytes('{"a\\ud800":{}}', 0),
        "malformed-weights-header",
        /escape/,
      ],
      ["a bad escape", fileBytes('{"a\\x":{}}', 0), "malformed-weights-header", /escape/],
      ["an open text", fileBytes('{"a', 0), "malformed-weights-header", /the end inside a text/],
      [
        "an open escape",
        fileBytes('{"a\\', 0),
        "malformed-weights-header",
        /the end inside a text/,
      ],
      [
        "an entry that is a number",
        fileBytes('{"a":1}', 0),
        "malformed-weights-header",
        /"1" instead of \{ in the entry "a"/,
      ],
      [
        "no dtype",
        fileBytes('{"a":{"shape":[],"data_offsets":[0,0]}}', 0),
        "malformed-weights-header",
        /dtype is missing in the entry "a"/,
      ],
      [
        "no shape",
        fileBytes('{"a":{"dtype":"F32","data_offsets":[0,0]}}', 0),
        "malformed-weights-header",
        /shape is missing/,
      ],
      [
        "no offsets",
        fileBytes('{"a":{"dtype":"F32","shape":[]}}', 0),
        "malformed-weights-header",
        /data_offsets is missing/,
      ],
      [
        "one offset",
        fileBytes('{"a":{"dtype":"F32","shape":[],"data_offsets":[0]}}', 0),
        "malformed-weights-header",
        /no two numbers/,
      ],
      [
        "three offsets",
        fileBytes('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,4]}}', 4),
        "malformed-weights-header",
        /more than 2/,
      ],
      [
        "a field that is not of the format",
        fileBytes('{"a":{"dtyp":"F32"}}', 0),
        "malformed-weights-header",
        /"dtyp" is not a field/,
      ],
      [
        "a field twice",
        fileBytes('{"a":{"dtype":"F32","dtype":"F16"}}', 0),
        "malformed-weights-header",
        /dtype stands there twice/,
      ],
      [
        "a dtype that is a number",
        fileBytes('{"a":{"dtype":1}}', 0),
        "malformed-weights-header",
        /"1" instead of the name/,
      ],
      ...[
        "-1",
        "1.0",
        "1e3",
        "01",
        "null",
        '"1"',
        "[1]",
        "9007199254740992",
        "99999999999999999999",
      ].map(
        (size) =>
          [
            `a dimension ${size}`,
            fileBytes(`{"a":{"dtype":"F32","shape":[${size}],"data_offsets":[0,4]}}`, 4),
            "malformed-weights-header",
            /whole number|2\^53/,
          ] as const,
      ),
      [
        "65 dimensions",
        fileBytes(
          `{${entry(
            "a",
            "U8",
            Array.from({ length: 65 }, () => 1),
            0,
            1,
          )}}`,
          1,
        ),
        "malformed-weights-header",
        /more than 64 dimensions/,
      ],
      [
        "metadata that is no text",
        fileBytes('{"__metadata__":{"a":1}}', 0),
        "malformed-weights-header",
        /__metadata__/,
      ],
      [
        "metadata twice",
        fileBytes('{"__metadata__":{},"__metadata__":{}}', 0),
        "malformed-weights-header",
        /twice/,
      ],
      [
        "a metadata key twice",
        fileBytes('{"__metadata__":{"a":"","a":""}}', 0),
        "malformed-weights-header",
        /"a" twice/,
      ],
      [
        "a tensor twice",
        fileBytes(`{${a},${entry("\u0061", "F32", [2], 8, 16)}}`, 16),
        "duplicate-tensor",
        /"a" twice/,
      ],
      [
        "a tensor twice, once escaped",
        fileBytes(`{${a},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[8,9]}}`, 9),
        "duplicate-tensor",
        /"a" twice/,
      ],
      [
        "offsets backwards",
        fileBytes(`{${entry("a", "F32", [2], 8, 0)}}`, 8),
        "tensor-out-of-bounds",
        /ends at byte 0, before/,
      ],
      [
        "fewer bytes than the shape",
        fileBytes(`{${entry("a", "F32", [3], 0, 8)}}`, 8),
        "tensor-size-mismatch",
        /takes 12 bytes.*gives it 8/,
      ],
      [
        "a half byte",
        fileBytes(`{${entry("a", "F4", [3], 0, 1)}}`, 1),
        "tensor-size-mismatch",
        /takes 1.5 bytes/,
      ],
      [
        "a shape above 2^53",
        fileBytes(`{${entry("a", "U8", [2 ** 40, 2 ** 40], 0, 8)}}`, 8),
        "tensor-size-mismatch",
        /more than any file/,
      ],
      [
        "one byte short",
        fileBytes(`{${a},${b}}`, 15),
        "truncated-weights",
        /16 bytes of data, but the file has 15/,
      ],
      [
        "one byte too many",
        fileBytes(`{${a},${b}}`, 17),
        "gap-in-weights",
        /1 bytes behind the tensor "b"/,
      ],
      ["data but no tensor", fileBytes("{}", 1), "gap-in-weights", /1 bytes behind the header/],
      [
        "data that do not start at 0",
        fileBytes(`{${entry("a", "F32", [2], 8, 16)}}`, 16),
        "gap-in-weights",
        /8 bytes between the header and the tensor "a"/,
      ],
      [
        "a gap",
        fileBytes(`{${a},${entry("b", "F32", [1], 12, 16)}}`, 16),
        "gap-in-weights",
        /4 bytes between the tensor "a"/,
      ],
      [
        "an overlap",
        fileBytes(`{${a},${entry("b", "F32", [2], 4, 12)}}`, 12),
        "overlapping-tensors",
        /inside the tensor "a", which ends at 8/,
      ],
      [
        "an overlap inside",
        fileBytes(`{${entry("a", "F32", [4], 0, 16)},${entry("b", "F32", [1], 4, 8)}}`, 16),
        "overlapping-tensors",
        /"b" begins at byte 4/,
      ],
      [
        "an empty tensor inside another",
        fileBytes(`{${a},${entry("b", "F32", [0], 4, 4)}}`, 8),
        "overlapping-tensors",
        /"b" begins at byte 4/,
      ],
      [
        "offsets far beyond",
        fileBytes(`{${entry("a", "U8", [2 ** 50], 0, 2 ** 50)}}`, 8),
        "truncated-weights",
        /the file has 8/,
      ],
    ];
  for (const [what, bytes, code, says] of cases)
    it(`is refused: ${what}`, () => {
      const { findings } = parse(bytes);
      const found = findings.find((finding) => finding.code === code);
      assert.ok(found, `${code} is not among ${JSON.stringify(findings)}`);
      assert.equal(found.severity, "error");
      assert.match(found.message, says);
      assert.equal(found.place?.file, "a.safetensors");
      assert.ok(found.remedy !== undefined && found.remedy.length > 10);
    });

  it("is refused even behind a crowd of warnings", () => {
    const odd = Array.from({ length: 50 }, (_, i) => entry(`t${i}`, "Q9", [1], i, i + 1));
    const { findings } = parse(fileBytes(`{${odd.join(",")}}`, 49));
    assert.equal(findings.filter(({ severity }) => severity === "warning").length, 20);
    assert.deepEqual(findings.at(-1)?.code, "truncated-weights");
  });

  it("says that the bytes at hand stop inside the header", () => {
    const bytes = fileBytes(`{${a}}`, 8);
    const { findings } = parse(bytes.subarray(0, 20), bytes.length);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ["truncated-weights"],
    );
  });

  it("costs no memory for what it only claims", () => {
    const held = () => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const before = held();
    const deep = `{"a":${"[".repeat(200_000)}`;
    const wide = `{"a":{"dtype":"U8","shape":[${"1,".repeat(200_000)}1],"data_offsets":[0,1]}}`;
    for (const text of [deep, wide]) parse(fileBytes(text, 1));
    for (const length of [99_999_999n, 2n ** 31n, 2n ** 60n])
      parse(fileBytes("{}", 0, length), 2 ** 52);
    assert.ok(held() - before < 32e6);
  });
});
