/** @file The part of the script that reads rows and makes tokens of them; Python text. */

/** Reading files, the same for every task. */
export const readingPart = `def read_rows(path):
    """Rows of a .jsonl, .csv, .parquet or .txt file; a line of text is a row."""
    kind = Path(path).suffix
    if kind == ".parquet":
        import pandas

        return pandas.read_parquet(path).to_dict("records")
    with open(path, encoding="utf-8-sig", newline="") as file:
        if kind == ".csv":
            return list(csv.DictReader(file))
        lines = [line.rstrip("\\r\\n") for line in file]
    lines = [line for line in lines if line.strip()]
    return [json.loads(line) if kind == ".jsonl" else {"text": line} for line in lines]


def fill(template, row):
    """{name} is the column that plays the role, or the column of that name; {{ and }} are braces."""
    def part(match):
        token = match.group()
        return token[0] if token in ("{{", "}}") else str(row[COLUMNS.get(token[1:-1].strip()) or token[1:-1].strip()])

    return re.sub(r"\\{\\{|\\}\\}|\\{[^{}]*\\}", part, template)
`;

/** Tokens of a language model's examples, and which of them are trained on. */
export const causalPart = `def form_of(row):
    """The form of a row's example, told from its columns where the experiment leaves it open."""
    if FORMAT != "auto":
        return FORMAT
    if COLUMNS["messages"] in row:
        return "messages"
    return "prompt-completion" if COLUMNS["prompt"] in row and COLUMNS["completion"] in row else "text"


def with_end(text):
    end = tokenizer.eos_token or ""
    return text if text.endswith(end) else text + end


def conversation(row):
    """The text of a row's messages, and the spans that the assistant says."""
    messages = row[COLUMNS["messages"]]
    render = lambda part, opened=False: tokenizer.apply_chat_template(part, tokenize=False, add_generation_prompt=opened)
    spans = [
        (len(render(messages[:index], True)), len(render(messages[: index + 1])))
        for index, message in enumerate(messages)
        if message["role"] == "assistant"
    ]
    return render(messages), spans[-1:] if LOSS_ON == "completion" else spans


def as_messages(row):
    turns = [("user", row[COLUMNS["prompt"]]), ("assistant", row[COLUMNS["completion"]])]
    return {COLUMNS["messages"]: [{"role": role, "content": text} for role, text in turns]}


def prompt_of(row):
    return fill(TEMPLATE, row) if TEMPLATE is not None else str(row[COLUMNS["prompt"]])


def encode(row):
    """Ids of a row's example, and as labels those that have a loss; None where it is left out."""
    form = form_of(row)
    if form == "prompt-completion" and CHAT_TEMPLATE is not None:
        form, row = "messages", as_messages(row)
    if form == "messages":
        text, spans = conversation(row)
    elif form == "prompt-completion":
        prompt = prompt_of(row)
        text = with_end(prompt + str(row[COLUMNS["completion"]]))
        spans = [(len(prompt), len(text))]
    else:
        text = with_end(str(row[COLUMNS["text"]]))
        spans = None
    encoded = tokenizer(text, add_special_tokens=form != "messages", return_offsets_mapping=True)
    ids = encoded["input_ids"]
    whole = spans is None or LOSS_ON == "all"
    trained = [
        whole or any(end > first and begin < last for first, last in spans)
        for begin, end in encoded["offset_mapping"]
    ]
    if len(ids) > MAX_LENGTH and TOO_LONG == "error":
        raise SystemExit(f"an example has {len(ids)} tokens, more than {MAX_LENGTH}")
    if len(ids) > MAX_LENGTH and TOO_LONG == "drop":
        return None
    labels = [token if used else -100 for token, used in zip(ids, trained)]
    example = {"input_ids": ids[:MAX_LENGTH], "labels": labels[:MAX_LENGTH]}
    return example if any(label != -100 for label in example["labels"][1:]) else None


def collate(batch):
    longest = max(len(example["input_ids"]) for example in batch)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0
    padded = lambda values, filler: values + [filler] * (longest - len(values))
    return {
        "input_ids": torch.tensor([padded(example["input_ids"], pad) for example in batch]),
        "attention_mask": torch.tensor([padded([1] * len(example["input_ids"]), 0) for example in batch]),
        "labels": torch.tensor([padded(example["labels"], -100) for example in batch]),
    }
`;

