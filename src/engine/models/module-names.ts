/** @file Names of modules and tensors, which are joined by dots. */

/** `model.layers.0.self_attn.q_proj` of `model.layers.0.self_attn.q_proj.weight`. */
export function moduleOf(source: string): string {
  return source.slice(0, source.lastIndexOf("."));
}

/** `q_proj` of `model.layers.0.self_attn.q_proj`. */
export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Whether a module of that name is this one or holds it; of a tensor, whether one holds it. */
export function within(name: string, module: string): boolean {
  return `.${name}.`.includes(`.${module}.`);
}
