/** @file Runs web views: a page, its channel, and its return after a reload. What a panel does is in its own file. */
import * as vscode from "vscode";
import type { ChannelServer, Handlers, Port } from "../../shared/channel.ts";
import { serveChannel } from "../../shared/channel.ts";
import type { PanelContract, SubjectOf } from "../../shared/panels/panel.ts";
import { decoded } from "../../shared/panels/panel.ts";
import { sentByOurBuild } from "../../shared/wire.ts";
import type { CommonHandlers } from "./common.ts";
import { commonHandlers } from "./common.ts";
import { pageOf, pagesFolder } from "./page.ts";

/** What the panel says to its page while it is there, and what it need not write itself. */
export interface Page<P extends PanelContract> {
  readonly tell: ChannelServer<P>["tell"];
  readonly common: CommonHandlers;
}

/** What a panel has for one subject, from its opening to its end. */
export interface PanelSession<P extends PanelContract> {
  readonly title: string;
  readonly handlers: Handlers<P>;
  readonly dispose?: () => void;
}

export type OpenSession<P extends PanelContract> = (
  subject: SubjectOf<P>,
  page: Page<P>,
) => PanelSession<P>;

export interface HostContext {
  readonly extension: vscode.Uri;
  readonly onError: (error: unknown) => void;
  /** Scripts of ours, and nothing but the built pages. */
  readonly webviewOptions: vscode.WebviewOptions;
}

export function hostContext(extension: vscode.Uri, onError: (error: unknown) => void): HostContext {
  const webviewOptions = { enableScripts: true, localResourceRoots: [pagesFolder(extension)] };
  return { extension, onError, webviewOptions };
}

/** `spectune.<name>`: in package.json and in the editor's own store of open panels. */
export function viewType({ name }: PanelContract): string {
  return `spectune.${name}`;
}

export interface PanelKind<P extends PanelContract> {
  /** Opens the panel of that subject beside the editor, or shows it where it is open. */
  readonly show: (subject: SubjectOf<P>) => void;
  readonly dispose: () => void;
}

/** Panels of one kind, one for each subject; they come back after a reload with the subject that the page kept. */
export function panelKind<P extends PanelContract>(
  contract: P,
  host: HostContext,
  open: OpenSession<P>,
): PanelKind<P> {
  const shown = new Map<string, vscode.WebviewPanel>();
  const fill = (panel: vscode.WebviewPanel, subject: SubjectOf<P>): void => {
    const key = JSON.stringify(subject);
    shown.set(key, panel);
    panel.webview.options = host.webviewOptions;
    const session = attach(panel.webview, contract, host, open, subject);
    panel.title = session.title;
    panel.iconPath = vscode.Uri.joinPath(host.extension, "media", "icons", "spectune.svg");
    panel.onDidDispose(() => {
      if (shown.get(key) === panel) shown.delete(key);
      session.dispose?.();
    });
  };
  const serializer = vscode.window.registerWebviewPanelSerializer(viewType(contract), {
    deserializeWebviewPanel: (panel, state: unknown) => {
      const subject = restored(contract, state);
      if (subject === undefined) panel.dispose();
      else fill(panel, subject);
      return Promise.resolve();
    },
  });
  return {
    show: (subject) => {
      const there = shown.get(JSON.stringify(subject));
      if (there !== undefined) there.reveal();
      else
        fill(
          vscode.window.createWebviewPanel(
            viewType(contract),
            "Spectune",
            vscode.ViewColumn.Active,
            host.webviewOptions,
          ),
          subject,
        );
    },
    dispose: () => void serializer.dispose(),
  };
}

/** A web view in the side bar. Its page is made anew whenever the view comes to sight. */
export function viewKind<P extends PanelContract>(
  contract: P,
  host: HostContext,
  subject: () => SubjectOf<P>,
  open: OpenSession<P>,
): vscode.Disposable {
  return vscode.window.registerWebviewViewProvider(viewType(contract), {
    resolveWebviewView: (view) => {
      view.webview.options = host.webviewOptions;
      const session = attach(view.webview, contract, host, open, subject());
      view.onDidDispose(() => session.dispose?.());
    },
  });
}

/** Fills a web view that something else has made, such as a custom editor's. */
export function attach<P extends PanelContract>(
  webview: vscode.Webview,
  contract: P,
  host: HostContext,
  open: OpenSession<P>,
  subject: SubjectOf<P>,
): PanelSession<P> {
  const listeners: ((message: unknown) => void)[] = [];
  webview.onDidReceiveMessage((message: unknown) => {
    for (const listener of listeners) listener(message);
  });
  const port: Port = {
    post: (message) => void webview.postMessage(message),
    listen: (listener) => void listeners.push(listener),
  };
  const tell: ChannelServer<P>["tell"] = (event, payload) => port.post({ event, payload });
  const session = open(subject, { tell, common: commonHandlers });
  serveChannel(contract, session.handlers, port, host.onError);
  webview.html = pageOf(webview, host.extension, {
    panel: contract.name,
    subject,
    language: vscode.env.language,
    strings: stringsOf(vscode.l10n.bundle),
  });
  return session;
}

/** What the page kept, where this version can still read it. */
function restored<P extends PanelContract>(contract: P, state: unknown): SubjectOf<P> | undefined {
  const subject = decoded(contract.subject, state);
  return subject === undefined ? undefined : sentByOurBuild<SubjectOf<P>>(subject);
}

/** The editor's texts in its language; it says nothing where it speaks English. */
function stringsOf(bundle: typeof vscode.l10n.bundle): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(bundle ?? {}).flatMap(([key, text]: [string, unknown]) =>
      typeof text === "string" ? [[key, text]] : [],
    ),
  );
}