/** Tokens and labels of a classifier's examples. */
export const classifierPart = `def label_names(rows):
    """The labels in the order of their ids; None where they are numbers to predict."""
    if LABELS is not None:
        return LABELS
    if PROBLEM == "regression":
        return None
    names = {str(row[COLUMNS["label"]]) for row in rows}
    number = re.compile(r"[+-]?(\\d+\\.?\\d*|\\.\\d+)(e[+-]?\\d+)?", re.IGNORECASE)
    if PROBLEM == "auto" and all(number.fullmatch(name) for name in names):
        if any(not float(name).is_integer() for name in names):
            return None
    if all(re.fullmatch(r"0|[1-9]\\d{0,4}", name) for name in names) and max(map(int, names)) < 4 * len(names):
        return [str(label) for label in range(max(map(int, names)) + 1)]
    return sorted(names)


def encode(row):
    texts = [str(row[COLUMNS[name]]) for name in ("text", "text_pair") if COLUMNS[name] is not None]
    encoded = tokenizer(*texts)
    if len(encoded["input_ids"]) > MAX_LENGTH:
        if TOO_LONG == "error":
            raise SystemExit(f"an example has {len(encoded['input_ids'])} tokens, more than {MAX_LENGTH}")
        if TOO_LONG == "drop":
            return None
        encoded = tokenizer(*texts, truncation=True, max_length=MAX_LENGTH)
    label = row[COLUMNS["label"]]
    return {**encoded, "labels": float(label) if NAMES is None else NAMES.index(str(label))}


def collate(batch):
    labels = torch.tensor([example["labels"] for example in batch])
    return {**tokenizer.pad([{k: v for k, v in example.items() if k != "labels"} for example in batch], return_tensors="pt"), "labels": labels}
`;

/** Metrics of predictions, as the experiment asks for them. */
export const metricsPart = `def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


def ranks(values):
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def f1_of(truth, guess, average):
    if average == "micro":
        return float((truth == guess).mean())
    labels = [1] if average == "binary" else sorted(set(truth.tolist()) | set(guess.tolist()))
    scores = []
    for label in labels:
        hits = int(((truth == label) & (guess == label)).sum())
        scores.append(2 * hits / max(1, int((truth == label).sum()) + int((guess == label).sum())))
    return float(np.mean(scores))


def compute_metrics(prediction):
    guess, truth = prediction.predictions, prediction.label_ids
    if TASK == "causal-lm":
        guess, truth = guess[:, :-1], truth[:, 1:]
        guess, truth = guess[truth != -100], truth[truth != -100]
    values = {
        "accuracy": lambda _: float((guess == truth).mean()),
        "f1": lambda config: f1_of(truth, guess, config["average"]),
        "matthews": lambda _: correlation(truth, guess),
        "pearson": lambda _: correlation(truth, guess),
        "spearman": lambda _: correlation(ranks(truth), ranks(guess)),
    }
    return {name: values[name](config) for name, config in METRICS.items() if name in values}


def predictions(logits, labels):
    """What is kept of the logits: the likeliest class or token, or the number."""
    logits = logits[0] if isinstance(logits, tuple) else logits
    return logits.squeeze(-1) if TASK != "causal-lm" and NAMES is None else logits.argmax(-1)
`;

/** Greedy completions of prompts, compared with those of the data. */
export const exactMatchPart = `def answer_of(text, config):
    if config["answer"] is not None:
        found = list(re.finditer(config["answer"], text))
        if not found:
            return None
        text = (found[-1].group(1) if found[-1].re.groups else found[-1].group()) or ""
    text = text.strip()
    return text.upper().lower() if config["ignore_case"] else text


@torch.no_grad()
def exact_match(examples, config):
    model.eval()
    hits = 0
    for example in examples:
        cut = next(place for place, label in enumerate(example["labels"]) if place > 0 and label != -100)
        ids = torch.tensor([example["input_ids"][:cut]], device=model.device)
        made = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=config["max_new_tokens"], do_sample=False)
        texts = [tokenizer.decode(part, skip_special_tokens=True) for part in (made[0, cut:], example["input_ids"][cut:])]
        given, right = (answer_of(text, config) for text in texts)
        hits += right is not None and given == right
    return hits / len(examples)
`;
