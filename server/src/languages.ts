/** @file The languages that the service answers in. */
import { answersInGerman } from "./german/answers.ts";
import { checksInGerman } from "./german/checks.ts";
import { fieldsInGerman } from "./german/fields.ts";
import { readingInGerman } from "./german/reading.ts";
import { betweenInGerman, wordsInGerman } from "./german/words.ts";
import { worldInGerman } from "./german/world.ts";
import type { Language, Translator } from "./translation.ts";
import { createTranslator, plainTranslator } from "./translation.ts";

export const german: Language = {
  texts: {
    ...checksInGerman,
    ...readingInGerman,
    ...worldInGerman,
    ...fieldsInGerman,
    ...answersInGerman,
    ...wordsInGerman,
  },
  between: betweenInGerman,
};

/** Of an editor's locale, such as `de` or `de-AT`; English for all that are not here. */
export function translatorFor(locale: string | undefined): Translator {
  return /^de\b/i.test(locale ?? "") ? createTranslator(german) : plainTranslator;
}
