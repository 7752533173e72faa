/** @file The cosines of one matrix's vectors to all of its base: as a map that zooms, and the profile of one vector. */
import type { AnalysisArray } from "../../../src/shared/analysis.ts";
import type { FigureOptions } from "../../charts/figure.ts";
import { figure } from "../../charts/figure.ts";
import { heatMap } from "../../charts/heat-map.ts";
import { lineChart } from "../../charts/line-chart.ts";
import { element } from "../../shared/dom.ts";
import type { Say } from "../../shared/say.ts";

export interface Similarity {
  readonly element: HTMLElement;
  /** Shows the cosines of a matrix, which come when `array` resolves; nothing without. */
  readonly show: (name: string, array: (() => Promise<AnalysisArray>) | undefined) => Promise<void>;
}

export function similarity(say: Say, save: FigureOptions["save"]): Similarity {
  let shown = "";
  let cosines: AnalysisArray = { shape: [0, 0], values: new Float32Array(0) };
  const mapTitle = say("Cosines to the base’s vectors");
  const profileTitle = say("Profile of one vector");
  const map = heatMap({
    title: mapTitle,
    rowAxis: say("vector"),
    columnAxis: say("base vector"),
    cellHeight: 10,
    choose: (row) => drawProfile(row),
  });
  const profile = lineChart({
    title: profileTitle,
    x: say("base vector"),
    y: "|cos|",
    height: 200,
  });
  const drawProfile = (row: number): void => {
    const [, columns = 0] = cosines.shape;
    profile.set([
      {
        label: say("vector {0}", row + 1),
        points: {
          x: Float64Array.from({ length: columns }, (_, index) => index + 1),
          y: Float64Array.from(cosines.values.subarray(row * columns, (row + 1) * columns)),
        },
      },
    ]);
  };
  const box = element(
    "section",
    { attributes: { hidden: true } },
    figure(map, {
      title: mapTitle,
      caption: say("Click a row for its profile; Ctrl and the wheel, or + and −, zoom."),
      fileName: "similarity",
      say,
      save,
    }),
    figure(profile, { title: profileTitle, fileName: "profile", say, save }),
  );
  return {
    element: box,
    async show(name, array) {
      box.hidden = array === undefined;
      if (array === undefined || shown === name) return;
      shown = name;
      const loaded = await array();
      // Another one was chosen meanwhile.
      if (shown !== name) return;
      cosines = loaded;
      const [rows = 0, columns = 0] = cosines.shape;
      map.set({
        rows: Array.from({ length: rows }, (_, index) => String(index + 1)),
        columns: Array.from({ length: columns }, (_, index) => String(index + 1)),
        values: cosines.values,
        scale: "value",
        low: 0,
        high: 1,
      });
      drawProfile(0);
    },
  };
}
