/** @file File URIs and paths, which have `/` everywhere. */

/** The path of a `file:` URI; of any other, the URI itself, which is then no file on disk. */
export function pathOf(uri: string): string {
  if (!uri.startsWith("file://")) return uri;
  const { pathname, host } = new URL(uri);
  const path = decodeURIComponent(pathname);
  if (host !== "") return `//${host}${path}`;
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

export function uriOf(path: string): string {
  if (/^[a-z][a-z0-9+.-]+:/.test(path)) return path;
  const parts = path.replaceAll("\\", "/").split("/").map(encodeURIComponent);
  const joined = parts.join("/");
  return joined.startsWith("/") ? `file://${joined}` : `file:///${joined}`;
}
