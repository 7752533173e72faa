/** @file Every setting of the editor: its type, default, scope and doc. */

/**
 * `machine` settings are never read from a workspace: no folder that somebody opens can name a program to start.
 * `resource` ones may differ from folder to folder.
 */
export type SettingScope = "machine" | "window" | "resource" | "language-overridable";

export interface SettingRow<T> {
  readonly default: T;
  readonly scope: SettingScope;
  readonly doc: string;
  /** As JSON schema says it, without default and description. */
  readonly schema: Readonly<Record<string, unknown>>;
}

const row = <T>(setting: SettingRow<T>): SettingRow<T> => setting;

export const settings = {
  "spectune.runtime.executable": row<string>({
    default: "",
    scope: "machine",
    doc: "Node (22.18 or newer) that runs training and the language server. Empty: the one that this editor runs on.",
    schema: { type: "string" },
  }),
  "spectune.runtime.environment": row<Readonly<Record<string, string>>>({
    default: {},
    scope: "machine",
    doc: "Environment variables for what Spectune starts, such as `HF_HOME`.",
    schema: { type: "object", additionalProperties: { type: "string" } },
  }),
  "spectune.checks.severity": row<Readonly<Record<string, string>>>({
    default: {},
    scope: "resource",
    doc: 'Severity of a check by its code, such as `{ "few-steps": "off" }`: `error`, `warning`, `info` or `off`.',
    schema: {
      type: "object",
      additionalProperties: { type: "string", enum: ["error", "warning", "info", "off"] },
    },
  }),
  "spectune.run.notification": row<boolean>({
    default: true,
    scope: "window",
    doc: "Show a notification with progress and a way to stop while a run trains that was started here.",
    schema: { type: "boolean" },
  }),
  "spectune.run.saveBefore": row<boolean>({
    default: true,
    scope: "window",
    doc: "Save the experiment file before it is run or planned.",
    schema: { type: "boolean" },
  }),
  "spectune.runs.sort": row<"newest" | "name" | "metric">({
    default: "newest",
    scope: "window",
    doc: "Order of the Runs view.",
    schema: { type: "string", enum: ["newest", "name", "metric"] },
  }),
  "spectune.runs.metric": row<string>({
    default: "",
    scope: "window",
    doc: "Metric that the Runs view shows, such as `eval.loss`. Empty: the test score where there is one, else the loss.",
    schema: { type: "string" },
  }),
  "spectune.models.exclude": row<readonly string[]>({
    default: ["**/node_modules/**", "**/.git/**"],
    scope: "resource",
    doc: "Folders in which no models and adapters are looked for.",
    schema: { type: "array", items: { type: "string" } },
  }),
  "spectune.trace.server": row<"off" | "messages" | "verbose">({
    default: "off",
    scope: "window",
    doc: "What the Output view shows of the talk with the language server.",
    schema: { type: "string", enum: ["off", "messages", "verbose"] },
  }),
} as const;

export type SettingId = keyof typeof settings;

export type SettingValue<Id extends SettingId> = (typeof settings)[Id]["default"];
