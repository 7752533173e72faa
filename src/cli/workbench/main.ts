/**
 * @file The process that reads for an editor, which must not be held up: it answers over its channel to its parent,
 * and ends with it. It changes nothing but the requests to stop that it leaves in run folders.
 */
import process from "node:process";
import { catalogFields } from "../../engine/catalog.ts";
import { compareRuns } from "../../engine/compare/compare-runs.ts";
import { writeRequest } from "../../engine/runs/requests.ts";
import { runStatus } from "../../engine/runs/liveness.ts";
import { findSpectuneFolder } from "../../engine/runs/run-folder.ts";
import { loadRunsOf } from "../../engine/sweeps/load-runs.ts";
import type { Port } from "../../shared/channel.ts";
import { serveChannel } from "../../shared/channel.ts";
import { UserError } from "../../shared/errors.ts";
import { isLive } from "../../shared/run-state.ts";
import { workbench } from "../../shared/workbench.ts";
import { findWeights } from "./find-weights.ts";
import { lastLines, logOfRun } from "./run-logs.ts";
import { histogram, listTensors, readArray } from "./tensors.ts";
import { watchRuns } from "./watch-runs.ts";

const port: Port = {
  post: (message) => void process.send?.(message),
  listen: (listener) => void process.on("message", listener),
};

const runs = watchRuns(
  {
    heads: (heads) => server.tell("heads", heads),
    gone: (folders) => server.tell("gone", folders),
    curve: (told) => server.tell("curve", told),
    evaluations: (told) => server.tell("evaluations", told),
  },
  () => Date.now(),
);

const server = serveChannel(
  workbench,
  {
    spectuneFolder: ({ file }) => findSpectuneFolder(file),
    watch: ({ folders }) => runs.watch(folders),
    follow: ({ run }) => runs.follow(run),
    unfollow: ({ run }) => {
      runs.unfollow(run);
      return null;
    },
    stop: async ({ run }) => {
      const { state, attempt } = await runStatus(run, Date.now());
      if (!isLive(state) || attempt === undefined)
        throw new UserError({ code: "not-running", message: "This run is not running." });
      await writeRequest(run, "stop", attempt);
      return null;
    },
    lastLines: async ({ run }) => {
      const log = await logOfRun(run);
      return log === undefined ? { lines: [] } : { log, lines: await lastLines(log) };
    },
    compare: async ({ runs: folders }) => {
      const { value, findings } = await loadRunsOf(
        folders.map((run) => ({ run })),
        catalogFields,
        Date.now(),
      );
      const comparison = compareRuns(value, 0.95);
      return { ...comparison, findings: [...findings, ...comparison.findings] };
    },
    findWeights: ({ folders, exclude }) => findWeights(folders, exclude),
    tensors: ({ file }) => listTensors(file),
    histogram: ({ file, tensor }) => histogram(file, tensor),
    array: ({ file, tensor }) => readArray(file, tensor),
    quantizers: () => Object.keys(catalogFields.quantizers),
    tokens: async ({ file, from, count }) => {
      // Loads the tokenizer and the data's readers only where somebody looks at tokens.
      const { tokensOf } = await import("./tokens.ts");
      return await tokensOf(file, from, count);
    },
  },
  port,
);

process.on("disconnect", () => {
  runs.close();
  process.exit(0);
});
