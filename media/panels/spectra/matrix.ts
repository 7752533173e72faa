/** @file One matrix of the spectra panel: its singular values, their density with the fits that hold, and all its figures. */
import type { Entry } from "../../analysis/documents.ts";
import { at, entries, entryAt, number, numbers, text } from "../../analysis/documents.ts";
import { bars } from "../../charts/bars.ts";
import type { FigureOptions } from "../../charts/figure.ts";
import { figure } from "../../charts/figure.ts";
import { lineChart } from "../../charts/line-chart.ts";
import { short } from "../../charts/numbers.ts";
import { tableHead } from "../../charts/table.ts";
import { checkbox, element } from "../../shared/dom.ts";
import type { Say } from "../../shared/say.ts";
import type { Law, Refusal } from "./density.ts";
import { bulkLawOf, densityOf, powerLawOf } from "./density.ts";
import { facts } from "./figures.ts";

export function matrixElements(
  matrix: Entry,
  say: Say,
  save: FigureOptions["save"],
): readonly HTMLElement[] {
  const name = text(matrix, "name");
  const size = `${number(matrix, "out")} × ${number(matrix, "in")}`;
  const spectra = [
    { label: say("base"), spectrum: entryAt(matrix, "base") },
    { label: say("tuned"), spectrum: entryAt(matrix, "tuned") },
    { label: say("update"), spectrum: entryAt(matrix, "update", "spectrum") },
  ].flatMap(({ label, spectrum }, color) =>
    spectrum === undefined ? [] : [{ label, spectrum, color }],
  );

  const chart = lineChart({
    title: name,
    x: say("index"),
    y: say("singular value"),
    height: 300,
    isLog: true,
  });
  const series = spectra.map(({ label, spectrum, color }) => {
    const sigma = numbers(spectrum, "sigma");
    return {
      label,
      color,
      points: { x: Float64Array.from(sigma, (_, index) => index + 1), y: Float64Array.from(sigma) },
    };
  });
  const spectrum = figure(chart, {
    title: say("Singular values"),
    caption: `${name}, ${size}, ${text(matrix, "baseDtype")}`,
    fileName: `${name}-spectrum`,
    say,
    save,
    controls: [checkbox(say("log"), true, (on) => chart.setLog(on))],
  });
  // It has a width only once it stands in the page.
  requestAnimationFrame(() => chart.set(series));
  return [
    element("h1", { text: name }),
    spectrum,
    ...spectra.flatMap((one) => density(name, one, say, save)),
    factsTable(matrix, spectra, say),
  ];
}

interface Spectrum {
  readonly label: string;
  readonly spectrum: Entry;
}

/** The density of λ = σ², where there are values enough for one, with the laws that fit it. */
function density(
  name: string,
  { label, spectrum }: Spectrum,
  say: Say,
  save: FigureOptions["save"],
): readonly HTMLElement[] {
  const found = densityOf(spectrum);
  if (found === undefined) return [];
  const tail = powerLawOf(spectrum, found);
  const bulk = bulkLawOf(spectrum, found);
  const curves = [
    ...(bulk === undefined ? [] : [{ label: say("Marchenko–Pastur"), ...bulk }]),
    ...(typeof tail === "string" ? [] : [{ label: say("power law"), ...tail }]),
  ].map(({ count, ...curve }) => ({ ...curve, value: count }));
  const title = say("Density of λ = σ², {0}", label);
  return [
    figure(bars({ title, x: "log10 λ", y: say("count"), ...found, curves }), {
      title,
      caption: [tailText(spectrum, tail, say), bulkText(spectrum, say)].join(" · "),
      fileName: `${name}-density-${label}`,
      say,
      save,
    }),
  ];
}

/** What the fit of the tail says, and why it is not drawn where it is not. */
function tailText(spectrum: Entry, drawn: Law | Refusal, say: Say): string {
  const law = entryAt(spectrum, "powerLaw");
  if (drawn === "none fitted") return text(law, "refused") || refusalText(drawn, say);
  const said = say(
    "power law: α {0} ± {1} above λ {2} (n {3}, D {4}; against log-normal p {5})",
    short(number(law, "alpha")),
    short(number(law, "sigmaAlpha")),
    short(number(law, "xmin")),
    number(law, "nTail"),
    short(number(law, "D")),
    short(number(law, "logNormalP")),
  );
  return typeof drawn === "string" ? `${said}, ${refusalText(drawn, say)}` : said;
}

function refusalText(refusal: Refusal, say: Say): string {
  switch (refusal) {
    case "none fitted":
      return say("none fitted");
    case "no heavy tail":
      return say("not drawn: so light a tail is no power law");
    case "log-normal":
      return say("not drawn: a log-normal fits better");
    case "poor fit":
      return say("not drawn: a poor fit");
  }
}

function bulkText(spectrum: Entry, say: Say): string {
  const bulk = entryAt(spectrum, "marchenkoPastur");
  return (
    text(bulk, "refused") ||
    (at(bulk, "overlay") === true
      ? say(
          "Marchenko–Pastur: bulk to λ {0}, {1} spikes beyond {2}",
          short(number(bulk, "upper")),
          number(bulk, "spikes"),
          short(number(bulk, "spikeEdge")),
        )
      : say("Marchenko–Pastur does not fit the bulk (D {0})", short(number(bulk, "D"))))
  );
}

function factsTable(matrix: Entry, spectra: readonly Spectrum[], say: Say): HTMLElement {
  const row = (label: string, values: readonly string[]): HTMLElement =>
    element(
      "tr",
      {},
      element("th", { text: label, attributes: { scope: "row" } }),
      ...values.map((value) => element("td", { class: "number", text: value })),
    );
  const alignment = entries(at(matrix, "update", "alignment")).map((one) =>
    say(
      "{0} of the update in the base's top {1} (random: {2})",
      short(number(one, "share")),
      number(one, "k"),
      short(number(one, "random")),
    ),
  );
  const update = entryAt(matrix, "update");
  return element(
    "figure",
    {},
    element(
      "table",
      {},
      tableHead([{ text: "" }, ...spectra.map(({ label }) => ({ text: label, isNumber: true }))]),
      element(
        "tbody",
        {},
        ...facts.map(({ label, value }) =>
          row(
            label(say),
            spectra.map(({ spectrum }) => short(value(spectrum))),
          ),
        ),
      ),
    ),
    update === undefined
      ? undefined
      : element("figcaption", {
          text: [say("‖ΔW‖ / ‖W‖ = {0}", short(number(update, "relativeSize"))), ...alignment].join(
            " · ",
          ),
        }),
  );
}
