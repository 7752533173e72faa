/** @file Finds a model by folder or hub id in what is already on this machine; never on the network. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { nearest } from "../../shared/experiment/nearest.ts";
import { errorCode } from "../runs/file-errors.ts";
import { quote } from "./header-text.ts";
import { explainingReads } from "./read-errors.ts";

/** How an experiment names a model: a folder, or a hub id with a branch, tag or commit. */
export interface ModelReference {
  readonly id: string;
  readonly revision?: string;
}

/** What a record with a place for a revision names. */
export function referenceOf({
  id,
  revision,
}: {
  readonly id: string;
  readonly revision?: string | null | undefined;
}): ModelReference {
  return revision === null || revision === undefined ? { id } : { id, revision };
}

/** Where a reference is looked up. */
export interface ModelPlaces {
  /** Folder that relative paths start from: the experiment file's. */
  readonly base: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
}

export interface ResolvedModel {
  readonly folder: string;
  /** Known where the folder is a snapshot of a hub cache. */
  readonly hubId?: string;
  /** The branch or tag that was followed; absent where a folder was named. */
  readonly revision?: string;
  /** Commit hash. */
  readonly snapshot?: string;
}

/**
 * The folder of a model. A folder of that name, relative to the experiment file, wins over a hub id;
 * a hub id is found in the local cache at its revision, `main` if none is given. A {@link UserError}
 * lists where it was looked for, what is there under a similar name, and how to fetch it.
 */
export async function resolveModel(
  { id, revision }: ModelReference,
  places: ModelPlaces,
): Promise<ResolvedModel> {
  const folder = resolve(places.base, expandHome(id, places.home));
  if (id !== "" && (await isFolder(folder))) {
    if (revision !== undefined) throw revisionOfFolder(id, folder, revision);
    return { folder, ...snapshotFacts(folder) };
  }
  if (!isHubId(id)) throw noSuchFolder(id, folder);
  return resolveInCache(id, revision ?? "main", folder, places);
}

/** The cache folder that `huggingface_hub` 2.4 uses with this environment. */
export function hubCacheFolder({ env, home, base }: ModelPlaces): string {
  const set = (name: string) => {
    const value = env[name];
    return value === undefined || value === "" ? undefined : expandHome(value, home);
  };
  const cacheHome = set("XDG_CACHE_HOME") ?? join(home, ".cache");
  const hubHome = set("HF_HOME") ?? join(cacheHome, "huggingface");
  return resolve(base, set("HF_HUB_CACHE") ?? set("HUGGINGFACE_HUB_CACHE") ?? join(hubHome, "hub"));
}

/** `org/name` or `name` as the hub allows them; nothing that could leave the cache. */
export function isHubId(id: string): boolean {
  return (
    /^(?:\w(?:[\w.-]{0,94}\w)?\/)?\w(?:[\w.-]{0,94}\w)?$/.test(id) &&
    !id.includes("--") &&
    !id.includes("..") &&
    !id.endsWith(".git")
  );
}

async function resolveInCache(
  id: string,
  revision: string,
  folder: string,
  places: ModelPlaces,
): Promise<ResolvedModel> {
  if (!isRevision(revision))
    throw new UserError({
      code: "bad-revision",
      message: `${quote(revision)} is not the name of a branch, tag or commit.`,
      remedy: "Write a branch such as main, a tag, or a commit's 40 signs.",
    });
  const cache = hubCacheFolder(places);
  const repository = join(cache, `models--${id.replace("/", "--")}`);
  const snapshots = join(repository, "snapshots");
  const commit = await followRevision(repository, revision);
  if (commit !== undefined && (await isFolder(join(snapshots, commit)))) {
    const followed = commit === revision ? {} : { revision };
    return { folder: join(snapshots, commit), hubId: id, ...followed, snapshot: commit };
  }
  const present = await namesIn(snapshots);
  if (present.length > 0) throw otherRevisions(id, revision, repository, present);
  throw notInCache(id, revision, folder, cache, similarIds(id, await cachedIds(cache)));
}

/** A revision is the commit of a snapshot itself, or a file under `refs` that holds one. */
async function followRevision(repository: string, revision: string): Promise<string | undefined> {
  const file = join(repository, "refs", ...revision.split("/"));
  const commit = (await unlessAbsent(file, () => readFile(file, "utf8")))?.trim();
  if (commit === undefined) return isCommit(revision) ? revision : undefined;
  return isCommit(commit) ? commit : undefined;
}

