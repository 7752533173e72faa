/** @file Settings by their declared type; what a user wrote in another type counts as the default. */
import * as vscode from "vscode";
import type { SettingId, SettingValue } from "../shared/settings.ts";
import { settings } from "../shared/settings.ts";
import { sentByOurBuild } from "../shared/wire.ts";

export function readSetting<Id extends SettingId>(id: Id, scope?: vscode.Uri): SettingValue<Id> {
  const value: unknown = vscode.workspace.getConfiguration(undefined, scope).get(id);
  const otherwise = settings[id].default;
  const fits =
    Array.isArray(value) === Array.isArray(otherwise) &&
    typeof value === typeof otherwise &&
    value !== null;
  return sentByOurBuild<SettingValue<Id>>(fits ? value : otherwise);
}
