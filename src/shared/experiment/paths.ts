/** @file Paths as files write them: joined, and told from another folder. Forward slashes; no file system. */

const absolute = /^(?:[/\\~]|[A-Za-z]:[/\\])/;

/** The folder of a file: `a/b.yaml` → `a`, `b.yaml` → ``. */
export function folderOf(file: string): string {
  const slash = Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\"));
  return slash < 0 ? "" : file.slice(0, Math.max(slash, 1));
}

/** `path`, which is meant from `folder`; absolute ones stay as they are. */
export function join(folder: string, path: string): string {
  if (absolute.test(path) || folder === "") return normal(path);
  return normal(`${folder}/${path}`);
}

/** `path` as it reads from `base`; both relative to the same folder, or both absolute. */
export function relativeTo(base: string, path: string): string {
  const from = parts(base);
  const to = parts(path);
  if (absolute.test(base) !== absolute.test(path)) return path;
  let shared = 0;
  while (shared < from.length && shared < to.length && from[shared] === to[shared]) shared += 1;
  // Where the way up is not known by name, there is no way back down.
  if (from.slice(shared).includes("..")) return path;
  const up = from.slice(shared).map(() => "..");
  const down = [...up, ...to.slice(shared)].join("/");
  return down.startsWith("..") ? down : `./${down}`;
}

function parts(path: string): readonly string[] {
  return normal(path)
    .split("/")
    .filter((part) => part !== "" && part !== ".");
}

function normal(path: string): string {
  const rooted = path.startsWith("/");
  const kept: string[] = [];
  for (const part of path.replaceAll("\\", "/").split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (part !== ".." || !rooted) kept.push(part);
  }
  return `${rooted ? "/" : ""}${kept.join("/")}`;
}
