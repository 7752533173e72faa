/** @file An extension for tests: a folder that is on no disk, as those of repositories on the web are. */
import * as vscode from "vscode";

const encoder = new TextEncoder();

const texts = new Map([
  [
    "/lab/virtual.peft.yaml",
    "version: 1\nmodel: ./base\ndata: { train: ./data/train.jsonl }\nmethod: { type: lora, r: 8 }\n",
  ],
]);

export function activate(context: vscode.ExtensionContext): void {
  const files = new Map([...texts].map(([path, text]) => [path, encoder.encode(text)]));
  const changes = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  const refuse = (uri: vscode.Uri): never => {
    throw vscode.FileSystemError.FileNotFound(uri);
  };
  const isFolder = (path: string): boolean =>
    [...files.keys()].some((file) => file.startsWith(path === "/" ? path : `${path}/`));
  const provider: vscode.FileSystemProvider = {
    onDidChangeFile: changes.event,
    watch: () => new vscode.Disposable(() => undefined),
    stat: (uri) => {
      const size = files.get(uri.path)?.length;
      if (size === undefined && !isFolder(uri.path)) return refuse(uri);
      const type = size === undefined ? vscode.FileType.Directory : vscode.FileType.File;
      return { type, ctime: 0, mtime: 1, size: size ?? 0 };
    },
    readDirectory: ({ path }) =>
      [...files.keys()]
        .filter((file) => file.startsWith(`${path}/`))
        .map((file) => [file.slice(path.length + 1), vscode.FileType.File]),
    readFile: (uri) => files.get(uri.path) ?? refuse(uri),
    writeFile: (uri, content) => {
      files.set(uri.path, new Uint8Array(content));
      changes.fire([{ type: vscode.FileChangeType.Changed, uri }]);
    },
    createDirectory: refuse,
    delete: refuse,
    rename: refuse,
  };
  context.subscriptions.push(
    changes,
    vscode.workspace.registerFileSystemProvider("memory", provider),
  );
}
