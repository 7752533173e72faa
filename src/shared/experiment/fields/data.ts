/** @file `data`: files, their form, and how examples become tokens. */
import { bool, int, list, object, oneOf, share, text, union } from "../../schema.ts";

const columns = object(
  {
    text: text({ form: "column", default: "text", doc: "Column of the text." }),
    text_pair: text({
      form: "column",
      default: null,
      doc: "Column of the second text, for sentence pairs.",
    }),
    label: text({ form: "column", default: "label", doc: "Column of the label." }),
    prompt: text({ form: "column", default: "prompt", doc: "Column of the prompt." }),
    completion: text({ form: "column", default: "completion", doc: "Column of the completion." }),
    messages: text({ form: "column", default: "messages", doc: "Column of the list of messages." }),
  },
  { doc: "Which column of the data plays which role." },
);

const split = object(
  {
    from: oneOf(
      { train: "The training file." },
      { doc: "Which file the examples are taken from." },
    ),
    share: share({ default: 0.05, above: 0, below: 1, doc: "How much of it is set aside." }),
    seed: int({ default: 0, min: 0, max: 0xffffffff, doc: "Seed of the choice of examples." }),
  },
  { doc: "A part of the training data, set aside and not trained on." },
);

export const dataField = object(
  {
    train: text({
      form: "path",
      doc: "Training examples: .jsonl, .csv, .parquet or .txt.",
      aliases: ["train_file", "train_data", "training_data"],
    }),
    eval: union([text({ form: "path", doc: "A file of its own." }), split], {
      default: null,
      doc: "Examples that choose checkpoints and stop early: a file, or a part of the training data.",
      aliases: ["eval_file", "validation_file", "validation", "dev"],
    }),
    test: text({
      form: "path",
      default: null,
      doc: "Examples read once, after the last step.",
      aliases: ["test_file", "test_data"],
    }),
    format: oneOf(
      {
        auto: "Told from the columns and the task.",
        text: "Plain text; every token is trained on.",
        "prompt-completion": "A prompt and what follows it.",
        messages: "A list of messages, each with a role and a content.",
        labelled: "A text, or two, with a label.",
      },
      { default: "auto", doc: "What an example is made of." },
    ),
    columns,
    labels: list(text({ doc: "A label." }), {
      default: null,
      minLength: 1,
      doc: "The labels in the order of their ids; by default those of the training data, sorted.",
    }),
    problem_type: oneOf(
      {
        auto: "Regression where the labels are fractions, else classification.",
        single_label_classification: "One of several labels.",
        regression: "A number.",
      },
      { default: "auto", doc: "Whether a label is a class or a number." },
    ),
    template: text({
      form: "template",
      default: null,
      doc: "Text of the prompt with columns in braces, such as `Question: {prompt}`.",
    }),
    chat_template: text({
      default: null,
      doc: "`tokenizer` for the tokenizer's own chat template, or a Jinja template.",
    }),
    loss_on: oneOf(
      {
        auto: "The completion where there is one, the assistant's turns of messages, else everything.",
        completion: "The completion only.",
        assistant: "What the assistant says only.",
        all: "Every token.",
      },
      { default: "auto", doc: "Which tokens the loss is computed on." },
    ),
    packing: bool({
      default: false,
      doc: "Fill each row of a batch with several examples; attention never crosses from one to another.",
      aliases: ["sample_packing"],
    }),
    max_length: int({
      default: 1024,
      min: 2,
      max: 1_048_576,
      unit: "tokens",
      doc: "Longest example, lowered to what the model's positions allow. The tokenizer's own `model_max_length` is not heeded, as in transformers where a length is given.",
      aliases: ["cutoff_len", "sequence_len", "max_seq_length", "max_seq_len", "model_max_length"],
    }),
    too_long: oneOf(
      {
        truncate: "Cut it at `max_length`.",
        drop: "Leave it out.",
        error: "Refuse the data.",
      },
      {
        default: "truncate",
        doc: "What happens to an example longer than `max_length`; they are counted in any case.",
      },
    ),
    shuffle: bool({ default: true, doc: "Draw a new order of the training examples each epoch." }),
  },
  { doc: "The examples, and how they become tokens." },
);
