/** @file The parts of package.json that the editor's commands and settings declare, and their words in package.nls.json. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commands as commandLine } from "../../cli/commands.ts";
import type { CommandRow } from "../../shared/commands.ts";
import { commands } from "../../shared/commands.ts";
import type { SettingRow } from "../../shared/settings.ts";
import { settings } from "../../shared/settings.ts";
import { isRecord } from "../../shared/wire.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Commands whose work the command line can do; the others are nowhere to be seen. */
function offered(): readonly (readonly [id: string, row: CommandRow])[] {
  return Object.entries<CommandRow>(commands).filter(
    ([, { needs }]) => needs === undefined || commandLine.some(({ name }) => name === needs),
  );
}

/** package.json with its commands, menus and settings written anew; all else stays. */
export async function manifest(): Promise<string> {
  const present = await readJson("package.json");
  const contributes = isRecord(present["contributes"]) ? present["contributes"] : {};
  const made = {
    ...contributes,
    commands: offered().map(([id, { icon, trusted }]) => ({
      command: id,
      title: `%command.${id}%`,
      category: "Spectune",
      ...(icon === undefined ? {} : { icon }),
      ...(trusted === undefined ? {} : { enablement: "isWorkspaceTrusted" }),
    })),
    menus: menus(),
    configuration: configuration(),
  };
  return `${JSON.stringify({ ...present, contributes: made }, null, 2)}\n`;
}

/** package.nls.json with the words of commands and settings; the words that are written by hand stay. */
export async function words(): Promise<string> {
  const present = await readJson("package.nls.json");
  const byHand = Object.entries(present).filter(([key]) => !/^(?:command|setting)\./.test(key));
  return `${JSON.stringify(
    Object.fromEntries([
      ...byHand,
      ...offered().map(([id, { title }]) => [`command.${id}`, title]),
      ...Object.entries<SettingRow<unknown>>(settings).map(([id, { doc }]) => [
        `setting.${id}`,
        doc,
      ]),
    ]),
    null,
    2,
  )}\n`;
}

function menus(): Readonly<Record<string, readonly object[]>> {
  const rows = offered().flatMap(([command, { menus: places, palette }]) => [
    ...places.map(({ menu, when, group }) => ({
      menu,
      entry: {
        command,
        ...(when === undefined ? {} : { when }),
        ...(group === undefined ? {} : { group }),
      },
    })),
    ...(palette ? [] : [{ menu: "commandPalette", entry: { command, when: "false" } }]),
  ]);
  const byMenu = [...Map.groupBy(rows, ({ menu }) => menu)];
  return Object.fromEntries(byMenu.map(([menu, all]) => [menu, all.map(({ entry }) => entry)]));
}

function configuration(): object {
  return {
    title: "Spectune",
    properties: Object.fromEntries(
      Object.entries<SettingRow<unknown>>(settings).map(([id, row], order) => [
        id,
        {
          ...row.schema,
          default: row.default,
          scope: row.scope,
          order,
          markdownDescription: `%setting.${id}%`,
        },
      ]),
    ),
  };
}

async function readJson(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(join(root, file), "utf8").catch(() => "{}");
  const value: unknown = JSON.parse(text);
  return isRecord(value) ? value : {};
}
