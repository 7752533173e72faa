/** @file A small client of the Language Server Protocol: starts the server as an editor does, and talks to it. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = join(import.meta.dirname, "../..");

export interface Message {
  readonly id?: number | undefined;
  readonly method?: string | undefined;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

export interface LanguageClient {
  readonly process: ChildProcess;
  /** The answer's result; an error rejects. */
  readonly request: (method: string, params: unknown) => Promise<unknown>;
  readonly notify: (method: string, params: unknown) => void;
  /** The next notification of that method that `wanted` takes, past ones included. */
  readonly next: (method: string, wanted: (params: unknown) => boolean) => Promise<unknown>;
  /** Asks it to end; its exit code. */
  readonly stop: () => Promise<number | null>;
}

/** The part of parsed JSON at a path of keys and indices. */
export function partOf(value: unknown, ...path: readonly (string | number)[]): unknown {
  let part: unknown = value;
  for (const step of path) {
    if (typeof part !== "object" || part === null) return undefined;
    part = Object.entries(part).find(([key]) => key === String(step))?.[1];
  }
  return part;
}

function messageOf(value: unknown): Message {
  const id = partOf(value, "id");
  const method = partOf(value, "method");
  return {
    id: typeof id === "number" ? id : undefined,
    method: typeof method === "string" ? method : undefined,
    params: partOf(value, "params"),
    result: partOf(value, "result"),
    error: partOf(value, "error"),
  };
}

export function uri(file: string): string {
  return pathToFileURL(file).href;
}

/** Starts `spectune lsp --stdio` and initializes it. */
export async function startLanguageClient(
  folder: string,
  options: unknown = {},
): Promise<LanguageClient> {
  const child = spawn(process.execPath, [join(root, "src/cli/spectune.ts"), "lsp", "--stdio"], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = new Map<number, (message: Message) => void>();
  const seen: Message[] = [];
  const listeners = new Set<(message: Message) => void>();
  let last = 0;
  const send = (message: object): void => {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    child.stdin.write(body);
  };
  readMessages(child.stdout, (message) => {
    if (message.method === undefined) waiting.get(message.id ?? -1)?.(message);
    // A server may ask as well; this client agrees to everything.
    else if (message.id !== undefined) send({ id: message.id, result: null });
    else {
      seen.push(message);
      for (const listener of listeners) listener(message);
    }
  });
  const request = (method: string, params: unknown): Promise<unknown> => {
    last += 1;
    const id = last;
    send({ id, method, params });
    return new Promise((resolve, reject) => {
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(JSON.stringify(error)));
      });
    });
  };
  const notify = (method: string, params: unknown): void => {
    send({ method, params });
  };
  await request("initialize", {
    processId: process.pid,
    rootUri: uri(folder),
    capabilities: {
      textDocument: { completion: { completionItem: { snippetSupport: true } } },
    },
    clientInfo: { name: "test" },
    initializationOptions: options,
  });
  notify("initialized", {});
  return {
    process: child,
    request,
    notify,
    next(method, wanted) {
      const fits = (message: Message) => message.method === method && wanted(message.params);
      const before = seen.findIndex(fits);
      if (before >= 0) return Promise.resolve(seen.splice(before, 1)[0]?.params);
      return new Promise((resolve) => {
        const listener = (message: Message): void => {
          if (!fits(message)) return;
          listeners.delete(listener);
          seen.splice(seen.indexOf(message), 1);
          resolve(message.params);
        };
        listeners.add(listener);
      });
    },
    async stop() {
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
      await request("shutdown", null);
      notify("exit", null);
      return ended;
    },
  };
}

function readMessages(stream: NodeJS.ReadableStream, take: (message: Message) => void): void {
  let buffer = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const head = buffer.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(buffer.toString("latin1", 0, head))?.[1]);
      const end = head + 4 + length;
      if (buffer.length < end) return;
      const parsed: unknown = JSON.parse(buffer.toString("utf8", head + 4, end));
      buffer = buffer.subarray(end);
      take(messageOf(parsed));
    }
  });
}
