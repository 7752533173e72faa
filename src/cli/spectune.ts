/** @file The entry point of the command line. */
const [name, ...rest] = process.argv.slice(2);

// The language server answers keystrokes: it waits for no engine, and never loads ONNX Runtime.
if (name === "lsp" && rest.join(" ") === "--stdio") {
  const { serveStdio } = await import("./commands/lsp.ts");
  await serveStdio();
} else {
  const { main, processConsole } = await import("./main.ts");
  const { watchOutputs } = await import("./output-errors.ts");
  watchOutputs();
  process.exitCode = await main(process.argv.slice(2), processConsole());
}

export {};
