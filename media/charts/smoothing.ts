/** @file The slider that smooths curves: the weight of the exponential mean. */
import { slider } from "../shared/dom.ts";
import type { Say } from "../shared/say.ts";

export function smoothingSlider(say: Say, act: (weight: number) => void): HTMLLabelElement {
  const range = { min: 0, max: 0.95, step: 0.05, value: 0 };
  return slider(say("Smoothing"), range, (value) => value.toFixed(2), act);
}
