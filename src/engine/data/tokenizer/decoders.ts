/** @file The decoders of a tokenizer file: tokens back to text. */
import { byteOfCharacter } from "./byte-characters.ts";
import { elements, flag, member, text, textOr, type JsonValue } from "./json-value.ts";
import { unsupported } from "./normalizers.ts";
import { readPattern, type Pattern } from "./pattern.ts";
import { replaceRanges } from "./aligned-text.ts";

/** One step from tokens towards text; the strings left at the end are joined. */
export type Decoder = (tokens: readonly string[]) => readonly string[];

/** Reads a decoder; `null` puts a space between tokens. */
export function readDecoder(config: JsonValue): Decoder {
  if (config.value === undefined) return (tokens) => [tokens.join(" ")];
  const type = text(member(config, "type"));
  switch (type) {
    case "Sequence": {
      const steps = elements(member(config, "decoders")).map(readDecoder);
      return (tokens) => steps.reduce((current, step) => step(current), tokens);
    }
    case "ByteLevel":
      return (tokens) => [lossy.decode(Uint8Array.from(tokens.flatMap(tokenBytes)))];
    case "ByteFallback":
      return decodeByteTokens;
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Replace":
      return replace(readPattern(member(config, "pattern")), text(member(config, "content")));
    case "Strip":
      return strip(config);
    case "Metaspace":
      return metaspace(config);
    case "WordPiece":
      return wordPiece(
        textOr(member(config, "prefix"), "##"),
        flag(member(config, "cleanup"), true),
      );
    case "BPEDecoder": {
      const suffix = textOr(member(config, "suffix"), "</w>");
      return (tokens) =>
        tokens.map((token, index) =>
          token.replaceAll(suffix, index === tokens.length - 1 ? "" : " "),
        );
    }
    default:
      throw unsupported(config, "decoder", type);
  }
}

const encoder = new TextEncoder();
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** A token of the byte alphabet as its bytes; any other as its own UTF-8. */
function tokenBytes(token: string): readonly number[] {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = byteOfCharacter.get(character);
    if (byte === undefined) return [...encoder.encode(token)];
    bytes.push(byte);
  }
  return bytes;
}

/** Joins runs of `<0xNN>` into text; a run that is no UTF-8 becomes one replacement character for each byte. */
function decodeByteTokens(tokens: readonly string[]): readonly string[] {
  const decoded: string[] = [];
  let run: number[] = [];
  const flush = (): void => {
    if (run.length > 0) decoded.push(validText(run) ?? "\ufffd".repeat(run.length));
    run = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (byte !== undefined) {
      run.push(Number.parseInt(byte, 16));
      continue;
    }
    flush();
    decoded.push(token);
  }
  flush();
  return decoded;
}

function validText(bytes: readonly number[]): string | undefined {
  try {
    return strict.decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

function replace(pattern: Pattern, content: string): Decoder {
  return (tokens) =>
    tokens.map(
      (token) => replaceRanges({ text: token, origins: undefined }, pattern(token), content).text,
    );
}

/** Takes up to `start` characters from the front and `stop` from the back of each token. */
function strip(config: JsonValue): Decoder {
  const content = textOr(member(config, "content"), " ");
  const start = Number(member(config, "start").value ?? 0);
  const stop = Number(member(config, "stop").value ?? 0);
  return (tokens) =>
    tokens.map((token) => {
      const characters = Array.from(token);
      let from = 0;
      while (from < start && characters[from] === content) from += 1;
      let to = characters.length;
      while (characters.length - to < stop && to > from && characters[to - 1] === content) to -= 1;
      return characters.slice(from, to).join("");
    });
}

function metaspace(config: JsonValue): Decoder {
  const replacement = textOr(member(config, "replacement"), "▁");
  const never = flag(member(config, "add_prefix_space"), true) ? "always" : "never";
  const prefixed = textOr(member(config, "prepend_scheme"), never) !== "never";
  return (tokens) =>
    tokens.map((token, index) => token.replaceAll(replacement, index === 0 && prefixed ? "" : " "));
}

function wordPiece(prefix: string, cleanup: boolean): Decoder {
  return (tokens) =>
    tokens.map((token, index) => {
      const continues = index > 0 && token.startsWith(prefix);
      const spaced = continues ? token.slice(prefix.length) : index > 0 ? ` ${token}` : token;
      return cleanup ? joinPunctuation(spaced) : spaced;
    });
}

/** Takes the spaces before English punctuation and contractions away. */
function joinPunctuation(token: string): string {
  return token
    .replaceAll(/ ([.?!,])/g, "$1")
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(" do not", " don't")
    .replaceAll(/ ('s|'ve|'re)/g, "$1");
}
