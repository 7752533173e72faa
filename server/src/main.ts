/** @file Speaks the Language Server Protocol: documents in, diagnostics and answers out; everything else is in pure functions. */
import type { Connection, InitializeParams, InitializeResult } from "vscode-languageserver";
import {
  createConnection,
  DidChangeConfigurationNotification,
  ProposedFeatures,
  TextDocuments,
  TextDocumentSyncKind,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { catalogFields } from "../../src/engine/catalog.ts";
import { actions, wholeEdit } from "./actions.ts";
import type { Analysis } from "./analysis.ts";
import { analyse } from "./analysis.ts";
import { complete } from "./completion.ts";
import { convertForeign } from "./convert.ts";
import type { SeveritySettings } from "./diagnostics.ts";
import { diagnose } from "./diagnostics.ts";
import { formatText } from "./format.ts";
import { hints } from "./hints.ts";
import { hover } from "./hover.ts";
import { translatorFor } from "./languages.ts";
import { lenses } from "./lenses.ts";
import { links } from "./links.ts";
import { factsNowhere } from "./nowhere.ts";
import { folds, outline } from "./outline.ts";
import type { ClientAbilities } from "./protocol.ts";
import {
  lspAction,
  lspCompletion,
  lspDiagnostic,
  lspEdits,
  lspFold,
  lspHint,
  lspLens,
  lspLink,
  lspSymbol,
  rangeOf,
} from "./protocol.ts";
import { readSeverities } from "./severities.ts";
import { pathOf } from "./uri.ts";
import type { World } from "./world.ts";

/** Streams of a process's own kind. */
export interface Streams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** How long the first answer waits for a model's header or a folder's list. */
const patienceMs = 600;
/** Keystrokes that follow each other faster than this are looked at together. */
const coalesceMs = 8;
/** Answers that come one after the other are shown together. */
const refreshMs = 60;

/** The conversion of a foreign configuration, asked for by the editor's own commands. */
const convertRequest = "spectune/convert";

/** Serves one editor until it goes. */
export function serve({ input, output }: Streams, world: World): void {
  const connection = createConnection(ProposedFeatures.all, input, output);
  const documents = new TextDocuments(TextDocument);
  let abilities: ClientAbilities & Refreshing = {
    snippets: false,
    isVsCode: false,
    say: (text) => text,
    configuration: false,
    hints: false,
    lenses: false,
  };
  const nowhere = factsNowhere(world.facts);
  let severities: SeveritySettings = new Map();
  let revision = 0;
  const analyses = new Map<string, { version: number; revision: number; analysis: Analysis }>();

  const analysisOf = (document: TextDocument): Analysis => {
    const known = analyses.get(document.uri);
    if (known?.version === document.version && known.revision === revision) return known.analysis;
    const file = pathOf(document.uri);
    const facts = document.uri.startsWith("file:") ? world.facts : nowhere;
    const analysis = analyse({ file, text: document.getText() }, facts);
    analyses.set(document.uri, { version: document.version, revision, analysis });
    return analysis;
  };
  const publish = (document: TextDocument): void => {
    const diagnostics = diagnose(analysisOf(document), severities);
    void connection.sendDiagnostics({
      uri: document.uri,
      version: document.version,
      diagnostics: diagnostics.map((each) => lspDiagnostic(document, each, abilities)),
    });
  };
  /** An answer about the document as it is now, with what it asks of the world there. */
  const answering = async <T>(
    uri: string,
    answer: (analysis: Analysis, document: TextDocument) => T,
    otherwise: T,
  ): Promise<T> => {
    const first = documents.get(uri);
    if (first === undefined) return otherwise;
    const early = answer(analysisOf(first), first);
    if (!(await world.settled(patienceMs))) return early;
    // Meanwhile something has come that the answer had asked for.
    revision += 1;
    const document = documents.get(uri);
    return document === undefined ? otherwise : answer(analysisOf(document), document);
  };

  const typed = coalescing(coalesceMs, () => {
    for (const uri of changedDocuments) {
      const document = documents.get(uri);
      if (document !== undefined) publish(document);
    }
    changedDocuments.clear();
  });
  const changedDocuments = new Set<string>();
  const refresh = coalescing(refreshMs, () => {
    revision += 1;
    for (const document of documents.all()) publish(document);
    if (abilities.hints) void connection.languages.inlayHint.refresh();
    if (abilities.lenses) void connection.sendRequest("workspace/codeLens/refresh");
  });
  world.onChange(refresh);

  documents.onDidChangeContent(({ document }) => {
    world.open(pathOf(document.uri), document.getText());
    world.typed();
    changedDocuments.add(document.uri);
    typed();
  });
  documents.onDidClose(({ document }) => {
    world.close(pathOf(document.uri));
    analyses.delete(document.uri);
    void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
  });

  connection.onInitialize((params): InitializeResult => {
    abilities = abilitiesOf(params);
    severities = readSeverities(params.initializationOptions);
    return { capabilities, serverInfo: { name: "spectune" } };
  });
  connection.onInitialized(async () => {
    if (!abilities.configuration) return;
    await connection.client.register(DidChangeConfigurationNotification.type);
    severities = await fetchSeverities(connection);
    refresh();
  });
  connection.onDidChangeConfiguration(async ({ settings }) => {
    severities = abilities.configuration
      ? await fetchSeverities(connection)
      : readSeverities(settings);
    refresh();
  });
  connection.onDidChangeWatchedFiles(() => {
    world.recheck();
  });

  connection.onCompletion(({ textDocument: { uri }, position }) =>
    answering(
      uri,
      (analysis, document) =>
        complete(analysis, document.offsetAt(position)).map((item, order) =>
          lspCompletion(document, item, order, abilities),
        ),
      [],
    ),
  );
  connection.onHover(({ textDocument: { uri }, position }) =>
    answering(
      uri,
      (analysis, document) => {
        const said = hover(analysis, document.offsetAt(position));
        if (said === undefined) return null;
        const { start, end, text } = said;
        return {
          range: rangeOf(document, start, end),
          contents: { kind: "markdown" as const, value: abilities.say(text) },
        };
      },
      null,
    ),
  );
  connection.onCodeAction(({ textDocument: { uri }, range }) =>
    answering(
      uri,
      (analysis, document) =>
        actions(
          analysis,
          diagnose(analysis, severities),
          document.offsetAt(range.start),
          document.offsetAt(range.end),
        ).map((action) => lspAction(document, action, abilities)),
      [],
    ),
  );
  connection.languages.inlayHint.on(({ textDocument: { uri } }) =>
    answering(
      uri,
      (analysis, document) => hints(analysis).map((each) => lspHint(document, each, abilities)),
      [],
    ),
  );
  connection.onCodeLens(({ textDocument: { uri } }) =>
    answering(
      uri,
      (analysis, document) => lenses(analysis).map((each) => lspLens(document, each, abilities)),
      [],
    ),
  );
  connection.onDocumentLinks(({ textDocument: { uri } }) =>
    answering(
      uri,
      (analysis, document) => links(analysis).map((each) => lspLink(document, each)),
      [],
    ),
  );
  connection.onDocumentSymbol(({ textDocument: { uri } }) =>
    answering(
      uri,
      (analysis, document) => outline(analysis).map((each) => lspSymbol(document, each)),
      [],
    ),
  );
  connection.onFoldingRanges(({ textDocument: { uri } }) =>
    answering(uri, (analysis) => folds(analysis).map(lspFold), []),
  );
  connection.onDocumentFormatting(({ textDocument: { uri } }) => {
    const document = documents.get(uri);
    if (document === undefined) return [];
    const text = document.getText();
    const formatted = formatText(text);
    return formatted === text ? [] : lspEdits(document, wholeEdit({ file: "", text }, formatted));
  });
  connection.onRequest(convertRequest, (params: unknown) => {
    const { name, text } = conversionOf(params);
    return convertForeign(name, text, catalogFields);
  });

  documents.listen(connection);
  connection.listen();
}

interface Refreshing {
  readonly configuration: boolean;
  readonly hints: boolean;
  readonly lenses: boolean;
}

function abilitiesOf({
  capabilities: client,
  clientInfo,
  locale,
}: InitializeParams): ClientAbilities & Refreshing {
  return {
    snippets: client.textDocument?.completion?.completionItem?.snippetSupport === true,
    isVsCode: /visual studio code|code-server|vscodium|cursor/i.test(clientInfo?.name ?? ""),
    say: translatorFor(locale).say,
    configuration: client.workspace?.configuration === true,
    hints: client.workspace?.inlayHint?.refreshSupport === true,
    lenses: client.workspace?.codeLens?.refreshSupport === true,
  };
}

const capabilities: InitializeResult["capabilities"] = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
  completionProvider: { triggerCharacters: [":", " ", "/", ".", "[", "{", ",", "-"] },
  hoverProvider: true,
  codeActionProvider: {
    codeActionKinds: ["quickfix", "refactor.rewrite", "source.fixAll.spectune"],
  },
  inlayHintProvider: true,
  codeLensProvider: {},
  documentLinkProvider: {},
  documentSymbolProvider: true,
  foldingRangeProvider: true,
  documentFormattingProvider: true,
};

async function fetchSeverities(connection: Connection): Promise<SeveritySettings> {
  const checks: unknown = await connection.workspace.getConfiguration("spectune.checks");
  return readSeverities(checks);
}

/** Calls that come within `ms` become one. */
function coalescing(ms: number, work: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      work();
    }, ms);
  };
}

/** What the editor's side sends is checked like anything that comes over a wire. */
function conversionOf(params: unknown): { readonly name: string; readonly text: string } {
  const text = (key: string): string => {
    if (typeof params !== "object" || params === null) return "";
    const found: unknown = Object.entries(params).find(([name]) => name === key)?.[1];
    return typeof found === "string" ? found : "";
  };
  return { name: text("name"), text: text("text") };
}
