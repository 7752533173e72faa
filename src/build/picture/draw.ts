/** @file The README's picture: the loss of the quickstart's runs over their steps, and their scores before and after. */

/** What of a run is drawn. */
export interface DrawnRun {
  readonly name: string;
  readonly trainableParameters: number;
  /** Training loss of each step, from the first. */
  readonly losses: readonly number[];
  /** Share of right answers to questions that it was not trained on. */
  readonly before: number;
  readonly after: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const size = { x: 820, y: 292 };
const plot: Box = { left: 58, right: 500, top: 56, bottom: 244 };
const scores: Box = { left: 650, right: 776, top: 82, bottom: 218 };

/** Told from each other in grey, too, and seen on a light and a dark ground. */
const colours = ["#d9822b", "#3f8fd2", "#2fa37c"] as const;

/** Follows the reader's scheme; with a ground of its own it is readable where the page does not. */
const style = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
    .small { font-size: 11px; fill: #656d76; }
    .title { font-weight: 600; }
    .ground { fill: #ffffff; stroke: #d0d7de; }
    .rule { stroke: #d8dee4; }
    .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .small { fill: #8d96a0; }
      .ground { fill: #0d1117; stroke: #30363d; }
      .rule { stroke: #30363d; }
    }`;

/** The picture as SVG. */
export function draw(runs: readonly DrawnRun[]): string {
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.x} ${size.y}" role="img">`,
    `  <title>${escape(title(runs))}</title>`,
    `  <style>${style}`,
    `  </style>`,
    `  <rect class="ground" x="0.5" y="0.5" width="${size.x - 1}" height="${size.y - 1}" rx="8"/>`,
    ...curves(runs),
    ...points(runs),
    `</svg>`,
  ];
  return `${lines.join("\n")}\n`;
}

function title(runs: readonly DrawnRun[]): string {
  const changes = runs.map(
    ({ name, before, after }) => `${name} from ${percent(before)} to ${percent(after)}`,
  );
  return `Right answers before and after: ${changes.join(", ")}; the loss over the steps.`;
}

function curves(runs: readonly DrawnRun[]): readonly string[] {
  const smooth = runs.map(({ losses }) => smoothed(losses));
  const steps = Math.max(...runs.map(({ losses }) => losses.length));
  const powers = smooth.flat().map((loss) => Math.log10(loss));
  const low = Math.floor(Math.min(...powers));
  const high = Math.ceil(Math.max(...powers));
  const place = (step: number, power: number): Point => ({
    x: plot.left + ((step - 1) / (steps - 1)) * (plot.right - plot.left),
    y: plot.bottom - ((power - low) / (high - low)) * (plot.bottom - plot.top),
  });
  const rules = Array.from({ length: high - low + 1 }, (_, index) => low + index).flatMap(
    (power) => {
      const { y } = place(1, power);
      return [
        line("rule", { x: plot.left, y }, { x: plot.right, y }),
        text("small", { x: plot.left - 8, y: y + 4 }, String(10 ** power), "end"),
      ];
    },
  );
  return [
    text("title", { x: plot.left, y: 32 }, "Training loss"),
    text("small", { x: plot.right, y: 32 }, `median of ${window} steps`, "end"),
    ...rules,
    ...smooth.map((losses, run) => {
      const path = losses.map((loss, index) => pair(place(index + 1, Math.log10(loss)))).join(" ");
      return `  <polyline class="curve" stroke="${colour(run)}" points="${path}"/>`;
    }),
    text("small", { x: plot.left, y: plot.bottom + 20 }, "step 1", "start"),
    text("small", { x: plot.right, y: plot.bottom + 20 }, String(steps), "end"),
  ];
}

/** Steps that the median is taken over. */
const window = 9;

/** The median of each step and those around it: some batches hold other texts than most, and would show as spikes. */
function smoothed(losses: readonly number[]): readonly number[] {
  const reach = (window - 1) / 2;
  return losses.map((loss, index) => {
    const some = losses
      .slice(Math.max(0, index - reach), index + reach + 1)
      .toSorted((a, b) => a - b);
    return some[Math.floor(some.length / 2)] ?? loss;
  });
}

function points(runs: readonly DrawnRun[]): readonly string[] {
  const x = (share: number): number => scores.left + share * (scores.right - scores.left);
  const gap = (scores.bottom - scores.top) / Math.max(1, runs.length - 1);
  const top = scores.top - 24;
  const axis = [0, 0.5, 1].flatMap((share) => [
    line("rule", { x: x(share), y: top }, { x: x(share), y: scores.bottom + 26 }),
    text("small", { x: x(share), y: plot.bottom + 20 }, percent(share), "middle"),
  ]);
  const rows = runs.flatMap(({ name, trainableParameters, before, after }, run) => {
    const y = scores.top + run * gap;
    const [from, to] = [x(before), x(after)];
    return [
      text("", { x: 540, y: y - 2 }, name, "start", colour(run)),
      text("small", { x: 540, y: y + 14 }, `${trainableParameters.toLocaleString("en")} trained`),
      `  <line x1="${at(from)}" y1="${at(y)}" x2="${at(to)}" y2="${at(y)}" stroke="${colour(run)}" stroke-width="3"/>`,
      `  <circle class="ground" cx="${at(from)}" cy="${at(y)}" r="4.5" style="stroke: ${colour(run)}; stroke-width: 2"/>`,
      `  <circle cx="${at(to)}" cy="${at(y)}" r="5.5" fill="${colour(run)}"/>`,
      text("small", { x: to, y: y - 10 }, percent(after), "middle"),
    ];
  });
  return [text("title", { x: 540, y: 32 }, "Right answers, before and after"), ...axis, ...rows];
}

function colour(run: number): string {
  return colours[run % colours.length] ?? colours[0];
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}

function line(kind: string, from: Point, to: Point): string {
  return `  <line class="${kind}" x1="${at(from.x)}" y1="${at(from.y)}" x2="${at(to.x)}" y2="${at(to.y)}"/>`;
}

function text(
  kind: string,
  { x, y }: Point,
  words: string,
  anchor: "start" | "middle" | "end" = "start",
  fill?: string,
): string {
  const look = fill === undefined ? "" : ` style="fill: ${fill}; font-weight: 600"`;
  return `  <text class="${kind}" x="${at(x)}" y="${at(y)}" text-anchor="${anchor}"${look}>${escape(words)}</text>`;
}

function pair({ x, y }: Point): string {
  return `${at(x)},${at(y)}`;
}

/** A coordinate, to a tenth of a pixel. */
function at(value: number): string {
  return String(Number(value.toFixed(1)));
}

function escape(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
