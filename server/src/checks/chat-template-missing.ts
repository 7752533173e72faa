/** @file Messages without a template that writes them. */
import { valueOf } from "../facts.ts";
import { formOf } from "./columns.ts";
import type { FactCheck } from "./check.ts";

export const chatTemplateMissing: FactCheck = {
  code: "chat-template-missing",
  severity: "error",
  doc: "Messages become text by a chat template: the tokenizer's own, or one that the file gives.",
  find(ctx) {
    const view = valueOf(ctx.model);
    const data = valueOf(ctx.facts.data(ctx.resolve(ctx.experiment.data.train)));
    const { chat_template: template } = ctx.experiment.data;
    if (view === undefined || view.facts.chatTemplate) return [];
    const asked = template === "tokenizer";
    const needed =
      data !== undefined && template === null && formOf(ctx.experiment, data) === "messages";
    if (!asked && !needed) return [];
    return [
      {
        path: asked ? "data.chat_template" : "data.train",
        message: "The model's tokenizer has no chat template.",
        remedy: "Give one in `data.chat_template`, or use another format.",
      },
    ];
  },
};
