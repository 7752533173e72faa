/** @file `method`: the fields that every method of the catalog shares; its own stand in its file. */
import type { Variants } from "../../schema.ts";
import { choice, int, list, number, oneOf, record, share, text, union } from "../../schema.ts";
import type { CatalogFields } from "./catalog-fields.ts";

function moduleSelection(form: "target" | "exclude") {
  const regex = text({
    form: "regex",
    doc: "A Python-style regular expression that matches a module's whole path.",
  });
  const names = list(text({ form: "module", doc: "A module's name, or the end of its path." }), {
    doc: "Names of modules, or ends of their paths.",
  });
  if (form === "exclude")
    return union([regex, names], {
      default: null,
      doc: "Modules left out of `target_modules`: names, or a regular expression.",
    });
  const all = oneOf(
    { "all-linear": "Every linear layer except the head." },
    { doc: "A word for the usual choice." },
  );
  return union([all, regex, names], {
    default: "all-linear",
    doc: "Which modules are adapted: `all-linear`, names, or a Python-style regular expression matched against the whole path.",
  });
}

const methodDoc =
  "How the model is tuned: the name of a method, or a map with its fields, or a list of methods with their own targets.";

/**
 * `method` over the rows of the catalog. A row declares only what its own mathematics needs (such as `r`
 * and `alpha`); what concerns where it is applied, and what the core does for every method, is declared
 * here. A row that has no use for one of these lists it in `omits`; the patterns are left out of rows
 * without the number they vary.
 */
export function methodField(catalog: CatalogFields) {
  const initialisers: Variants = {
    default: { doc: "The method's own start.", fields: {} },
    ...catalog.initialisers,
  };
  const common = {
    target_modules: moduleSelection("target"),
    exclude_modules: moduleSelection("exclude"),
    layers_to_transform: list(int({ min: 0, doc: "A layer's index, from 0." }), {
      default: null,
      single: true,
      doc: "Indices of the layers that are adapted; by default all.",
      aliases: ["lora_layers_to_transform", "peft_layers_to_transform"],
    }),
    layers_pattern: list(text({ form: "module", doc: "A name." }), {
      default: null,
      single: true,
      doc: "Name of the list of layers within the model, where it is not the usual one.",
      aliases: ["peft_layers_pattern"],
    }),
    rank_pattern: record(int({ min: 1, doc: "A rank." }), {
      default: {},
      keys: "module",
      doc: "Another rank for modules whose path ends in, or matches, the name.",
    }),
    alpha_pattern: record(number({ above: 0, doc: "An alpha." }), {
      default: {},
      keys: "module",
      doc: "Another alpha for modules whose path ends in, or matches, the name.",
    }),
    dropout: share({
      default: 0,
      below: 1,
      doc: "How much of the adapter's input is set to zero while training.",
      aliases: ["lora_dropout"],
    }),
    bias: oneOf(
      {
        none: "No bias is trained.",
        all: "Every bias of the model is trained.",
        lora_only: "The biases of the adapted modules are trained.",
      },
      {
        default: "none",
        doc: "Which biases are trained beside the adapter.",
      },
    ),
    modules_to_save: list(text({ form: "module", doc: "A module's name." }), {
      default: [],
      single: true,
      doc: "Modules trained whole and stored with the adapter, such as a new head.",
      aliases: ["lora_modules_to_save", "additional_target"],
    }),
    init: choice(initialisers, {
      default: "default",
      doc: "How the trained tensors start.",
    }),
    from: text({
      form: "path",
      default: null,
      doc: "Folder of an adapter whose values the run starts from.",
      aliases: ["adapter_name_or_path", "lora_model_dir"],
    }),
    allocation: choice(catalog.allocations, {
      default: null,
      doc: "How the budget of rank is spread over the modules; by default equally.",
    }),
    sharing: choice(catalog.sharings, {
      default: null,
      doc: "Which factors several modules share; by default none.",
    }),
  };
  const one = choice(withPatterns(catalog.methods), { common, doc: methodDoc });
  return list(one, { single: true, minLength: 1, maxLength: 32, doc: methodDoc });
}

/** A row without `r` has no use for `rank_pattern`, one without `alpha` none for `alpha_pattern`. */
function withPatterns(methods: Variants): Variants {
  return Object.fromEntries(
    Object.entries(methods).map(([name, row]) => {
      const keys = Object.entries(row.fields).map(([property, { key }]) => key ?? property);
      const patterns = [
        ...(keys.includes("r") ? [] : ["rank_pattern"]),
        ...(keys.includes("alpha") ? [] : ["alpha_pattern"]),
      ];
      return [name, { ...row, omits: [...(row.omits ?? []), ...patterns] }] as const;
    }),
  );
}
