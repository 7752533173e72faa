/** @file The read-only editor of safetensors files: every tensor of the header, and the distribution of one on demand. */
import "../../shared/panel.css";
import "./tensors.css";
import type {
  ListedTensor,
  TensorHistogram,
  TensorsView,
} from "../../../src/shared/panels/tensors.ts";
import { tensorsPanel } from "../../../src/shared/panels/tensors.ts";
import { bars } from "../../charts/bars.ts";
import { figure } from "../../charts/figure.ts";
import { bytes, grouped, short } from "../../charts/numbers.ts";
import { element, replaceWith } from "../../shared/dom.ts";
import type { Page } from "../../shared/page.ts";
import type { Say } from "../../shared/say.ts";
import { openPage, showFailure } from "../../shared/page.ts";

type SortKey = "name" | "dtype" | "elements" | "bytes";

/** Rows that are drawn at once; a file may list many thousands. */
const rowsAtOnce = 300;

openPage(tensorsPanel, async (page) => {
  const { host, root, say } = page;
  let view: TensorsView = { file: "", bytes: 0, tensors: [], metadata: {} };
  let sort: { readonly key: SortKey; readonly down: boolean } | undefined;
  let wanted = "";
  let shown = rowsAtOnce;

  const summary = element("p", { class: "muted" });
  const metadata = element("div");
  const body = element("tbody");
  const detail = element("section", { class: "detail", attributes: { "aria-live": "polite" } });
  const more = element("button", { text: say("More rows"), attributes: { type: "button" } });
  more.addEventListener("click", () => {
    shown += rowsAtOnce;
    drawRows();
  });
  const search = element("input", {
    attributes: {
      type: "search",
      placeholder: say("Filter by name, type or shape"),
      "aria-label": say("Filter"),
    },
  });
  search.addEventListener("input", () => {
    wanted = search.value.trim().toLowerCase();
    shown = rowsAtOnce;
    drawRows();
  });
  const head = (key: SortKey, text: string): HTMLTableCellElement => {
    const cell = element("th", {
      attributes: { scope: "col" },
      class: key === "name" || key === "dtype" ? "" : "number",
    });
    const press = element("button", { class: "sort", text, attributes: { type: "button" } });
    press.addEventListener("click", () => {
      sort = { key, down: sort?.key === key ? !sort.down : key === "elements" || key === "bytes" };
      for (const other of cell.parentElement?.children ?? []) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      drawRows();
    });
    cell.append(press);
    return cell;
  };

  const drawRows = (): void => {
    const matching = view.tensors.filter((tensor) => textOf(tensor).includes(wanted));
    const sorted =
      sort === undefined ? matching : matching.toSorted(comparing(sort.key, sort.down));
    const count = matching.reduce((sum, tensor) => sum + elementsOf(tensor), 0);
    const size = matching.reduce((sum, tensor) => sum + tensor.bytes, 0);
    summary.textContent = say(
      "{0} of {1} tensors, {2} elements, {3}",
      grouped(matching.length),
      grouped(view.tensors.length),
      grouped(count),
      bytes(size),
    );
    replaceWith(body, ...sorted.slice(0, shown).map(row));
    more.hidden = sorted.length <= shown;
  };
  const row = (tensor: ListedTensor): HTMLTableRowElement => {
    const open = element("button", {
      class: "name",
      text: tensor.name,
      title: say("Show its distribution"),
      attributes: { type: "button" },
    });
    open.addEventListener("click", () => void show(tensor));
    return element(
      "tr",
      {},
      element("td", {}, open),
      element("td", { text: tensor.dtype }),
      element("td", { class: "number", text: tensor.shape.join(" × ") }),
      element("td", { class: "number", text: grouped(elementsOf(tensor)) }),
      element("td", { class: "number", text: bytes(tensor.bytes) }),
    );
  };
  let asked = "";
  const show = async (tensor: ListedTensor): Promise<void> => {
    asked = tensor.name;
    replaceWith(detail, element("p", { class: "muted", text: say("Reading {0} …", tensor.name) }));
    try {
      const histogram = await host.ask("histogram", { tensor: tensor.name });
      if (asked === tensor.name) replaceWith(detail, ...histogramElements(histogram, page));
    } catch (error) {
      if (asked === tensor.name) showFailure(detail, error);
    }
    detail.scrollIntoView({ block: "nearest" });
  };

  const load = async (): Promise<void> => {
    view = await host.ask("load", null);
    replaceWith(metadata, metadataElement(view.metadata, say));
    drawRows();
  };
  replaceWith(
    root,
    element("div", { class: "controls" }, search),
    summary,
    metadata,
    detail,
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          head("name", say("Tensor")),
          head("dtype", say("Type")),
          element("th", { class: "number", text: say("Shape"), attributes: { scope: "col" } }),
          head("elements", say("Elements")),
          head("bytes", say("Size")),
        ),
      ),
      body,
    ),
    more,
  );
  host.on("changed", () => void load().catch((error: unknown) => showFailure(root, error)));
  await load();
  await host.ask("ready", null);
});

function histogramElements(
  histogram: TensorHistogram,
  { host, root, say }: Page<typeof tensorsPanel>,
): readonly Node[] {
  const { tensor, edges, counts, values, mean, deviation, least, greatest, zeros, nonFinite } =
    histogram;
  const drawing = bars({ title: tensor, x: say("value"), y: say("count"), edges, counts });
  const facts = [
    say("mean {0}", short(mean)),
    say("deviation {0}", short(deviation)),
    say("least {0}", short(least)),
    say("greatest {0}", short(greatest)),
    say("zeros {0}", grouped(zeros)),
    nonFinite > 0 ? say("NaN or infinite: {0}", grouped(nonFinite)) : undefined,
    say("of {0} values", grouped(values)),
  ];
  return [
    figure(drawing, {
      title: tensor,
      caption: facts.filter((fact) => fact !== undefined).join(" · "),
      fileName: tensor,
      say,
      save: (file) =>
        void host.ask("save", file).catch((error: unknown) => showFailure(root, error)),
    }),
  ];
}

function metadataElement(
  metadata: Readonly<Record<string, string>>,
  say: Say,
): HTMLElement | undefined {
  const entries = Object.entries(metadata);
  if (entries.length === 0) return undefined;
  return element(
    "details",
    {},
    element("summary", { text: say("Metadata ({0})", entries.length) }),
    element(
      "table",
      {},
      ...entries.map(([key, value]) =>
        element(
          "tr",
          {},
          element("th", { text: key, attributes: { scope: "row" } }),
          element("td", { text: value }),
        ),
      ),
    ),
  );
}

function elementsOf({ shape }: ListedTensor): number {
  return shape.reduce((product, size) => product * size, 1);
}

function textOf({ name, dtype, shape }: ListedTensor): string {
  return `${name} ${dtype} ${shape.join("x")} ${shape.join(" × ")}`.toLowerCase();
}

function comparing(key: SortKey, down: boolean): (a: ListedTensor, b: ListedTensor) => number {
  const sign = down ? -1 : 1;
  return (a, b) => {
    if (key === "elements") return sign * (elementsOf(a) - elementsOf(b));
    if (key === "bytes") return sign * (a.bytes - b.bytes);
    return sign * a[key].localeCompare(b[key], "en", { numeric: true });
  };
}
