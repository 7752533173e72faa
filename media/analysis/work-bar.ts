/** @file The bar of a panel that has something computed: what to compute, begin, progress, cancel, what went wrong. */
import type { WorkEnd, WorkProgress } from "../../src/shared/analysis.ts";
import { duration } from "../charts/numbers.ts";
import { button, element } from "../shared/dom.ts";
import type { Say } from "../shared/say.ts";

export interface WorkBarOptions {
  readonly say: Say;
  /** On the button. */
  readonly begin: string;
  readonly start: () => Promise<unknown>;
  readonly cancel: () => Promise<unknown>;
  readonly fields: readonly Element[];
}

export interface WorkBar {
  readonly element: HTMLElement;
  readonly setWorking: (working: boolean) => void;
  readonly progress: (progress: WorkProgress) => void;
  readonly ended: (end: WorkEnd) => void;
}

export function workBar({ say, begin, start, cancel, fields }: WorkBarOptions): WorkBar {
  const told = element("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const meter = element("progress", { attributes: { max: 1, "aria-label": say("Progress") } });
  const setWorking = (working: boolean): void => {
    go.disabled = working;
    end.disabled = !working;
    meter.hidden = !working;
    if (!working) meter.removeAttribute("value");
  };
  const fail = (error: unknown): void => {
    setWorking(false);
    told.className = "failure";
    told.textContent = error instanceof Error ? error.message : String(error);
  };
  const go = button(
    begin,
    () => {
      told.className = "muted";
      told.textContent = "";
      setWorking(true);
      start().catch(fail);
    },
    { class: "primary" },
  );
  const end = button(say("Cancel"), () => void cancel());
  setWorking(false);
  return {
    element: element(
      "section",
      {},
      element("div", { class: "controls" }, ...fields, go, end),
      meter,
      told,
    ),
    setWorking,
    progress({ text, share, secondsLeft }) {
      setWorking(true);
      if (share !== undefined) meter.value = share;
      told.textContent =
        secondsLeft === undefined ? text : say("{0}, {1} left", text, duration(secondsLeft));
    },
    ended({ error, cancelled }) {
      if (error !== undefined) fail(new Error(error));
      else {
        setWorking(false);
        told.textContent = cancelled === true ? say("Cancelled; what is finished is kept.") : "";
      }
    },
  };
}
