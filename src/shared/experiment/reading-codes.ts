/** @file What each code about a text, a field or a value by itself means. */
import type { ReadingCode } from "./findings.ts";

export const readingCodes: { readonly [Code in ReadingCode]: string } = {
  "yaml-syntax": "The text cannot be read as YAML here; what stands around it still is.",
  "yaml-tag": "A tag such as `!x` has no meaning in an experiment.",
  "yaml-alias": "An alias or merge key stands for nothing, or for no map.",
  "yaml-key": "A key is no plain text.",
  "duplicate-key": "A key stands twice in one map; the first counts.",
  "several-documents": "The file holds several documents, of which only the first is read.",
  "file-too-large": "The file holds more than an experiment can say.",
  "file-too-deep": "The file is nested deeper than an experiment can be.",
  "unknown-field": "A field that does not exist; the nearest name is offered.",
  "unknown-variant": "A method, optimizer, quantizer or other name that the catalog does not have.",
  "field-not-for-variant":
    "A field without meaning for the method or other variant that was chosen.",
  "missing-field": "A field that the file must say.",
  "missing-value": "A key with nothing behind it.",
  "wrong-type": "A value of another type than the field's.",
  "out-of-bounds": "A number outside of what the field allows.",
  "not-one-of": "A word that is none of those the field takes.",
  "wrong-length": "A list with too few or too many items.",
  "no-unit": "A duration without its unit.",
  "foreign-name":
    "A name or value of peft, TRL, transformers, axolotl or LLaMA-Factory: understood, and offered in our words.",
  "foreign-without-counterpart":
    "A foreign field for which there is nothing here, with the reason.",
  "said-twice": "Two names of one field, of which one counts.",
  "expression-syntax": "Arithmetic that cannot be read.",
  "expression-unknown-name": "A name in arithmetic that is no field with a number.",
  "expression-cycle": "A field whose value depends on itself.",
  "expression-value": "Arithmetic without a finite value.",
  "extends-missing": "A file that is extended and does not exist.",
  "extends-cycle": "Files that extend each other in a circle.",
  "extends-too-deep": "Too many files that extend each other.",
  "bad-override": "An override on the command line that names no field.",
  "sweep-too-large": "A sweep of more runs than `sweep.limits.runs`.",
  "sweep-unknown-field": "A field that the points of a sweep cannot change.",
  "sweep-unequal-lists": "Paired lists of unequal lengths.",
  "sweep-no-difference": "Two points of a sweep that are the same experiment.",
};
