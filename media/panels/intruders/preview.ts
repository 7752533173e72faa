/** @file λ before it is applied: what is known of the result at once, and what only a measurement can tell. */
import type { FigureOptions } from "../../charts/figure.ts";
import { figure } from "../../charts/figure.ts";
import { lineChart } from "../../charts/line-chart.ts";
import { short } from "../../charts/numbers.ts";
import { element } from "../../shared/dom.ts";
import type { Say } from "../../shared/say.ts";
import type { Matrix } from "./counts.ts";
import { sumOf } from "./counts.ts";
import type { Scaling } from "./what-if.ts";
import { whatIf, whatIfTotal } from "./what-if.ts";

export interface Preview {
  readonly element: HTMLElement;
  /** Of all matrices in words, of the chosen one its spectrum. */
  readonly show: (matrices: readonly Matrix[], chosen: Matrix, scaling: Scaling) => void;
}

export function mitigationPreview(say: Say, save: FigureOptions["save"]): Preview {
  const told = element("p", { class: "preview", attributes: { "aria-live": "polite" } });
  const title = say("Spectrum at λ");
  const chart = lineChart({
    title,
    x: say("index"),
    y: say("singular value"),
    height: 200,
    isLog: true,
  });
  const named = element("span", { class: "muted" });
  return {
    element: element(
      "section",
      {},
      told,
      figure(chart, {
        title,
        caption: say(
          "Known exactly: scaling leaves every singular vector, and so every cosine, as it is; only values move, here down to the least that was looked at. Not known before Mitigate: what the model then scores, and which vectors come up behind them.",
        ),
        fileName: "mitigation-preview",
        say,
        save,
        controls: [named],
      }),
    ),
    show(matrices, chosen, scaling) {
      const { scaled, certain, open, change, matrices: touched } = whatIfTotal(matrices, scaling);
      const before = sumOf(matrices, scaling.epsilon, scaling.k);
      const keep = short(scaling.keep);
      told.textContent =
        scaled === 0
          ? say("At ε and k as set there is no certain intruder: nothing would be scaled.")
          : [
              say("λ = {0} scales {1} vectors in {2} matrices", keep, scaled, touched),
              open > 0
                ? say(
                    "leaves {0} of {1} intruders among the first k, and {2} places open",
                    certain,
                    before.certain,
                    open,
                  )
                : say("leaves {0} of {1} intruders among the first k", certain, before.certain),
              say("‖W′ − W‖ = {0}", short(change)),
            ].join(" · ");
      const one = whatIf(chosen, scaling);
      named.textContent = chosen.name;
      chart.set([
        { label: say("before"), points: byRank(one.before) },
        { label: say("after"), points: byRank(one.after) },
      ]);
    },
  };
}

function byRank(sigma: readonly number[]): { readonly x: Float64Array; readonly y: Float64Array } {
  return { x: Float64Array.from(sigma, (_, index) => index + 1), y: Float64Array.from(sigma) };
}
