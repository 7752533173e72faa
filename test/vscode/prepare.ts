/**
 * @file What the editor's tests need, before the first of them: VS Code's server, a browser, an older Node, and our build, which two
 * files at once would otherwise make at once.
 */
import { installCodeServer } from "../../src/build/editor/code-server.ts";
import { buildOnce } from "./support/build-once.ts";
import { findBrowser } from "./support/chromium.ts";
import { installOlderNode } from "./support/older-node.ts";

installCodeServer();
installOlderNode();
await findBrowser();
await buildOnce();
