/** @file Typed requests and events between two parts of one build: an editor's host and a web view, or a helper process. */
import { messageOf } from "./errors.ts";
import type { Decoder } from "./wire.ts";
import { isProblem, isRecord, sentByOurBuild } from "./wire.ts";

/** One request: how its parameters are checked where they arrive, and the type of its answer. */
export interface RequestOf<Params, Result> {
  readonly params: Decoder<Params>;
  /** Never there: it carries the type. */
  readonly result?: (result: Result) => Result;
}

/** One event: it carries only the type of what is sent. */
export interface EventOf<Payload> {
  readonly payload?: (payload: Payload) => Payload;
}

/**
 * What two parts say to each other. The client asks, the server answers and tells events. Only the server checks what
 * arrives: it can do things, whereas the client shows them. Messages may hold typed arrays.
 */
export interface Contract {
  readonly requests: Readonly<
    Record<string, { readonly params: Decoder<unknown>; readonly result?: unknown }>
  >;
  readonly events: Readonly<Record<string, { readonly payload?: unknown }>>;
}

export type ParamsOf<C extends Contract, N extends keyof C["requests"]> =
  C["requests"][N]["params"] extends Decoder<infer Params> ? Params : never;

export type ResultOf<C extends Contract, N extends keyof C["requests"]> = C["requests"][N] extends {
  readonly result?: (result: infer Result) => unknown;
}
  ? Result
  : never;

export type PayloadOf<C extends Contract, N extends keyof C["events"]> = C["events"][N] extends {
  readonly payload?: (payload: infer Payload) => unknown;
}
  ? Payload
  : never;

/** `answers<Result>().to(decoder of the parameters)`. */
export function answers<Result>(): {
  readonly to: <Params>(params: Decoder<Params>) => RequestOf<Params, Result>;
} {
  return { to: (params) => ({ params }) };
}

/** An event that carries a `Payload`. */
export function tells<Payload>(): EventOf<Payload> {
  return {};
}

/** Parameters of a request that has none. */
export const nothing: Decoder<null> = () => null;

/** One end of a line on which values are sent, in order. */
export interface Port {
  readonly post: (message: unknown) => void;
  /** Calls `listener` with each value that arrives. */
  readonly listen: (listener: (message: unknown) => void) => void;
}

export type Handlers<C extends Contract> = {
  readonly [N in keyof C["requests"]]: (
    params: ParamsOf<C, N>,
  ) => ResultOf<C, N> | Promise<ResultOf<C, N>>;
};

export interface ChannelServer<C extends Contract> {
  readonly tell: <N extends keyof C["events"] & string>(name: N, payload: PayloadOf<C, N>) => void;
}

export interface ChannelClient<C extends Contract> {
  /** The answer; rejects with what the other side says where it fails. */
  readonly ask: <N extends keyof C["requests"] & string>(
    name: N,
    params: ParamsOf<C, N>,
  ) => Promise<ResultOf<C, N>>;
  /** Listens until the returned function is called. */
  readonly on: <N extends keyof C["events"] & string>(
    name: N,
    listener: (payload: PayloadOf<C, N>) => void,
  ) => () => void;
  /** Every request without an answer fails with this: the line is broken. */
  readonly close: (reason: string) => void;
}

/** Answers what comes over the port; what it throws goes back as a message. */
export function serveChannel<C extends Contract>(
  contract: C,
  handlers: Handlers<C>,
  port: Port,
  onError: (error: unknown) => void = () => undefined,
): ChannelServer<C> {
  const answer = async (name: string, sent: unknown): Promise<unknown> => {
    const row = Object.hasOwn(contract.requests, name) ? contract.requests[name] : undefined;
    if (row === undefined) throw new Error(`There is no request ${name}.`);
    const params = row.params(sent, "");
    if (isProblem(params)) throw new Error(`${name}: ${params.problem}`);
    return await sentByOurBuild<(params: unknown) => unknown>(handlers[name])(params);
  };
  port.listen((message) => {
    if (!isRecord(message) || typeof message["ask"] !== "string") return;
    const { ask: name, id, params } = message;
    answer(name, params).then(
      (result) => port.post({ id, result }),
      (error: unknown) => {
        onError(error);
        port.post({ id, failed: messageOf(error) });
      },
    );
  });
  return { tell: (event, payload) => port.post({ event, payload }) };
}

/** Asks over the port. */
export function channelClient<C extends Contract>(port: Port): ChannelClient<C> {
  interface Waiting {
    readonly resolve: (result: unknown) => void;
    readonly reject: (error: Error) => void;
  }
  const waiting = new Map<unknown, Waiting>();
  const listeners = new Map<string, Set<(payload: unknown) => void>>();
  let last = 0;
  port.listen((message) => {
    if (!isRecord(message)) return;
    const { id, event } = message;
    if (typeof event === "string")
      for (const listener of listeners.get(event) ?? []) listener(message["payload"]);
    const asked = waiting.get(id);
    if (asked === undefined) return;
    waiting.delete(id);
    if (typeof message["failed"] === "string") asked.reject(new Error(message["failed"]));
    else asked.resolve(message["result"]);
  });
  return {
    ask: (name, params) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, {
          resolve: (result) => resolve(sentByOurBuild<ResultOf<C, typeof name>>(result)),
          reject,
        });
        port.post({ ask: name, id: last, params });
      }),
    on: (name, listener) => {
      const all = listeners.get(name) ?? new Set();
      const one = (payload: unknown): void =>
        listener(sentByOurBuild<PayloadOf<C, typeof name>>(payload));
      listeners.set(name, all.add(one));
      return () => all.delete(one);
    },
    close: (reason) => {
      const asked = [...waiting.values()];
      waiting.clear();
      for (const { reject } of asked) reject(new Error(reason));
    },
  };
}
