/** @file Opens a web view's page: where it draws, its line to the editor's host, its texts and the editor's colours. */
import type { ChannelClient } from "../../src/shared/channel.ts";
import type { PanelContract, SubjectOf } from "../../src/shared/panels/panel.ts";
import { connect } from "./connect.ts";
import { element, replaceWith } from "./dom.ts";
import type { Say } from "./say.ts";

export interface Page<P extends PanelContract> {
  readonly host: ChannelClient<P>;
  readonly subject: SubjectOf<P>;
  readonly say: Say;
  /** Where everything is drawn. */
  readonly root: HTMLElement;
  /** Keeps what is shown, so that it is shown again after a reload of the window. */
  readonly keep: (subject: SubjectOf<P>) => void;
}

/** Opens the page of a contract and draws it; what fails while it is drawn is shown in its place. */
export function openPage<P extends PanelContract>(
  contract: P,
  draw: (page: Page<P>) => Promise<void>,
): void {
  const host = connect(contract);
  const root = element("main", { class: `panel ${contract.name}` });
  document.documentElement.lang = host.language;
  document.body.append(root);
  draw({ host, subject: host.subject, say: host.t, root, keep: host.keep }).catch(
    (error: unknown) => showFailure(root, error),
  );
}

/** What went wrong, in place of what would have been shown. */
export function showFailure(root: Element, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  replaceWith(root, element("p", { class: "failure", text, attributes: { role: "alert" } }));
}

/** Whether the ground is dark; high contrast counts as what it looks like. */
export function isDark(): boolean {
  const { classList } = document.body;
  if (classList.contains("vscode-high-contrast-light")) return false;
  return classList.contains("vscode-dark") || classList.contains("vscode-high-contrast");
}

/** Either of the editor's themes of high contrast. */
export function isHighContrast(): boolean {
  const { classList } = document.body;
  return ["vscode-high-contrast", "vscode-high-contrast-light"].some((name) =>
    classList.contains(name),
  );
}

/** Calls back when the editor's colours change. */
export function onThemeChange(act: () => void): void {
  new MutationObserver(act).observe(document.body, { attributeFilter: ["class"] });
}

/** The value of one of the editor's colours, such as `foreground`. */
export function themeColor(name: string, otherwise: string): string {
  const value = getComputedStyle(document.body).getPropertyValue(`--vscode-${name}`).trim();
  return value === "" ? otherwise : value;
}
