/** @file The same declarations as a JSON schema (draft-07), for editors and tools that are not ours. */
import type { Bounds, Field, Fields, Json, Shape, Variant } from "../schema.ts";
import type { CatalogFields } from "./fields/catalog-fields.ts";
import { documentField, experimentFields, formatVersion } from "./fields/experiment-fields.ts";
import { namedFields } from "./lookup.ts";
import { plainFields } from "./plain.ts";

export type JsonSchema = { readonly [key: string]: Json };

/** The schema of the experiment file over a catalog. */
export function experimentJsonSchema(catalog: CatalogFields): JsonSchema {
  const fields = experimentFields(catalog);
  const schema = toJsonSchema(documentField(catalog));
  const required = namedFields(fields).filter(({ field }) => isRequired(field));
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: `spectune-experiment-v${formatVersion}`,
    title: "Spectune experiment",
    ...schema,
    // A file that extends another need say nothing itself; so nothing below is required either.
    anyOf: [{ required: ["extends"] }, { required: required.map(({ key }) => key) }],
  };
}

/** A map that is filled with defaults is required where one of its fields has none. */
export function isRequired({ presence, shape }: Field<unknown>): boolean {
  if (presence !== "filled" || shape.kind !== "object") return presence === "required";
  return namedFields(shape.fields).some(({ field }) => isRequired(field));
}

/**
 * The schema of one field. Fields that all variants of a choice share are written once, under
 * `definitions`: a catalog of two hundred methods would otherwise say each of them two hundred times.
 */
function toJsonSchema(field: Field<unknown>): JsonSchema {
  const definitions = new Map<string, JsonSchema>();
  const names = new Map<Field<unknown>, string>();

  function schemaOf(declared: Field<unknown>, name: string): JsonSchema {
    const { doc, unit } = declared;
    const description = unit === undefined ? doc : `${doc} In ${unit}.`;
    const body = shapeSchema(declared.shape, name);
    const unset = declared.presence === "default" && declared.default === null;
    return {
      ...(description === "" ? {} : { description }),
      ...(unset ? { anyOf: [{ type: "null" }, body] } : body),
      ...defaultOf(declared),
    };
  }

  function shapeSchema(shape: Shape, name: string): JsonSchema {
    switch (shape.kind) {
      case "int":
      case "number": {
        const type = shape.kind === "int" ? "integer" : "number";
        return { anyOf: [{ type, ...boundsSchema(shape.bounds) }, expression] };
      }
      case "share":
        return {
          anyOf: [{ type: "number", ...boundsSchema(shape.bounds) }, percentage, expression],
        };
      case "bool":
        return { type: "boolean" };
      case "duration":
        return { anyOf: [{ type: "string", pattern: durationPattern }, { const: "end" }] };
      case "any":
        return {};
      case "text":
        return { type: ["string", "number"] };
      case "oneOf":
        return { enum: [...shape.literals.keys()] };
      case "list": {
        const { minLength, maxLength, single } = shape;
        const items = schemaOf(shape.of, name);
        const list = { type: "array", items, minItems: minLength, maxItems: maxLength };
        return single ? { anyOf: [list, items] } : list;
      }
      case "record":
        return { type: "object", additionalProperties: schemaOf(shape.of, name) };
      case "object": {
        const rest = shape.rest === undefined ? false : schemaOf(shape.rest.of, name);
        const map = { ...objectSchema(shape.fields, name), additionalProperties: rest };
        return shape.short === undefined ? map : { anyOf: [map, { type: "string" }] };
      }
      case "choice":
        return choiceSchema(shape, name);
      case "keyed":
        return keyedSchema(shape.variants, name);
      case "union":
        return { anyOf: shape.options.map((option) => schemaOf(option, name)) };
    }
  }

  function objectSchema(fields: Fields, name: string): JsonSchema {
    const properties = propertiesOf(fields, name);
    return { type: "object", properties };
  }

  function propertiesOf(fields: Fields, name: string): JsonSchema {
    const pairs = namedFields(fields).map(
      ({ key, field: inner }) => [key, schemaOf(inner, `${name}.${key}`)] as const,
    );
    return Object.fromEntries(pairs);
  }

  function choiceSchema(shape: Extract<Shape, { kind: "choice" }>, name: string): JsonSchema {
    const types = Object.keys(shape.variants);
    const maps = Object.entries(shape.variants).map(([type, variant]) => {
      const common = namedFields(shape.common)
        .filter(({ key }) => variant.omits?.includes(key) !== true)
        .map(({ key, field: inner }) => [key, reference(inner, `${name}.${key}`)] as const);
      const own = propertiesOf(variant.fields, `${name}.${type}`);
      const properties = { type: { const: type }, ...Object.fromEntries(common), ...own };
      return {
        type: "object",
        ...titled(variant),
        properties,
        additionalProperties: false,
      };
    });
    return { anyOf: [{ enum: types }, ...maps] };
  }

  function keyedSchema(variants: Readonly<Record<string, Variant>>, name: string): JsonSchema {
    const properties = Object.fromEntries(
      Object.entries(variants).map(([type, variant]) => {
        const map = objectSchema(variant.fields, `${name}.${type}`);
        return [type, { ...titled(variant), ...map, additionalProperties: false }] as const;
      }),
    );
    const map = { type: "object", properties, additionalProperties: false };
    return {
      anyOf: [{ enum: Object.keys(variants) }, { ...map, minProperties: 1, maxProperties: 1 }],
    };
  }

  function reference(declared: Field<unknown>, name: string): JsonSchema {
    const known = names.get(declared) ?? name;
    if (!names.has(declared)) {
      names.set(declared, known);
      definitions.set(known, schemaOf(declared, name));
    }
    return { $ref: `#/definitions/${known}` };
  }

  const schema = schemaOf(field, "");
  const shared = Object.fromEntries([...definitions].map(([name, body]) => [name, body] as const));
  return definitions.size === 0 ? schema : { ...schema, definitions: shared };
}

const expression: JsonSchema = {
  type: "string",
  pattern: "^(=.*|[0-9]*\\.?[0-9]* ?[A-Za-z_][A-Za-z0-9_.]*)$",
  description: "Arithmetic over other fields, such as `2r` or `= 4 * r`.",
};
const percentage: JsonSchema = { type: "string", pattern: "^[0-9]+(\\.[0-9]+)? ?%$" };
const durationPattern = "^[0-9]+(\\.[0-9]+)? ?(steps?|epochs?)$";

function titled({ title, doc }: Variant): JsonSchema {
  return { ...(title === undefined ? {} : { title }), description: doc };
}

function boundsSchema({ min, max, above, below, powerOfTwo }: Bounds): JsonSchema {
  if (powerOfTwo === true && min !== undefined && max !== undefined)
    return { enum: powersOfTwo(min, max) };
  return {
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
    ...(above === undefined ? {} : { exclusiveMinimum: above }),
    ...(below === undefined ? {} : { exclusiveMaximum: below }),
  };
}

function powersOfTwo(min: number, max: number): readonly number[] {
  const powers: number[] = [];
  for (let power = 2 ** Math.ceil(Math.log2(min)); power <= max; power *= 2) powers.push(power);
  return powers;
}

function defaultOf(field: Field<unknown>): JsonSchema {
  if (field.shape.kind === "choice" && field.shape.preset !== undefined)
    return { default: field.shape.preset };
  if (field.presence !== "default") return {};
  const value = plainFields({ value: field }, { value: field.default })["value"];
  return value === undefined ? {} : { default: value };
}
