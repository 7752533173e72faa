/** @file Where this process finds models. */
import { homedir } from "node:os";
import process from "node:process";
import type { ModelPlaces } from "../weights/hub-cache.ts";

export function placesHere(): ModelPlaces {
  return { base: process.cwd(), env: process.env, home: homedir() };
}
