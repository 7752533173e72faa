/** @file A model reference against folders and hub caches made for the test. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import {
  hubCacheFolder,
  isHubId,
  referenceOf,
  resolveModel,
  type ModelPlaces,
  type ModelReference,
} from "../../../../src/engine/weights/hub-cache.ts";
import { UserError } from "../../../../src/shared/errors.ts";
import { scratch } from "./files.ts";

const commit = (sign: string) => sign.repeat(40);

/** A home with a default cache, and the folder of an experiment beside it. */
function places(t: TestContext): ModelPlaces & { readonly cache: string } {
  const root = scratch(t);
  const base = join(root, "work");
  mkdirSync(base);
  const home = join(root, "home");
  return { base, home, env: {}, cache: join(home, ".cache", "huggingface", "hub") };
}

/** Puts a model into a cache; `refs` are names of branches and the commits they point to. */
function cached(
  cache: string,
  id: string,
  commits: readonly string[],
  refs: Readonly<Record<string, string>>,
): string {
  const repository = join(cache, `models--${id.replace("/", "--")}`);
  for (const hash of commits) mkdirSync(join(repository, "snapshots", hash), { recursive: true });
  for (const [name, hash] of Object.entries(refs)) {
    const file = join(repository, "refs", name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, hash);
  }
  return join(repository, "snapshots");
}

async function refusal(reference: ModelReference, where: ModelPlaces): Promise<UserError> {
  try {
    const found = await resolveModel(reference, where);
    assert.fail(`found ${JSON.stringify(found)}`);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error;
  }
}

describe("the place of the cache", () => {
  const base = "/work";
  const home = "/home/me";
  const cases: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{}, "/home/me/.cache/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/xdg" }, "/xdg/huggingface/hub"],
    [{ HF_HOME: "/hf", XDG_CACHE_HOME: "/xdg" }, "/hf/hub"],
    [{ HF_HOME: "~/hf" }, "/home/me/hf/hub"],
    [{ HUGGINGFACE_HUB_CACHE: "/old", HF_HOME: "/hf" }, "/old"],
    [{ HF_HUB_CACHE: "/hub", HUGGINGFACE_HUB_CACHE: "/old", HF_HOME: "/hf" }, "/hub"],
    [{ HF_HUB_CACHE: "", HF_HOME: "" }, "/home/me/.cache/huggingface/hub"],
    [{ HF_HUB_CACHE: "cache" }, "/work/cache"],
  ];
  for (const [env, folder] of cases)
    it(`is ${folder} for ${JSON.stringify(env)}`, (t) => {
      if (process.platform === "win32") {
        t.skip("paths of another kind");
        return;
      }
      assert.equal(hubCacheFolder({ env, home, base }), folder);
    });
});

it("knows what may be a hub id", () => {
  for (const id of ["gpt2", "a/b", "Qwen/Qwen2.5-0.5B", "a_b/c-d.e", "1/2", "a".repeat(96)])
    assert.equal(isHubId(id), true, id);
  for (const id of [
    "",
    ".",
    "..",
    "a/..",
    "../a",
    "a/b/c",
    "/a",
    "a/",
    "a--b",
    "a..b",
    "-a",
    "a-",
    "a/.b",
    "a.git",
    "a b",
    "ä",
    "a\\b",
    "a/b\0",
    "a/b\n",
    "~/a",
    "a".repeat(97),
  ])
    assert.equal(isHubId(id), false, id);
});

it("names a model without a revision where the record has none", () => {
  const id = "org/model";
  for (const revision of [null, undefined])
    assert.deepStrictEqual(Object.keys(referenceOf({ id, revision })), ["id"]);
  assert.deepEqual(referenceOf({ id, revision: "dev" }), { id, revision: "dev" });
});

describe("a folder", () => {
  it("is found relative to the experiment, absolute, and in the home folder", async (t) => {
    const where = places(t);
    mkdirSync(join(where.base, "models", "tiny"), { recursive: true });
    mkdirSync(join(where.home, "tiny"), { recursive: true });
    const inBase = { folder: join(where.base, "models", "tiny") };
    for (const id of ["models/tiny", "./models/tiny", "models/../models/tiny/", inBase.folder])
      assert.deepEqual(await resolveModel({ id }, where), inBase);
    assert.deepEqual(await resolveModel({ id: "~/tiny" }, where), {
      folder: join(where.home, "tiny"),
    });
  });

  it("wins over a hub id only if it exists", async (t) => {
    const where = places(t);
    const snapshots = cached(where.cache, "org/name", [commit("a")], { main: commit("a") });
    assert.equal(
      (await resolveModel({ id: "org/name" }, where)).folder,
      join(snapshots, commit("a")),
    );
    mkdirSync(join(where.base, "org", "name"), { recursive: true });
    assert.deepEqual(await resolveModel({ id: "org/name" }, where), {
      folder: join(where.base, "org", "name"),
    });
    const error = await refusal({ id: "org/name", revision: "main" }, where);
    assert.equal(error.code, "revision-of-folder");
  });

  it("that is a snapshot of a cache tells its hub id", async (t) => {
    const where = places(t);
    const snapshots = cached(where.cache, "org/na-me", [commit("b")], {});
    const folder = join(snapshots, commit("b"));
    assert.deepEqual(await resolveModel({ id: folder }, where), {
      folder,
      hubId: "org/na-me",
      snapshot: commit("b"),
    });
  });

  it("that is missing is named with its whole path", async (t) => {
    const where = places(t);
    writeFileSync(join(where.base, "file"), "");
    for (const id of ["./no/such", "no/such/folder", "", "a\0b", "../../etc", "./file"]) {
      const error = await refusal({ id }, where);
      assert.equal(error.code, "model-not-found", id);
      assert.ok(error.remedy);
    }
    assert.ok((await refusal({ id: "./no" }, where)).message.includes(join(where.base, "no")));
  });
});

