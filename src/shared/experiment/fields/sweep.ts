/** @file `sweep`: one file that stands for several runs. */
import {
  any,
  int,
  list,
  number,
  object,
  oneOf,
  openObject,
  record,
  share,
  text,
  union,
} from "../../schema.ts";

const values = list(any({ doc: "A value of the field." }), {
  minLength: 1,
  doc: "The values of the field.",
});

const budget = (what: string) =>
  oneOf(
    {
      free: "May differ.",
      equal: "Must be equal; runs that differ are refused before the first starts.",
    },
    { default: "free", doc: `Whether the points must have the same ${what}.` },
  );

const match = object(
  {
    tokens: budget("number of trained tokens"),
    steps: budget("number of steps"),
    trainable_parameters: union(
      [
        oneOf({ free: "May differ.", equal: "Must be equal." }, { doc: "For all points." }),
        object(
          {
            across: text({
              form: "field",
              default: null,
              doc: "Only points that differ in this field must have the same number; by default all.",
            }),
            tolerance: share({ default: 0, doc: "How far they may differ." }),
          },
          { doc: "Equal up to a tolerance." },
        ),
      ],
      { default: "free", doc: "Whether the points must train equally many parameters." },
    ),
  },
  { doc: "What must be equal for the points to be comparable." },
);

const tune = openObject(
  {
    select: object(
      {
        metric: text({
          form: "metric",
          default: "eval.loss",
          doc: "The metric that chooses; never one of the test data.",
        }),
        mode: oneOf(
          { min: "Less is better.", max: "More is better." },
          { default: null, doc: "Which way is better; by default told from the metric." },
        ),
        seed: int({
          default: 100,
          min: 0,
          max: 0xffffffff,
          doc: "Seed of the tuning runs; not one of `seeds`, so that tuning and result stay apart.",
        }),
      },
      { doc: "How the value is chosen." },
    ),
  },
  "fields",
  object(
    {
      times: list(number({ above: 0, doc: "A factor." }), {
        default: null,
        doc: "Factors of the value that the point has.",
      }),
      values: list(any({ doc: "A value of the field." }), {
        default: null,
        doc: "Values of the field.",
      }),
    },
    { doc: "What is tried." },
  ),
  {
    default: null,
    doc: "Fields tuned for each point by runs of their own, before its seeds: `train.learning_rate: { times: [0.3, 1, 3] }`.",
  },
);

export const sweepField = object(
  {
    grid: record(values, {
      default: {},
      keys: "field",
      doc: "Every combination of these fields' values is a point.",
    }),
    paired: list(record(values, { keys: "field", doc: "Fields with lists of equal length." }), {
      default: [],
      single: true,
      doc: "Fields whose lists go hand in hand: the first values together, then the second. Several such maps are combined.",
      aliases: ["list", "zip"],
    }),
    controls: list(
      record(any({ doc: "A value of the field." }), { keys: "field", doc: "Fields of one point." }),
      { default: [], single: true, doc: "Further points, each with the fields that it changes." },
    ),
    match,
    tune,
    seeds: list(int({ min: 0, max: 0xffffffff, doc: "A seed." }), {
      default: null,
      doc: "Each point runs once with each; points of one seed share data order and random numbers. By default the experiment's own seed.",
    }),
    limits: object(
      {
        runs: int({ default: 100, min: 1, max: 100_000, doc: "More runs than these are refused." }),
        on_failure: oneOf(
          { continue: "Go on with the next run.", stop: "End the sweep." },
          { default: "continue", doc: "What happens when a run fails." },
        ),
      },
      { doc: "Bounds of the sweep." },
    ),
  },
  { default: null, doc: "Several runs from one file: combinations, controls, tuning, seeds." },
);
