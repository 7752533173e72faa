/** @file Every document of the goldens ended at every character, and with a character less at every place. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { world } from "../../golden/server/world.ts";
import { askEverything } from "./every-answer.ts";

const golden = join(import.meta.dirname, "../../golden");
const facts = world();

describe("every document", () => {
  for (const name of globSync("{server,experiment}/**/*.{yaml,json}", { cwd: golden }).toSorted())
    it(name, () => {
      const text = readFileSync(join(golden, name), "utf8");
      for (let end = 0; end <= text.length; end += 1) askEverything(text.slice(0, end), end, facts);
      for (let place = 0; place < text.length; place += 5)
        askEverything(text.slice(0, place) + text.slice(place + 1), place, facts);
      const tabs = text.replaceAll(/^ +/gm, "\t");
      for (let offset = 0; offset <= tabs.length; offset += 5) askEverything(tabs, offset, facts);
    });
});
