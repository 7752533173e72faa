/** @file What every vocabulary model offers: pieces to ids, ids to tokens. */

/** The tokens of one piece of text. */
export interface PieceTokens {
  readonly ids: readonly number[];
  /** `[start, end]` of each token in code units of the piece, flat; tokens of one character's bytes share it. */
  readonly spans: readonly number[];
}

export interface Model {
  /** `first`: so many tokens are wanted, and those behind them may be left out. */
  tokenize(piece: string, first?: number): PieceTokens;
  readonly ids: ReadonlyMap<string, number>;
  /** Token of each id; an id that no token has is `undefined`. */
  readonly tokens: readonly (string | undefined)[];
}

/** Remembers the tokens of pieces that come again, of which there are many. */
export function cached(tokenize: (piece: string) => PieceTokens): (piece: string) => PieceTokens {
  let known = new Map<string, PieceTokens>();
  return (piece) => {
    const before = known.get(piece);
    if (before !== undefined) return before;
    const made = tokenize(piece);
    if (piece.length <= 256) {
      if (known.size >= 50_000) known = new Map();
      known.set(piece, made);
    }
    return made;
  };
}

/** Turns `{ token: id }` around. */
export function tokensById(ids: ReadonlyMap<string, number>): readonly (string | undefined)[] {
  let largest = -1;
  for (const id of ids.values()) if (id > largest) largest = id;
  const tokens = new Array<string | undefined>(largest + 1);
  for (const [token, id] of ids) tokens[id] = token;
  return tokens;
}

const encoder = new TextEncoder();

/** The ids of `<0xNN>` tokens that spell a text's UTF-8 bytes; `undefined` unless all of them exist. */
export function byteFallback(
  text: string,
  ids: ReadonlyMap<string, number>,
): readonly number[] | undefined {
  const bytes: number[] = [];
  for (const byte of encoder.encode(text)) {
    const id = ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    if (id === undefined) return undefined;
    bytes.push(id);
  }
  return bytes;
}
