/** @file The token view: examples as the model reads them, what of them is trained, and what is wrong with the data. */
import "../../shared/panel.css";
import "./tokens.css";
import type { TokenExample, TokensView } from "../../../src/shared/panels/tokens.ts";
import { tokensPanel } from "../../../src/shared/panels/tokens.ts";
import { grouped } from "../../charts/numbers.ts";
import { button, element, replaceWith } from "../../shared/dom.ts";
import { findingsElement } from "../../shared/findings.ts";
import type { Say } from "../../shared/say.ts";
import { openPage, showFailure } from "../../shared/page.ts";

const examplesAtOnce = 10;
/** Of one example before the rest is asked for: a text of a million tokens would hold the page up. */
const tokensAtOnce = 2000;

openPage(tokensPanel, async ({ host, root, say }) => {
  let from = 0;

  const load = async (first: number): Promise<void> => {
    root.setAttribute("aria-busy", "true");
    try {
      const view = await host.ask("load", { from: first, count: examplesAtOnce });
      from = view.from;
      draw(view);
    } catch (error) {
      showFailure(root, error);
    }
    root.removeAttribute("aria-busy");
  };
  const turn = (first: number): void => void load(Math.max(0, first));
  const draw = (view: TokensView): void =>
    replaceWith(
      root,
      element("h1", { text: view.file.split(/[\\/]/).at(-1) ?? view.file, title: view.file }),
      element("p", { class: "muted", text: summaryOf(view, say) }),
      legend(say),
      findingsElement(view.findings),
      ...view.examples.map((example) => exampleElement(example, view.maxLength, say)),
      pager(view, turn, say),
    );

  host.on("changed", () => void load(from));
  replaceWith(
    root,
    element("p", { class: "muted", text: say("Reading the data …") }),
    button(say("Cancel"), () => void host.ask("cancel", null)),
  );
  await load(0);
  await host.ask("ready", null);
});

function summaryOf({ total, maxLength, truncated, dropped }: TokensView, say: Say): string {
  const parts = [
    say("{0} examples", grouped(total)),
    say("at most {0} tokens each", grouped(maxLength)),
    truncated > 0 ? say("{0} were cut", grouped(truncated)) : undefined,
    dropped > 0 ? say("{0} were left out", grouped(dropped)) : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(" · ");
}

function legend(say: Say): HTMLElement {
  return element(
    "p",
    { class: "legend" },
    element("span", { class: "token trained", text: say("trained") }),
    element("span", { class: "token", text: say("only read") }),
  );
}

function exampleElement(example: TokenExample, maxLength: number, say: Say): HTMLElement {
  const { row, ids, texts, trained, label } = example;
  const text = element("div", { class: "text" });
  let shown = 0;
  const more = button(say("Show the rest"), () => {
    const end = Math.min(texts.length, shown + tokensAtOnce);
    const tokens: Node[] = [];
    for (; shown < end; shown += 1)
      tokens.push(
        ...tokenElements(texts[shown] ?? "", ids[shown] ?? 0, trained[shown] === 1, shown),
      );
    text.append(...tokens);
    more.hidden = shown >= texts.length;
  });
  more.click();
  const count = trained.reduce((sum, flag) => sum + flag, 0);
  const facts = [
    say("row {0}", grouped(row + 1)),
    say("{0} tokens", grouped(ids.length)),
    say("{0} trained", grouped(count)),
    ids.length >= maxLength ? say("as long as may be") : undefined,
    label === undefined ? undefined : say("label {0}", label),
  ];
  return element(
    "section",
    { class: "example" },
    element("h3", { text: facts.filter((fact) => fact !== undefined).join(" · ") }),
    text,
    more,
  );
}

/** A token with its breaks shown and made. */
function tokenElements(
  text: string,
  id: number,
  isTrained: boolean,
  place: number,
): readonly Node[] {
  const visible = text.replaceAll("\n", "⏎").replaceAll("\t", "→");
  const token = element("span", {
    class: isTrained ? "token trained" : "token",
    text: visible === "" ? "∅" : visible,
    title: `${place}: ${id} ${JSON.stringify(text)}`,
  });
  return text.includes("\n") ? [token, element("br")] : [token];
}

function pager(
  { from, examples, total }: TokensView,
  turn: (first: number) => void,
  say: Say,
): HTMLElement {
  const last = from + examples.length;
  return element(
    "nav",
    { class: "controls" },
    button(say("Before"), () => turn(from - examplesAtOnce), {
      attributes: { disabled: from === 0 },
    }),
    element("span", {
      text: say(
        "{0} to {1} of {2}",
        grouped(Math.min(from + 1, total)),
        grouped(last),
        grouped(total),
      ),
    }),
    button(say("Next"), () => turn(last), { attributes: { disabled: last >= total } }),
  );
}
