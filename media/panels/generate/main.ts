/** @file The generate view: one prompt, the base and the tuned model side by side, as they write. */
import "../../shared/panel.css";
import "./generate.css";
import type { GenerateSide, GenerateView } from "../../../src/shared/panels/generate.ts";
import { generatePanel } from "../../../src/shared/panels/generate.ts";
import { button, checkbox, element, replaceWith } from "../../shared/dom.ts";
import { openPage, showFailure } from "../../shared/page.ts";

openPage(generatePanel, async ({ host, root, say }) => {
  let isChat = false;
  let compares = false;

  const prompt = element("textarea", {
    attributes: {
      rows: 5,
      placeholder: say("Write a prompt. Ctrl+Enter generates."),
      "aria-label": say("Prompt"),
    },
  });
  const number = (
    label: string,
    value: number,
    limits: { readonly min: number; readonly step: number },
  ) => {
    const input = element("input", { attributes: { type: "number", value, ...limits } });
    return {
      input,
      field: element("label", { class: "field" }, element("span", { text: label }), input),
    };
  };
  const length = number(say("New tokens"), 64, { min: 1, step: 1 });
  const temperature = number(say("Temperature"), 0, { min: 0, step: 0.1 });
  const seed = number(say("Seed"), 0, { min: 0, step: 1 });
  const stop = element("input", {
    attributes: { type: "text", placeholder: say("none"), title: say("Stop before this text") },
  });
  const status = element("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const outputs: Readonly<Record<GenerateSide, HTMLElement>> = {
    base: element("pre", { attributes: { "aria-live": "polite", "aria-label": say("Base") } }),
    tuned: element("pre", { attributes: { "aria-live": "polite", "aria-label": say("Tuned") } }),
  };
  const sides = element("div", { class: "sides" });
  const go = button(say("Generate"), () => void start(), { class: "primary" });
  const end = button(say("Stop"), () => void host.ask("cancel", null));

  const setWorking = (working: boolean): void => {
    go.disabled = working;
    end.disabled = !working;
  };
  const drawSides = (): void =>
    replaceWith(
      sides,
      compares
        ? element("section", {}, element("h3", { text: say("Base") }), outputs.base)
        : undefined,
      element(
        "section",
        {},
        compares ? element("h3", { text: say("Tuned") }) : undefined,
        outputs.tuned,
      ),
    );
  const start = async (): Promise<void> => {
    if (go.disabled || prompt.value.trim() === "") return;
    const wrong = [length, temperature, seed].find(({ input }) => !input.checkValidity());
    if (wrong !== undefined) {
      wrong.input.reportValidity();
      return;
    }
    setWorking(true);
    outputs.base.textContent = "";
    outputs.tuned.textContent = "";
    status.textContent = "";
    drawSides();
    try {
      await host.ask("generate", {
        prompt: prompt.value,
        chat: isChat,
        compare: compares,
        maxNewTokens: length.input.valueAsNumber,
        temperature: temperature.input.valueAsNumber,
        seed: seed.input.valueAsNumber,
        stop: stop.value === "" ? [] : [stop.value],
      });
    } catch (error) {
      showFailure(status, error);
      setWorking(false);
    }
  };
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void start();
  });

  host.on("loading", ({ text }) => {
    status.textContent = text;
  });
  host.on("piece", ({ side, text }) => {
    status.textContent = "";
    outputs[side].append(text);
  });
  host.on("ended", ({ error, cancelled }) => {
    setWorking(false);
    if (error !== undefined) showFailure(status, new Error(error));
    else status.textContent = cancelled === true ? say("Stopped.") : "";
  });

  const draw = (view: GenerateView): void => {
    setWorking(view.working);
    compares = view.hasBase;
    replaceWith(
      root,
      element("h1", { text: view.label, title: view.model }),
      prompt,
      element(
        "div",
        { class: "controls" },
        go,
        end,
        length.field,
        temperature.field,
        seed.field,
        element("label", { class: "field" }, element("span", { text: say("Stop at") }), stop),
        checkbox(say("Chat"), isChat, (on) => {
          isChat = on;
        }),
        view.hasBase
          ? checkbox(say("Beside the base"), true, (on) => {
              compares = on;
              drawSides();
            })
          : undefined,
      ),
      status,
      sides,
    );
    drawSides();
    prompt.focus();
  };
  draw(await host.ask("load", null));
  await host.ask("ready", null);
});
