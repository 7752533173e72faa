/** @file The same suite in the desktop's VS Code, where that can be downloaded and shown. */
import { rmSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { downloadAndUnzipVSCode, runTests } from "@vscode/test-electron";
import { root } from "../../src/build/editor/code-server.ts";
import { messageOf } from "../../src/shared/errors.ts";
import { buildOnce } from "./support/build-once.ts";
import { bundleSuite } from "./support/suite.ts";
import { sampleWorkspace } from "./support/workspace.ts";

/** That of the server's tests. */
const version = "1.139.1";

describe("in the desktop's extension host", () => {
  it("everything of the suite holds", async (test) => {
    if (process.platform === "linux" && process.env["DISPLAY"] === undefined) {
      test.skip("there is no display; `xvfb-run -a` gives one");
      return;
    }
    let executable: string;
    try {
      executable = await downloadAndUnzipVSCode(version);
    } catch (error) {
      test.skip(`VS Code cannot be downloaded here: ${messageOf(error)}`);
      return;
    }
    const folder = sampleWorkspace();
    await buildOnce();
    const suite = await bundleSuite();
    try {
      await runTests({
        vscodeExecutablePath: executable,
        extensionDevelopmentPath: root,
        extensionTestsPath: suite.module,
        launchArgs: [folder, "--disable-extensions", "--disable-workspace-trust"],
      });
      await suite.check(1000);
    } finally {
      suite.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