function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** Git's names in slashes, such as `refs/pr/1`, without a way out of the folder. */
function isRevision(text: string): boolean {
  return (
    text.length <= 200 &&
    text.split("/").every((part) => /^[\w.+@-]+$/.test(part) && !/^\.+$/.test(part))
  );
}

async function cachedIds(cache: string): Promise<readonly string[]> {
  return (await namesIn(cache)).flatMap((name) =>
    name.startsWith("models--") ? name.slice("models--".length).replace("--", "/") : [],
  );
}

/** Ids of the same last name first, then the nearest spelling. */
function similarIds(id: string, cached: readonly string[]): readonly string[] {
  const last = (name: string) => basename(name).toLowerCase();
  const same = cached.filter((name) => last(name) === last(id));
  const near = nearest(id, cached);
  return [...new Set([...same, ...(near === undefined ? [] : [near])])].slice(0, 5);
}

/** Hub id and commit of a folder that is itself a snapshot in some cache. */
function snapshotFacts(folder: string): { readonly hubId?: string; readonly snapshot?: string } {
  const match = /[/\\]models--([^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})$/.exec(folder);
  const [, repository, snapshot] = match ?? [];
  if (repository === undefined || snapshot === undefined) return {};
  return { hubId: repository.replace("--", "/"), snapshot };
}

function notInCache(
  id: string,
  revision: string,
  folder: string,
  cache: string,
  similar: readonly string[],
): UserError {
  const near = similar.length === 0 ? "" : ` The cache has ${similar.join(", ")}.`;
  const instead = similar.length === 0 ? "Fetch it" : `Write ${similar.join(" or ")}, or fetch it`;
  return new UserError({
    code: "model-not-found",
    message: `There is no model ${id} on this machine: neither a folder ${folder} nor an entry in the hub cache ${cache}.${near}`,
    place: { file: folder },
    remedy: `${instead}: \`${download(id, revision)}\`. If it lies in another cache, set HF_HUB_CACHE.`,
  });
}

function otherRevisions(
  id: string,
  revision: string,
  repository: string,
  present: readonly string[],
): UserError {
  return new UserError({
    code: "revision-not-found",
    message: `The hub cache has ${id}, but not its revision ${revision}: ${repository} holds ${present.slice(0, 5).join(", ")}.`,
    place: { file: repository, field: "revision" },
    remedy: `Write one of those as \`revision\`, or fetch it: \`${download(id, revision)}\`.`,
  });
}

function download(id: string, revision: string): string {
  return `hf download ${id}${revision === "main" ? "" : ` --revision ${revision}`}`;
}

function noSuchFolder(id: string, folder: string): UserError {
  return new UserError({
    code: "model-not-found",
    message: `There is no folder ${folder}, and ${quote(id)} is not a hub id such as org/name.`,
    place: { file: folder },
    remedy: "Write the folder's path, relative to the experiment file, or the model's hub id.",
  });
}

function revisionOfFolder(id: string, folder: string, revision: string): UserError {
  return new UserError({
    code: "revision-of-folder",
    message: `${quote(id)} is the folder ${folder}, which has no revision ${quote(revision)}.`,
    place: { file: folder, field: "revision" },
    remedy: "Remove `revision`, or move the folder away if the hub's model is meant.",
  });
}

function expandHome(path: string, home: string): string {
  return path === "~" || path.startsWith("~/") ? join(home, path.slice(1)) : path;
}

async function isFolder(path: string): Promise<boolean> {
  return (await unlessAbsent(path, () => stat(path)))?.isDirectory() ?? false;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return ((await unlessAbsent(folder, () => readdir(folder))) ?? []).toSorted();
}

/** A name that no file can have is absent as well. */
const absent: ReadonlySet<string> = new Set(
  "ENOENT ENOTDIR EISDIR ENAMETOOLONG ERR_INVALID_ARG_VALUE".split(" "),
);

async function unlessAbsent<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
  return explainingReads(path, async () => {
    try {
      return await work();
    } catch (error) {
      if (absent.has(errorCode(error) ?? "")) return undefined;
      throw error;
    }
  });
}
