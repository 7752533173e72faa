/** @file The post-processors of a tokenizer file: the special tokens around one text or two. */
import { elements, entries, items, member, refuse, text, type JsonValue } from "./json-value.ts";
import { unsupported } from "./normalizers.ts";
import { checkedId } from "./vocabulary.ts";

/** Ids that go together into the sequence; `offsets` is flat, `[-1, -1]` for a token that no text stands behind. */
export interface Part {
  readonly ids: readonly number[];
  readonly offsets: readonly number[];
  readonly typeId: number;
}

/** Lays out the parts of one or two texts; without special tokens where these are not wanted. */
export interface PostProcessor {
  arrange(texts: readonly Part[], special: boolean): readonly Part[];
}

/** Reads a post-processor; `null` puts two texts one after the other, of type 0 and 1. */
export function readPostProcessor(config: JsonValue): PostProcessor {
  if (config.value === undefined) return { arrange: (texts) => texts };
  const type = text(member(config, "type"));
  switch (type) {
    case "ByteLevel":
      // It only trims offsets; here a token's offsets cover the space that belongs to it.
      return { arrange: (texts) => texts };
    case "Sequence": {
      const steps = elements(member(config, "processors")).map(readPostProcessor);
      return {
        arrange: (texts, special) =>
          steps.reduce((parts, step) => step.arrange(parts, special), texts),
      };
    }
    case "TemplateProcessing":
      return template(config);
    case "BertProcessing": {
      const [cls, sep] = [fixedToken(member(config, "cls")), fixedToken(member(config, "sep"))];
      return {
        arrange: (texts, special) =>
          special
            ? texts.flatMap((part, index) =>
                index === 0
                  ? [specialPart(cls, 0), part, specialPart(sep, 0)]
                  : [part, specialPart(sep, 1)],
              )
            : texts,
      };
    }
    case "RobertaProcessing": {
      const [cls, sep] = [fixedToken(member(config, "cls")), fixedToken(member(config, "sep"))];
      return {
        arrange: (texts, special) =>
          texts.flatMap((part, index) => {
            const plain = { ...part, typeId: 0 };
            if (!special) return [plain];
            return [specialPart(index === 0 ? cls : sep, 0), plain, specialPart(sep, 0)];
          }),
      };
    }
    default:
      throw unsupported(config, "post-processor", type);
  }
}

type Slot =
  | { readonly kind: "text"; readonly index: 0 | 1; readonly typeId: number }
  | { readonly kind: "special"; readonly ids: readonly number[]; readonly typeId: number };

function template(config: JsonValue): PostProcessor {
  const tokens = new Map(
    member(config, "special_tokens").value === undefined
      ? []
      : entries(member(config, "special_tokens")).map(([name]) => {
          const list = member(member(member(config, "special_tokens"), name), "ids");
          return [name, items(list).map((id, index) => checkedId(list, `${index}`, id))] as const;
        }),
  );
  const single = elements(member(config, "single")).map((piece) => readSlot(piece, tokens));
  const pair = elements(member(config, "pair")).map((piece) => readSlot(piece, tokens));
  return {
    arrange: (texts, special) =>
      (texts.length > 1 ? pair : single).flatMap((slot) => {
        if (slot.kind === "special") return special ? [specialPart(slot.ids, slot.typeId)] : [];
        const part = texts[slot.index];
        return part === undefined ? [] : [{ ...part, typeId: slot.typeId }];
      }),
  };
}

function readSlot(piece: JsonValue, tokens: ReadonlyMap<string, readonly number[]>): Slot {
  const sequence = member(piece, "Sequence");
  if (sequence.value !== undefined) {
    const index = text(member(sequence, "id")) === "A" ? 0 : 1;
    return { kind: "text", index, typeId: typeId(sequence) };
  }
  const special = member(piece, "SpecialToken");
  const name = text(member(special, "id"));
  const ids = tokens.get(name) ?? refuse(member(special, "id"), "one of `special_tokens`");
  return { kind: "special", ids, typeId: typeId(special) };
}

function typeId(slot: JsonValue): number {
  return checkedId(slot, "type_id", member(slot, "type_id").value);
}

/** A `["[CLS]", 101]`. */
function fixedToken(token: JsonValue): readonly number[] {
  return [checkedId(token, "[1]", items(token)[1])];
}

function specialPart(ids: readonly number[], typeId: number): Part {
  return { ids, offsets: ids.flatMap(() => [-1, -1]), typeId };
}
