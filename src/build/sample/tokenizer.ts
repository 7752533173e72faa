/** @file Trains a small byte-level BPE tokenizer and writes it as tokenizer.json. */

/** The end of a text; the only special token. */
export const endOfText = "<|endoftext|>";

/**
 * Byte-pair encoding (Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words with Subword Units",
 * 2015, https://arxiv.org/abs/1508.07909) over bytes, with GPT-2's pre-tokenizer. Text must be ASCII.
 */
export function trainTokenizer(texts: Iterable<string>, merges: number): unknown {
  const words = new Map<string, number>();
  for (const text of texts)
    for (const [word] of text.matchAll(/ ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+/g))
      words.set(word, (words.get(word) ?? 0) + 1);
  const entries = [...words].map(([word, count]) => ({
    parts: Array.from(word, byteCharacter),
    count,
  }));
  const learned: (readonly [string, string])[] = [];
  while (learned.length < merges) {
    const best = mostFrequentPair(entries);
    if (!best) break;
    learned.push(best);
    for (const entry of entries) entry.parts = merged(entry.parts, best);
  }
  const symbols = [...byteAlphabet(), ...learned.map(([a, b]) => a + b)];
  const vocab = Object.fromEntries(
    [endOfText, ...new Set(symbols)].map((symbol, id) => [symbol, id]),
  );
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [
      {
        id: 0,
        content: endOfText,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: {
      type: "ByteLevel",
      add_prefix_space: false,
      trim_offsets: true,
      use_regex: true,
    },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges: learned,
    },
  };
}

interface Entry {
  parts: string[];
  readonly count: number;
}

/** The pair that occurs most often, the alphabetically first among equals; undefined where nothing recurs. */
function mostFrequentPair(entries: readonly Entry[]): readonly [string, string] | undefined {
  const counts = new Map<string, number>();
  for (const { parts, count } of entries)
    for (let i = 1; i < parts.length; i++) {
      const key = `${parts[i - 1] ?? ""}\u0000${parts[i] ?? ""}`;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  let best: string | undefined;
  let most = 1;
  for (const [key, count] of counts)
    if (count > most || (count === most && best !== undefined && key < best)) {
      best = key;
      most = count;
    }
  if (best === undefined) return undefined;
  const [a = "", b = ""] = best.split("\u0000");
  return [a, b];
}

function merged(parts: readonly string[], [a, b]: readonly [string, string]): string[] {
  const result: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    const joins = parts[i] === a && parts[i + 1] === b;
    result.push(joins ? a + b : (parts[i] ?? ""));
    if (joins) i++;
  }
  return result;
}

/** GPT-2's printable stand-in for a byte. */
function byteCharacter(character: string): string {
  return byteAlphabet()[character.charCodeAt(0)] ?? character;
}

let alphabet: readonly string[] | undefined;

function byteAlphabet(): readonly string[] {
  if (alphabet) return alphabet;
  let next = 256;
  alphabet = Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(printable ? byte : next++);
  });
  return alphabet;
}
