/** @file The engine as a sweep or the queue sees it: one experiment at a time, in this process. */
import { UserError } from "../../shared/errors.ts";
import type { EventBody } from "../../shared/protocol.ts";
import { catalogFields } from "../catalog.ts";
import { loadFinalMetrics } from "../compare/load-run.ts";
import { runStatus } from "../runs/liveness.ts";
import { withAbsolutePaths } from "../session/absolute-paths.ts";
import { prepareRun } from "../session/prepare-run.ts";
import { isFolder, runExperiment } from "../session/run-experiment.ts";
import type { Runner } from "./runner.ts";

export interface EngineRunnerOptions {
  readonly versions: Readonly<Record<string, string>>;
  readonly onEvent: (event: EventBody) => void;
}

export function createEngineRunner({ versions, onEvent }: EngineRunnerOptions): Runner {
  return {
    async run({ experiment, folder, name, spectuneFolder, resume, onFolder, signal }) {
      const place = resume === undefined ? { spectuneFolder } : { resume };
      const result = await runExperiment({
        experiment,
        folder,
        name,
        place,
        versions,
        onEvent,
        onFolder,
        signal,
      });
      if (result.status === "failed")
        throw new UserError({
          code: "run-failed",
          message: `The run ${result.runDir} has failed.`,
        });
      return {
        status: result.status,
        metrics: await loadFinalMetrics(result.runDir, catalogFields),
      };
    },
    async finished(runFolder) {
      const { state } = await runStatus(runFolder, Date.now());
      if (state !== "finished") return undefined;
      return { status: "finished", metrics: await loadFinalMetrics(runFolder, catalogFields) };
    },
    async plan(experiment, folder) {
      const prepared = await prepareRun(
        withAbsolutePaths(experiment, folder, isFolder),
        () => undefined,
      );
      await prepared.opened.source.close();
      const { plan, data } = prepared;
      const tokens = Math.round((data.plan.tokensPerEpoch * plan.steps) / data.plan.stepsPerEpoch);
      return { tokens, steps: plan.steps, trainableParameters: plan.trainableParameters };
    },
  };
}
