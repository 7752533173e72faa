/** @file Paths and URIs, there and back. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pathOf, uriOf } from "../../../server/src/uri.ts";

describe("URIs", () => {
  const pairs = [
    ["file:///a/b.yaml", "/a/b.yaml"],
    ["file:///a%20b/%C3%A9%23.yaml", "/a b/é#.yaml"],
    ["file:///c%3A/x/y.yaml", "c:/x/y.yaml"],
    ["untitled:Untitled-1", "untitled:Untitled-1"],
  ] as const;
  for (const [uri, path] of pairs)
    it(uri, () => {
      assert.equal(pathOf(uri), path);
      assert.equal(pathOf(uriOf(path)), path);
    });
});
