/** @file The generate view's host: one `spectune generate` for each question, its output handed on as it comes. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import { messageOf } from "../../shared/errors.ts";
import type { GenerateQuestion } from "../../shared/panels/generate.ts";
import { generatePanel } from "../../shared/panels/generate.ts";
import { callCommandLine } from "../call.ts";
import { reasonOf } from "../reason.ts";
import type { Runtime } from "../runtime.ts";
import type { HostContext, PanelKind } from "./host.ts";
import { panelKind } from "./host.ts";
import { splitSides } from "./split-sides.ts";

export function createGeneratePanel(
  host: HostContext,
  runtime: () => Runtime,
): PanelKind<typeof generatePanel> {
  return panelKind(generatePanel, host, ({ model }, { tell, common }) => {
    let running: vscode.CancellationTokenSource | undefined;
    const cancel = (): null => {
      running?.cancel();
      return null;
    };
    const generate = (question: GenerateQuestion): null => {
      if (!vscode.workspace.isTrusted)
        throw new Error(vscode.l10n.t("This needs a trusted workspace: it runs a model."));
      cancel();
      const source = new vscode.CancellationTokenSource();
      running = source;
      const sides = splitSides(question.compare, (side, text) => {
        if (running === source) tell("piece", { side, text });
      });
      callCommandLine(runtime(), {
        args: argumentsOf(model, question),
        cwd: dirname(model),
        token: source.token,
        onOutput: sides,
        onProgress: (text) => tell("loading", { text }),
      })
        .then(
          ({ code, errors }) => {
            if (running !== source) return;
            const cancelled = source.token.isCancellationRequested;
            tell(
              "ended",
              cancelled ? { cancelled } : code === 0 ? {} : { error: reasonOf(errors) },
            );
          },
          (error: unknown) => tell("ended", { error: messageOf(error) }),
        )
        .finally(() => {
          if (running === source) running = undefined;
          source.dispose();
        });
      return null;
    };
    return {
      title: vscode.l10n.t("Generate: {0}", basename(model)),
      handlers: {
        ...common,
        load: () => ({
          model,
          label: basename(model),
          hasBase: hasBase(model),
          working: running !== undefined,
        }),
        generate,
        cancel,
      },
      dispose: cancel,
    };
  });
}

function argumentsOf(model: string, question: GenerateQuestion): readonly string[] {
  const { prompt, chat, compare, maxNewTokens, temperature, seed, stop } = question;
  return [
    "generate",
    model,
    `--prompt=${prompt}`,
    ...(chat ? ["--chat"] : []),
    ...(compare ? ["--compare"] : []),
    `--max-new-tokens=${maxNewTokens}`,
    `--temperature=${temperature}`,
    `--seed=${seed}`,
    ...stop.map((text) => `--stop=${text}`),
  ];
}

/** A run and an adapter are set against their base; a model alone has none. */
function hasBase(model: string): boolean {
  return ["experiment.yaml", "adapter_config.json"].some((name) => existsSync(join(model, name)));
}
