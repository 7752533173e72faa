/** @file How a page says something. */

/** A text in the editor's language: the English one is the key, `{0}` stands for the first value. */
export type Say = (english: string, ...values: readonly (string | number)[]) => string;
