/** @file The service's answers in the words of the Language Server Protocol. */
import type {
  CodeAction,
  CodeLens,
  CompletionItem as LspCompletionItem,
  Diagnostic as LspDiagnostic,
  DocumentLink,
  DocumentSymbol,
  FoldingRange,
  InlayHint,
  Range,
  TextEdit,
} from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Edit } from "../../src/shared/experiment/findings.ts";
import type { Severity } from "../../src/shared/findings.ts";
import type { Action } from "./actions.ts";
import type { SuggestionKind } from "./complete/suggestion.ts";
import type { CompletionItem } from "./completion.ts";
import type { Diagnostic } from "./diagnostics.ts";
import type { Hint } from "./hints.ts";
import type { Lens } from "./lenses.ts";
import type { Link } from "./links.ts";
import type { Fold, Symbol } from "./outline.ts";
import { pathOf, uriOf } from "./uri.ts";

/** What the other side can show. */
export interface ClientAbilities {
  readonly snippets: boolean;
  /** It has VS Code's own commands. */
  readonly isVsCode: boolean;
  /** A text in its language. */
  readonly say: (english: string) => string;
}

export function rangeOf(document: TextDocument, start: number, end: number): Range {
  return { start: document.positionAt(start), end: document.positionAt(end) };
}

const severities: { readonly [S in Severity]: 1 | 2 | 3 } = { error: 1, warning: 2, info: 3 };

/** Codes of what has no effect, which editors show faded, and of names that have a better one. */
const faded = /-without-effect$|-unused$|^field-not-for-variant$|^unused-suppression$/;
const replaced = /^foreign-name$|^said-twice$/;

export function lspDiagnostic(
  document: TextDocument,
  { code, severity, message, remedy, start, end }: Diagnostic,
  { say }: Pick<ClientAbilities, "say">,
): LspDiagnostic {
  return {
    range: rangeOf(document, start, end),
    severity: severities[severity],
    code,
    source: "spectune",
    message: say(remedy === undefined ? message : `${message}\n${remedy}`),
    ...(faded.test(code) && { tags: [1] }),
    ...(replaced.test(code) && { tags: [2] }),
  };
}

const completionKinds: { readonly [K in SuggestionKind]: NonNullable<LspCompletionItem["kind"]> } =
  {
    field: 10,
    value: 12,
    variant: 20,
    file: 17,
    folder: 19,
    model: 9,
    module: 9,
    column: 5,
    expression: 24,
    sketch: 15,
    code: 21,
  };

export function lspCompletion(
  document: TextDocument,
  item: CompletionItem,
  order: number,
  { snippets, isVsCode, say }: ClientAbilities,
): LspCompletionItem {
  const { label, kind, detail, doc, start, end, rank = 1, snippet, again } = item;
  const isSnippet = snippet === true && snippets;
  const newText = snippet === true && !snippets ? withoutStops(item.insert) : item.insert;
  return {
    label,
    kind: completionKinds[kind],
    sortText: `${String(rank).padStart(2, "0")}${String(order).padStart(4, "0")}`,
    textEdit: { range: rangeOf(document, start, end), newText },
    insertTextFormat: isSnippet ? 2 : 1,
    insertTextMode: 1,
    ...(detail !== undefined && { detail: say(detail) }),
    ...(doc !== undefined && { documentation: { kind: "markdown", value: say(doc) } }),
    ...(again === true &&
      isVsCode && { command: { title: "Suggest", command: "editor.action.triggerSuggest" } }),
  };
}

function withoutStops(text: string): string {
  return text.replaceAll(/\$\{\d+:([^}]*)\}/g, "$1").replaceAll(/\$\d+/g, "");
}

export function lspEdits(document: TextDocument, edits: readonly Edit[]): TextEdit[] {
  const file = pathOf(document.uri);
  return edits
    .filter((edit) => edit.file === file || edit.file === "")
    .map(({ start, end, text }) => ({ range: rangeOf(document, start, end), newText: text }));
}

const actionKinds: { readonly [K in Action["kind"]]: string } = {
  quickfix: "quickfix",
  rewrite: "refactor.rewrite",
  "fix-all": "source.fixAll.spectune",
};

export function lspAction(
  document: TextDocument,
  action: Action,
  abilities: ClientAbilities,
): CodeAction {
  const { title, kind, edits, preferred, mends } = action;
  return {
    title: abilities.say(title),
    kind: actionKinds[kind],
    edit: { changes: { [document.uri]: lspEdits(document, edits) } },
    ...(preferred === true && { isPreferred: true }),
    ...(mends !== undefined && { diagnostics: [lspDiagnostic(document, mends, abilities)] }),
  };
}

export function lspHint(
  document: TextDocument,
  { offset, text, doc }: Hint,
  { say }: ClientAbilities,
): InlayHint {
  return {
    position: document.positionAt(offset),
    label: say(text),
    paddingLeft: true,
    ...(doc !== undefined && { tooltip: { kind: "markdown", value: say(doc) } }),
  };
}

export function lspLens(
  document: TextDocument,
  { start, end, title, command }: Lens,
  { isVsCode, say }: ClientAbilities,
): CodeLens {
  const said = say(title);
  const plain = isVsCode ? said : said.replace("$(play)", "▶");
  return {
    range: rangeOf(document, start, end),
    command: { title: plain, command, arguments: [document.uri] },
  };
}

export function lspLink(document: TextDocument, { start, end, target }: Link): DocumentLink {
  return {
    range: rangeOf(document, start, end),
    target: "file" in target ? uriOf(target.file) : target.page,
  };
}

const symbolKinds: { readonly [K in Symbol["kind"]]: DocumentSymbol["kind"] } = {
  section: 3,
  list: 18,
  value: 7,
};

export function lspSymbol(document: TextDocument, symbol: Symbol): DocumentSymbol {
  const { name, detail, kind, start, end, nameStart, nameEnd, children } = symbol;
  return {
    name,
    detail,
    kind: symbolKinds[kind],
    range: rangeOf(document, start, Math.max(end, nameEnd)),
    selectionRange: rangeOf(document, nameStart, nameEnd),
    children: children.map((child) => lspSymbol(document, child)),
  };
}

export function lspFold({ startLine, endLine, kind }: Fold): FoldingRange {
  return { startLine, endLine, ...(kind === "comment" && { kind: "comment" }) };
}
