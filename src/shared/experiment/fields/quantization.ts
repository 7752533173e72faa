/** @file `quantization`: how the frozen base is stored. */
import { choice, list, text } from "../../schema.ts";
import type { CatalogFields } from "./catalog-fields.ts";

export function quantizationField(catalog: CatalogFields) {
  const common = {
    skip_modules: list(text({ form: "module", doc: "A module's name." }), {
      default: ["lm_head"],
      doc: "Modules that keep their precision.",
      aliases: ["llm_int8_skip_modules", "modules_to_not_convert"],
    }),
  };
  return choice(catalog.quantizers, {
    default: null,
    common,
    doc: "How the weights that are not trained are stored; by default as they come.",
    aliases: ["quantization_config", "bnb_config"],
  });
}
