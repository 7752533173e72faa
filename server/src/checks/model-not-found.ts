/** @file A model that is neither a folder nor in the hub cache. */
import { valueOf } from "../facts.ts";
import { nearest } from "../../../src/shared/experiment/nearest.ts";
import type { FactCheck } from "./check.ts";
import { writing } from "./check.ts";

export const modelNotFound: FactCheck = {
  code: "model-not-found",
  severity: "error",
  doc: "A model is a folder, or a hub id whose snapshot is in the local cache; nothing is fetched from the network.",
  find(ctx) {
    const { model, experiment, facts } = ctx;
    if (model.state !== "absent") return [];
    const { message, remedy } = model.why;
    const near = nearest(experiment.model.id, valueOf(facts.hubModels()) ?? []);
    const path = model.why.code.startsWith("revision") ? ["model", "revision"] : ["model", "id"];
    return [
      {
        path,
        message,
        ...(remedy !== undefined && { remedy }),
        ...(near !== undefined && { fixes: writing(ctx, ["model", "id"], near) }),
      },
    ];
  },
};
