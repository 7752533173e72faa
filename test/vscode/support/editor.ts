/** @file An editor to drive: the workbench in a browser, with our extension from the tree or from a VSIX. */
import type { Page } from "playwright-core";
import { launchBrowser } from "./chromium.ts";
import type { CodeServer, CodeServerOptions } from "../../../src/build/editor/code-server.ts";
import { root, startCodeServer } from "../../../src/build/editor/code-server.ts";

export interface Editor {
  readonly page: Page;
  readonly server: CodeServer;
  readonly close: () => Promise<void>;
}

/** Without a VSIX the tree's own extension, built, is under development in it. */
export interface EditorOptions extends CodeServerOptions {
  /** The folder that is open: a path, or the address of a virtual one. */
  readonly folder: string;
  /** A module whose `run()` is called in the extension host. */
  readonly tests?: string;
  /** Folders of other extensions that are under development beside it. */
  readonly beside?: readonly string[];
}

/** Opens a folder; resolves when the workbench is there. */
export async function openEditor(options: EditorOptions): Promise<Editor> {
  const server = await startCodeServer(options);
  try {
    const browser = await launchBrowser();
    const page = await browser.newPage({
      viewport: { width: 1400, height: 900 },
      locale: options.locale ?? "en-US",
    });
    if (options.vsix === undefined) await develop(page, server.port, options);
    await page.goto(
      `http://127.0.0.1:${server.port}/?folder=${encodeURIComponent(options.folder)}`,
    );
    await page.waitForSelector(".monaco-workbench .activitybar", { timeout: 60_000 });
    return {
      page,
      server,
      close: async () => {
        await browser.close();
        server.stop();
      },
    };
  } catch (error) {
    server.stop();
    throw error;
  }
}

/** A built VS Code takes no extension under development from its address, so the page is changed as it loads. */
async function develop(
  page: Page,
  port: number,
  { tests, beside = [] }: Pick<EditorOptions, "tests" | "beside">,
): Promise<void> {
  const uri = (path: string): object => ({
    scheme: "vscode-remote",
    authority: `127.0.0.1:${port}`,
    path,
  });
  const options = {
    logLevel: 3,
    extensions: [root, ...beside].map(uri),
    ...(tests === undefined ? {} : { extensionTestsPath: uri(tests) }),
  };
  const attribute = JSON.stringify(options).replaceAll('"', "&quot;");
  await page.route(
    ({ pathname }) => pathname === "/",
    async (route) => {
      const response = await route.fetch();
      const html = await response.text();
      const body = html.replace(
        /&quot;developmentOptions&quot;:\{[^}]*\}/,
        `&quot;developmentOptions&quot;:${attribute}`,
      );
      if (body === html && html.includes("data-settings"))
        throw new Error("The page has no developmentOptions to replace.");
      await route.fulfill({ response, body });
    },
  );
}
