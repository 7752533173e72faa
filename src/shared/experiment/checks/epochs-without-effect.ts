/** @file Epochs beside a number of steps. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const epochsWithoutEffect: Check = {
  code: "epochs-without-effect",
  severity: "warning",
  doc: "Where `max_steps` is given, it decides how long the run is and `num_train_epochs` does not.",
  find: ({ train }, { chooses, document }) =>
    train.max_steps !== null && chooses("train.num_train_epochs")
      ? [
          {
            path: "train.num_train_epochs",
            message: "`max_steps` decides how long the run is; `num_train_epochs` has no effect.",
            remedy: "Keep one of them.",
            ...removed(document, ["train", "num_train_epochs"]),
          },
        ]
      : [],
};
