/** @file The entry point of the command line. */
import { main, processConsole } from "./main.ts";

process.exitCode = await main(process.argv.slice(2), processConsole());
