/** @file The types of node-version.mjs. */

/** What to tell the user of a Node of that version, or undefined where it will do. */
export function refusalOfNode(version: string): string | undefined;
