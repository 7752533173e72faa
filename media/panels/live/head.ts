/** @file What stands above the curves of a run: its state, how far it is, and what it can be told. */
import type { livePanel } from "../../../src/shared/panels/live.ts";
import type { Phase } from "../../../src/shared/protocol.ts";
import type { Death, RunHead } from "../../../src/shared/run-head.ts";
import type { RunState } from "../../../src/shared/run-state.ts";
import { canResume, isLive } from "../../../src/shared/run-state.ts";
import { seriesColor } from "../../charts/colors.ts";
import { duration, grouped, short } from "../../charts/numbers.ts";
import { button, element } from "../../shared/dom.ts";
import type { Page } from "../../shared/page.ts";
import type { Say } from "../../shared/say.ts";
import { isDark } from "../../shared/page.ts";

export interface HeadOptions {
  readonly head: RunHead;
  readonly label: string;
  /** Its place among the runs, which decides its colour. */
  readonly index: number;
  readonly alone: boolean;
  readonly page: Page<typeof livePanel>;
}

export function headElement({ head, label, index, alone, page }: HeadOptions): HTMLElement {
  const { say, host } = page;
  const swatch = element("span", { class: "swatch" });
  swatch.style.background = seriesColor(index, isDark());
  const live = isLive(head.state);
  const act = (command: "spectune.stop" | "spectune.resume" | "spectune.revealRun") => (): void =>
    void host.ask("runCommand", { command, run: head.folder });
  const share = head.steps === undefined ? undefined : head.step / head.steps;
  return element(
    "section",
    { class: `run ${head.state}` },
    element("h1", { title: head.folder }, alone ? undefined : swatch, label),
    element("div", { class: "state", attributes: { "aria-live": "polite" } }, stateText(head, say)),
    live && share !== undefined
      ? element("progress", { attributes: { value: share, max: 1, "aria-label": say("Progress") } })
      : undefined,
    ...metricElements(head, say),
    head.death === undefined ? undefined : deathElement(head.death, say),
    element(
      "div",
      { class: "controls" },
      live
        ? button(say("Stop"), act("spectune.stop"), {
            attributes: { disabled: head.state === "stopping" },
          })
        : undefined,
      canResume(head.state)
        ? button(say("Resume"), act("spectune.resume"), { class: "primary" })
        : undefined,
      button(say("Open Folder"), act("spectune.revealRun")),
    ),
  );
}

/** Runs whose metrics are all shown; a head is made anew at each word of its run. */
const unfolded = new Set<string>();

/** As many as leave the curves their place, the scores on test data first, and all of them on demand. */
function metricElements({ folder, metrics }: RunHead, say: Say): readonly HTMLElement[] {
  const rankOf = (name: string): number =>
    (name.startsWith("test.") ? 0 : name.startsWith("eval.") ? 2 : 4) +
    (/\.(?:loss|perplexity)$/.test(name) ? 1 : 0);
  const all = Object.entries(metrics)
    .toSorted(([a], [b]) => rankOf(a) - rankOf(b))
    .map(([name, value]) => `${name} ${short(value)}`);
  const line = (texts: readonly string[]): HTMLElement =>
    element("div", { class: "muted", text: texts.join(" · ") });
  if (all.length <= 3) return all.length === 0 ? [] : [line(all)];
  const rest = element(
    "details",
    { class: "muted", attributes: { open: unfolded.has(folder) } },
    element("summary", { text: say("Further measurements ({0})", all.length - 2) }),
    line(all.slice(2)),
  );
  rest.addEventListener("toggle", () => {
    if (rest.open) unfolded.add(folder);
    else unfolded.delete(folder);
  });
  return [line(all.slice(0, 2)), rest];
}

function wordOf(state: RunState, say: Say): string {
  switch (state) {
    case "created":
      return say("not started yet");
    case "running":
      return say("running");
    case "stopping":
      return say("stopping after this step");
    case "finished":
      return say("finished");
    case "stopped":
      return say("stopped");
    case "failed":
      return say("failed");
    case "crashed":
      return say("ended without a word");
    case "stale-unknown":
      return say("silent on another machine");
  }
}

/** What it does besides training, which steps tell. */
function phaseText(phase: Phase, say: Say): string | undefined {
  switch (phase) {
    case "loading":
      return say("reading the model");
    case "decomposing":
      return say("decomposing weights");
    case "compiling":
      return say("compiling");
    case "calibrating":
      return say("calibrating");
    case "training":
      return undefined;
    case "evaluating":
      return say("evaluating");
    case "exporting":
      return say("exporting");
  }
}

/** `running · step 12 of 60 · 40 s left`. */
function stateText({ state, step, steps, secondsLeft, progress }: RunHead, say: Say): string {
  const live = isLive(state);
  const parts = [
    wordOf(state, say),
    steps === undefined
      ? step > 0
        ? say("step {0}", grouped(step))
        : undefined
      : say("step {0} of {1}", grouped(step), grouped(steps)),
    live && progress !== undefined ? phaseText(progress.phase, say) : undefined,
    live && secondsLeft !== undefined ? say("{0} left", duration(secondsLeft)) : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(" · ");
}

/** Why it is no more, how to mend it, and the last that it said. */
function deathElement({ message, remedy, lastLines }: Death, say: Say): HTMLElement {
  return element(
    "div",
    { class: "failure", attributes: { role: "alert" } },
    element("p", { text: message }),
    remedy === undefined ? undefined : element("p", { text: remedy }),
    lastLines.length === 0
      ? undefined
      : element(
          "details",
          {},
          element("summary", { text: say("Its last lines") }),
          element("pre", { text: lastLines.join("\n") }),
        ),
  );
}