describe("a hub id", () => {
  it("is found at main, at a branch, at a pull request, and at a commit", async (t) => {
    const where = places(t);
    const [a, b, c] = [commit("a"), commit("b"), commit("c")];
    const snapshots = cached(where.cache, "org/name", [a, b, c], {
      main: `${a}\n`,
      v2: b,
      "refs/pr/1": c,
    });
    const found = (revision: string | undefined, snapshot: string) => ({
      folder: join(snapshots, snapshot),
      hubId: "org/name",
      ...(revision === undefined ? {} : { revision }),
      snapshot,
    });
    assert.deepEqual(await resolveModel({ id: "org/name" }, where), found("main", a));
    for (const [revision, hash] of [
      ["v2", b],
      ["refs/pr/1", c],
    ] as const)
      assert.deepEqual(
        await resolveModel({ id: "org/name", revision }, where),
        found(revision, hash),
      );
    assert.deepEqual(
      await resolveModel({ id: "org/name", revision: c }, where),
      found(undefined, c),
    );
  });

  it("without an organisation is found, and in the cache that the environment names", async (t) => {
    const where = places(t);
    const env = { HF_HUB_CACHE: join(where.base, "hub") };
    const snapshots = cached(env.HF_HUB_CACHE, "gpt2", [commit("a")], { main: commit("a") });
    assert.equal(
      (await resolveModel({ id: "gpt2" }, { ...where, env })).folder,
      join(snapshots, commit("a")),
    );
    assert.equal((await refusal({ id: "gpt2" }, where)).code, "model-not-found");
  });

  it("that is missing: where it was looked for, what is near, how to fetch it", async (t) => {
    const where = places(t);
    const nothing = await refusal({ id: "org/name" }, where);
    assert.equal(nothing.code, "model-not-found");
    assert.ok(nothing.message.includes(join(where.base, "org", "name")));
    assert.ok(nothing.message.includes(where.cache));
    assert.match(nothing.remedy ?? "", /^Fetch it: `hf download org\/name`/);
    for (const id of ["openai-community/gpt2", "Qwen/Qwen2.5-0.5B", "far/away"])
      cached(where.cache, id, [commit("a")], { main: commit("a") });
    const moved = await refusal({ id: "gpt2" }, where);
    assert.match(moved.message, /The cache has openai-community\/gpt2\./);
    assert.match(
      moved.remedy ?? "",
      /^Write openai-community\/gpt2, or fetch it: `hf download gpt2`/,
    );
    assert.match(
      (await refusal({ id: "qwen/Qwen2.5-05B" }, where)).message,
      /The cache has Qwen\/Qwen2\.5-0\.5B\./,
    );
  });

  it("at a revision that is missing: which ones are there", async (t) => {
    const where = places(t);
    // Fetched by commit alone: no branch was recorded, not even main.
    cached(where.cache, "org/name", [commit("a")], {});
    const error = await refusal({ id: "org/name" }, where);
    assert.equal(error.code, "revision-not-found");
    assert.ok(error.message.includes(commit("a")));
    const other = await refusal({ id: "org/name", revision: "v3" }, where);
    assert.match(other.remedy ?? "", /`hf download org\/name --revision v3`/);
    // A branch that points to a snapshot which was removed.
    cached(where.cache, "org/name", [], { gone: commit("d") });
    assert.equal(
      (await refusal({ id: "org/name", revision: "gone" }, where)).code,
      "revision-not-found",
    );
  });

  it("never leaves the cache by its revision or by what a ref says", async (t) => {
    const where = places(t);
    const snapshots = cached(where.cache, "org/name", [commit("a")], {
      evil: "../../../..",
      short: "abc",
    });
    writeFileSync(join(snapshots, "..", "outside"), commit("a"));
    for (const revision of [
      "../outside",
      "..",
      "a/../../outside",
      "/etc/passwd",
      "",
      ".",
      "a\0b",
      "a b",
      "a".repeat(201),
    ])
      assert.equal(
        (await refusal({ id: "org/name", revision }, where)).code,
        "bad-revision",
        revision,
      );
    for (const revision of ["evil", "short", "refs"])
      assert.equal((await refusal({ id: "org/name", revision }, where)).code, "revision-not-found");
  });
});
