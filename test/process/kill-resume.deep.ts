/** @file Training that is killed more often than in every run of the tests. */
import { it } from "node:test";
import { killedTraining } from "./interrupted-training.ts";

it("training killed 20 times ends like training left alone", (t) => killedTraining(t, 20));
