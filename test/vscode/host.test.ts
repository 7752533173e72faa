/** @file The suite inside the extension host of VS Code's server. */
import { rmSync } from "node:fs";
import { describe, it } from "node:test";
import { buildOnce } from "./support/build-once.ts";
import { openEditor } from "./support/editor.ts";
import { bundleSuite } from "./support/suite.ts";
import { sampleWorkspace } from "./support/workspace.ts";

describe("in the server's extension host", () => {
  it("everything of the suite holds", async () => {
    const folder = sampleWorkspace();
    await buildOnce();
    const suite = await bundleSuite();
    const editor = await openEditor({ folder, tests: suite.module });
    try {
      await suite.check(300_000);
    } finally {
      await editor.close();
      suite.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
