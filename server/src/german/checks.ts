/** @file What the checks say, in German: the English text is the key, `{0}` stands for its first part that varies. */

export const checksInGerman: Readonly<Record<string, string>> = {
  // The experiment by itself: `src/shared/experiment/checks`.
  "Only attention is adapted; the feed-forward layers learn nothing.":
    "Nur die Attention wird angepasst; die Feed-Forward-Schichten lernen nichts.",
  "`target_modules: all-linear` adapts both; a smaller rank keeps the size.":
    "`target_modules: all-linear` passt beide an; ein kleinerer Rang hält die Größe.",
  "Nothing chooses a best checkpoint: there is no `data.eval`.":
    "Nichts wählt einen besten Zwischenstand aus: Es gibt kein `data.eval`.",
  "Add `data.eval`, or remove `best`.": "Geben Sie `data.eval` an, oder streichen Sie `best`.",
  "`{0}` is measured once, at the end; test data choose nothing.":
    "`{0}` wird einmal gemessen, am Ende; Testdaten wählen nichts aus.",
  "Use a metric of `data.eval`: {0}.": "Nehmen Sie einen Messwert von `data.eval`: {0}.",
  "The arithmetic is float32 here, not {0}.": "Gerechnet wird hier in float32, nicht in {0}.",
  "Leave it at `auto`.": "Lassen Sie es bei `auto`.",
  "A data file of the kind `{0}` is not known.":
    "Eine Datei der Art `{0}` ist als Daten nicht bekannt.",
  "A data file of the kind `no extension` is not known.":
    "Eine Datei ohne Endung ist als Daten nicht bekannt.",
  "Write one object on each line and name the file .jsonl.":
    "Schreiben Sie ein Objekt in jede Zeile, und nennen Sie die Datei .jsonl.",
  "Use .jsonl, .csv, .parquet or .txt.": "Nehmen Sie .jsonl, .csv, .parquet oder .txt.",
  "The test data are those that choose checkpoints: their score is no longer one of new examples.":
    "Die Testdaten sind dieselben, die Zwischenstände auswählen: Ihr Ergebnis gilt nicht mehr für neue Beispiele.",
  "`data.{0}` is the same file as `{1}`: its scores say nothing about new examples.":
    "`data.{0}` ist dieselbe Datei wie `{1}`: Ergebnisse darauf sagen nichts über neue Beispiele.",
  "Set a part of the training data aside: `eval: { from: train, share: 0.05 }`.":
    "Legen Sie einen Teil der Trainingsdaten beiseite: `eval: { from: train, share: 0.05 }`.",
  "Use examples that the model has not been chosen or trained by.":
    "Nehmen Sie Beispiele, an denen das Modell weder ausgewählt noch trainiert wurde.",
  "Early stopping has nothing to watch: the run is measured at its end only.":
    "Das frühe Anhalten hat nichts, worauf es achten kann: Der Lauf wird nur am Ende gemessen.",
  "Measure during the run, such as `every: 50 steps`.":
    "Messen Sie während des Laufs, etwa mit `every: 50 steps`.",
  "Early stopping needs measurements, and there is no `data.eval`.":
    "Das frühe Anhalten braucht Messungen, und es gibt kein `data.eval`.",
  "Add `data.eval`, such as `{ from: train, share: 0.05 }`, or remove `early_stop`.":
    "Geben Sie `data.eval` an, etwa `{ from: train, share: 0.05 }`, oder streichen Sie `early_stop`.",
  "`max_steps` decides how long the run is; `num_train_epochs` has no effect.":
    "`max_steps` bestimmt, wie lang der Lauf ist; `num_train_epochs` hat keine Wirkung.",
  "Keep one of them.": "Behalten Sie eines von beiden.",
  "Nothing is measured: there is no `data.eval`.":
    "Nichts wird gemessen: Es gibt kein `data.eval`.",
  "Add `data.eval`, or remove `every`.": "Geben Sie `data.eval` an, oder streichen Sie `every`.",
  "`exact_match` needs completions, and these examples are plain text.":
    "`exact_match` braucht Antworten, und diese Beispiele sind einfacher Text.",
  "Use `format: prompt-completion` or `messages`.":
    "Nehmen Sie `format: prompt-completion` oder `messages`.",
  "`final` is measured on `data.test`, which is not given.":
    "`final` wird an `data.test` gemessen, das nicht angegeben ist.",
  "Add `data.test`, or move the metrics to `eval.metrics`.":
    "Geben Sie `data.test` an, oder setzen Sie die Messwerte unter `eval.metrics`.",
  "`forgetting` has no meaning here: a classifier has no loss on text.":
    "`forgetting` hat hier keine Bedeutung: Ein Klassifikator hat keinen Verlust auf Text.",
  "`{0}` examples do not fit `{1}`.": "Beispiele der Form `{0}` passen nicht zu `{1}`.",
  "Use labelled, or `task: causal-lm`.": "Nehmen Sie labelled, oder `task: causal-lm`.",
  "Use text, prompt-completion or messages, or `task: sequence-classification`.":
    "Nehmen Sie text, prompt-completion oder messages, oder `task: sequence-classification`.",
  "The label `{0}` is listed twice.": "Das Label `{0}` steht zweimal in der Liste.",
  "`labels` has no effect: {0}.": "`labels` hat keine Wirkung: {0}.",
  "`{0}` predicts tokens": "`{0}` sagt Token voraus",
  "regression predicts a number": "eine Regression sagt eine Zahl voraus",
  "Remove it, or set `task: sequence-classification`.":
    "Streichen Sie es, oder setzen Sie `task: sequence-classification`.",
  "The learning rate {0} is far above what `{1}` is trained with.":
    "Die Lernrate {0} liegt weit über der, mit der `{1}` trainiert wird.",
  "The learning rate {0} is far below what `{1}` is trained with.":
    "Die Lernrate {0} liegt weit unter der, mit der `{1}` trainiert wird.",
  "Usual are {0}.": "Üblich ist {0}.",
  "1.0e-5 to 5.0e-5": "1.0e-5 bis 5.0e-5",
  "1.0e-4 to 5.0e-4": "1.0e-4 bis 5.0e-4",
  "`loss_on: {0}` needs examples in the format `{1}`, and these are `{2}`.":
    "`loss_on: {0}` braucht Beispiele der Form `{1}`, und diese sind `{2}`.",
  "`loss_on: {0}` has no meaning for `{1}`.": "`loss_on: {0}` hat für `{1}` keine Bedeutung.",
  "Use `format: {0}` or `loss_on: all`.": "Nehmen Sie `format: {0}` oder `loss_on: all`.",
  "Remove `loss_on`.": "Streichen Sie `loss_on`.",
  "`{0}` has no meaning for `{1}`.": "`{0}` hat für `{1}` keine Bedeutung.",
  "Use loss, perplexity, accuracy or exact_match.":
    "Nehmen Sie loss, perplexity, accuracy oder exact_match.",
  "Use loss, accuracy, f1, matthews, pearson or spearman.":
    "Nehmen Sie loss, accuracy, f1, matthews, pearson oder spearman.",
  "`{0}` is not measured.": "`{0}` wird nicht gemessen.",
  "Add `{0}` to `eval.metrics`.": "Setzen Sie `{0}` unter `eval.metrics`.",
  "There is no metric `{0}`.": "Einen Messwert `{0}` gibt es nicht.",
  "There is {0}.": "Es gibt {0}.",
  "`micro_batch_size` is {0}, more than the {1} examples of a step.":
    "`micro_batch_size` ist {0}, mehr als die {1} Beispiele eines Schritts.",
  "{0} examples of a step do not divide into batches of {1}.":
    "{0} Beispiele eines Schritts lassen sich nicht in Batches von {1} teilen.",
  "Use at most {0}, or a larger `batch_size`.":
    "Nehmen Sie höchstens {0}, oder ein größeres `batch_size`.",
  "Use a divisor of {0}, or `auto`.": "Nehmen Sie einen Teiler von {0}, oder `auto`.",
  "`{0}` is better the lower it is; `mode: {1}` keeps the worst.":
    "`{0}` ist umso besser, je kleiner es ist; `mode: {1}` behält das Schlechteste.",
  "`{0}` is better the higher it is; `mode: {1}` keeps the worst.":
    "`{0}` ist umso besser, je größer es ist; `mode: {1}` behält das Schlechteste.",
  "Write `{0}`, or leave it out.": "Schreiben Sie `{0}`, oder lassen Sie es weg.",
  "PyYAML reads `{0}` as a text.": "PyYAML liest `{0}` als Text.",
  "PyYAML reads `{0}` as {1}.": "PyYAML liest `{0}` als {1}.",
  "Packing joins examples into one row, and a classifier gives one label to a row.":
    "Packing fügt Beispiele zu einer Zeile zusammen, und ein Klassifikator gibt jeder Zeile ein Label.",
  "Remove `packing`.": "Streichen Sie `packing`.",
  "`{0}` changes the model's own weights, and quantized ones cannot be changed.":
    "`{0}` ändert die Gewichte des Modells selbst, und quantisierte lassen sich nicht ändern.",
  "Remove `quantization`, or use an adapter such as lora.":
    "Streichen Sie `quantization`, oder nehmen Sie einen Adapter wie lora.",
  "`{0}` is a folder, which has no revision.": "`{0}` ist ein Ordner und hat keine Revision.",
  "Remove `revision`.": "Streichen Sie `revision`.",
  "`{0}` trains whole, by `modules_to_save`, and is not adapted.":
    "`{0}` wird durch `modules_to_save` im Ganzen trainiert und nicht angepasst.",
  "Name it in one of the two.": "Nennen Sie es nur in einem von beiden.",
  "The scale {0} is {1}.": "Die Skala {0} ist {1}.",
  "Usual are `alpha: r` and `alpha: 2r`.": "Üblich sind `alpha: r` und `alpha: 2r`.",
  "The points differ in the scale α/r too: `alpha` is {0} at every rank.":
    "Die Punkte unterscheiden sich auch in der Skala α/r: `alpha` ist {0} bei jedem Rang.",
  "Write `alpha: {0}`, or sweep `method.alpha` with it.":
    "Schreiben Sie `alpha: {0}`, oder ändern Sie `method.alpha` in der Reihe mit.",
  "All values of `{0}` are compared at one learning rate.":
    "Alle Werte von `{0}` werden bei einer einzigen Lernrate verglichen.",
  "Tune it for each: `tune: { train.learning_rate: { times: [0.33, 1, 3] } }`.":
    "Stimmen Sie sie für jeden ab: `tune: { train.learning_rate: { times: [0.33, 1, 3] } }`.",
  "Each point runs with one seed: a report would call luck a difference.":
    "Jeder Punkt läuft mit nur einem Startwert: Ein Bericht würde Glück einen Unterschied nennen.",
  "Give `seeds: [0, 1, 2]` or more.": "Geben Sie `seeds: [0, 1, 2]` oder mehr an.",
  "The seed is swept as a field: its runs would be points of their own.":
    "Der Startwert steht als Feld in der Reihe: Seine Läufe wären eigene Punkte.",
  "Use `sweep.seeds`.": "Nehmen Sie `sweep.seeds`.",
  "`{0}` gives the points unequal budgets, and other fields vary beside it.":
    "`{0}` gibt den Punkten ungleich viel Aufwand, und andere Felder ändern sich daneben.",
  "Compare at one budget: `sweep.match: { tokens: equal }` refuses anything else.":
    "Vergleichen Sie bei gleichem Aufwand: `sweep.match: { tokens: equal }` weist alles andere zurück.",
  "The sweep has one run only.": "Die Reihe hat nur einen Lauf.",
  "Add a `grid`, such as `{ method.r: [4, 16] }`, or `seeds`.":
    "Geben Sie ein `grid` an, etwa `{ method.r: [4, 16] }`, oder `seeds`.",
  "The template has a brace that opens or closes nothing.":
    "Die Vorlage hat eine Klammer, die nichts öffnet oder schließt.",
  "Write {column} for a column, and {{ or }} for a brace.":
    "Schreiben Sie {column} für eine Spalte, und {{ oder }} für eine Klammer.",
  "The template names no column: every example would have the same prompt.":
    "Die Vorlage nennt keine Spalte: Jedes Beispiel hätte denselben Anfang.",
  "Write {prompt} where the column is to stand.":
    "Schreiben Sie {prompt} dorthin, wo die Spalte stehen soll.",
  "The chat template is no Jinja template: it has no place for the messages.":
    "Die Gesprächsvorlage ist keine Jinja-Vorlage: Sie hat keinen Platz für die Nachrichten.",
  "Write `tokenizer` for the tokenizer's own.":
    "Schreiben Sie `tokenizer` für die Vorlage des Tokenizers.",
  "`{0}` examples are not put into a template.":
    "Beispiele der Form `{0}` kommen in keine Vorlage.",
  "Use `chat_template`.": "Nehmen Sie `chat_template`.",
  "Use `format: prompt-completion`.": "Nehmen Sie `format: prompt-completion`.",
  "Seed {0} both tunes and reports; a result would be chosen by its own luck.":
    "Startwert {0} stimmt ab und wird auch berichtet; ein Ergebnis wäre nach seinem eigenen Glück gewählt.",
  "Use a seed that is not one of `seeds`.":
    "Nehmen Sie einen Startwert, der nicht unter `seeds` steht.",
  "`{0}` needs either `times` or `values`.": "`{0}` braucht entweder `times` oder `values`.",
  "Write `{ times: [0.3, 1, 3] }` or `{ values: [1.0e-4, 3.0e-4] }`.":
    "Schreiben Sie `{ times: [0.3, 1, 3] }` oder `{ values: [1.0e-4, 3.0e-4] }`.",
  "`template` and `chat_template` both say how a prompt is written.":
    "`template` und `chat_template` sagen beide, wie ein Anfang geschrieben wird.",
  "The file does not say its version; it is read as version {0}.":
    "Die Datei sagt nicht, welche Version sie hat; sie wird als Version {0} gelesen.",
  "Version {0} of the format is not known; this reads version {1}.":
    "Version {0} des Formats ist nicht bekannt; gelesen wird hier Version {1}.",
  "A newer Spectune may have written the file.":
    "Vielleicht hat ein neueres Spectune die Datei geschrieben.",
  "The learning rate would still rise at the end: {0} of {1} steps.":
    "Die Lernrate würde am Ende noch steigen: {0} von {1} Schritten.",
  "Use a share such as 0.06.": "Nehmen Sie einen Anteil wie 0.06.",
  "`warmup_steps` is {0}, neither a number of steps nor a share below 1.":
    "`warmup_steps` ist {0}, weder eine Zahl von Schritten noch ein Anteil unter 1.",
  "Use {0}, or a share such as 0.06.": "Nehmen Sie {0}, oder einen Anteil wie 0.06.",

  // Against the model, the data, adapters and the machine: `server/src/checks`.
  "Name the folder that holds adapter_config.json.":
    "Nennen Sie den Ordner, in dem adapter_config.json liegt.",
  "The adapter in `{0}` has rank {1}, and `r` is {2}.":
    "Der Adapter in `{0}` hat Rang {1}, und `r` ist {2}.",
  "`batch_size` is {0}, and the training data have {1} examples.":
    "`batch_size` ist {0}, und die Trainingsdaten haben {1} Beispiele.",
  "Use a smaller batch, or more data.": "Nehmen Sie einen kleineren Batch, oder mehr Daten.",
  "The model's tokenizer has no chat template.":
    "Der Tokenizer des Modells hat keine Gesprächsvorlage.",
  "The training data have no column `{0}`; they have {1}.":
    "Die Trainingsdaten haben keine Spalte `{0}`; sie haben {1}.",
  "Say in `data.columns` which column is the prompt.":
    "Sagen Sie in `data.columns`, welche Spalte der Anfang ist.",
  "Say in `data.columns` which column is the completion.":
    "Sagen Sie in `data.columns`, welche Spalte die Antwort ist.",
  "Say in `data.columns` which column is the text.":
    "Sagen Sie in `data.columns`, welche Spalte der Text ist.",
  "Say in `data.columns` which column is the text pair.":
    "Sagen Sie in `data.columns`, welche Spalte der zweite Text ist.",
  "Say in `data.columns` which column is the label.":
    "Sagen Sie in `data.columns`, welche Spalte das Label ist.",
  "Say in `data.columns` which column is the messages.":
    "Sagen Sie in `data.columns`, welche Spalte die Nachrichten sind.",
  "Say in `data.columns` which column is the {0}.":
    "Sagen Sie in `data.columns`, welche Spalte gemeint ist ({0}).",
  "There is no file `{0}`.": "Eine Datei `{0}` gibt es nicht.",
  "Check the path, and that the file may be read.":
    "Prüfen Sie den Pfad, und ob die Datei gelesen werden darf.",
  "Check the path; it is relative to the experiment file.":
    "Prüfen Sie den Pfad; er gilt von der Versuchsdatei aus.",
  "{0} before the end: the run has {1}.": "{0} vor dem Ende: Der Lauf hat {1}.",
  "Nothing is measured": "Nichts wird gemessen",
  "No checkpoint is written": "Kein Zwischenstand wird geschrieben",
  "No spectrum is computed": "Kein Spektrum wird berechnet",
  "No intruders are counted": "Keine Eindringlinge werden gezählt",
  "Write `end`, or a shorter interval.": "Schreiben Sie `end`, oder einen kürzeren Abstand.",
  "{0} % of the examples are longer than {1} tokens and {2}.":
    "{0} % der Beispiele sind länger als {1} Token und werden {2}.",
  "{0} % of the examples are longer than {1} tokens, which is all that the model reads, and {2}.":
    "{0} % der Beispiele sind länger als {1} Token, mehr liest das Modell nicht, und werden {2}.",
  "left out": "ausgelassen",
  cut: "gekürzt",
  "Shorten them, or see in `spectune plan` what is lost.":
    "Kürzen Sie sie, oder sehen Sie mit `spectune plan`, was verloren geht.",
  "Raise `max_length`, or see in `spectune plan` what is lost.":
    "Erhöhen Sie `max_length`, oder sehen Sie mit `spectune plan`, was verloren geht.",
  "`{0}` matches nothing, so that nothing is excluded.":
    "`{0}` trifft nichts, so dass nichts ausgenommen wird.",
  "Only {0} examples would choose checkpoints.":
    "Nur {0} Beispiele würden Zwischenstände auswählen.",
  "Only {0} example would choose checkpoints.": "Nur {0} Beispiel würde Zwischenstände auswählen.",
  "Set more aside; a few hundred give a steady score.":
    "Legen Sie mehr beiseite; einige hundert geben ein verlässliches Ergebnis.",
  "The whole run has {0} of {1}.": "Der ganze Lauf hat {0}, jeder davon {1}.",
  "Use a smaller `batch_size`, or more epochs.":
    "Nehmen Sie ein kleineres `batch_size`, oder mehr Epochen.",
  "No training example has the label `{0}`.": "Kein Trainingsbeispiel hat das Label `{0}`.",
  "The data have {0}.": "In den Daten gibt es {0}.",
  "The training data have a label that is not listed: {0}.":
    "In den Trainingsdaten steht ein Label, das in der Liste fehlt: {0}.",
  "The training data have labels that are not listed: {0}.":
    "In den Trainingsdaten stehen Labels, die in der Liste fehlen: {0}.",
  "Add them, or take the rows out.": "Nehmen Sie sie auf, oder die Zeilen heraus.",
  "The model has no layer {0}: its {1} layers are 0 to {2}.":
    "Das Modell hat keine Schicht {0}: Seine {1} Schichten sind 0 bis {2}.",
  "The model reads at most {0} tokens, and `max_length` is {1}.":
    "Das Modell liest höchstens {0} Token, und `max_length` ist {1}.",
  "The model reads at most {0} tokens, and `max_length` is {1}: the run would refuse it.":
    "Das Modell liest höchstens {0} Token, und `max_length` ist {1}: Der Lauf würde es zurückweisen.",
  "Set it to at most {0}.": "Setzen Sie es auf höchstens {0}.",
  "The run takes about {0} of memory; this machine has {1}.":
    "Der Lauf braucht etwa {0} Speicher; dieser Rechner hat {1}.",
  "Use a smaller model, shorter examples, or another machine.":
    "Nehmen Sie ein kleineres Modell, kürzere Beispiele oder einen anderen Rechner.",
  "It would fit with {0}.": "Es würde passen mit {0}.",
  "{0}, or with {1}": "{0}, oder mit {1}",
  "The model has no module `{0}`.": "Das Modell hat kein Modul `{0}`.",
  "`{0}` is a regular expression here, and matches no module's whole path.":
    "`{0}` ist hier ein regulärer Ausdruck und trifft den ganzen Pfad keines Moduls.",
  "The model has {0}.": "Das Modell hat {0}.",
  "A name stands in a list: `[{0}]`.": "Ein Name steht in einer Liste: `[{0}]`.",
  "The run is measured {0}, and `patience` is {1}: it cannot stop early.":
    "Der Lauf wird {0} gemessen, und `patience` ist {1}: Er kann nicht früh anhalten.",
  "Measure more often, or be less patient.": "Messen Sie öfter, oder verlangen Sie weniger Geduld.",
  "`{0}` matches no adapted module.": "`{0}` trifft kein angepasstes Modul.",
  "At most {0} has an effect there.": "Höchstens {0} wirkt dort.",
  "At most {0} there; rank_pattern sets it for these layers alone.":
    "Dort höchstens {0}; rank_pattern setzt es für diese Schichten allein.",
  "The rank is above the smaller dimension of {0}, such as `{1}` ({2} × {3}).":
    "Der Rang liegt über der kleineren Seite: {0}, etwa `{1}` ({2} × {3}).",
  "The rank is above what a decomposition gives at {0}, such as `{1}` ({2} × {3}).":
    "Der Rang liegt über dem, was eine Zerlegung hergibt: {0}, etwa `{1}` ({2} × {3}).",
  "Every training example has the label `{0}`.": "Jedes Trainingsbeispiel hat das Label `{0}`.",
  "Check `data.columns.label`.": "Prüfen Sie `data.columns.label`.",
  "`{0}` matches nothing.": "`{0}` trifft nichts.",
  "The data have no column `{0}`; they have {1}.":
    "Die Daten haben keine Spalte `{0}`; sie haben {1}.",
  "{0} is adapted by an entry before, such as `{1}`.":
    "{0} wird schon von einem Eintrag davor angepasst, etwa `{1}`.",
  "{0} are adapted by an entry before, such as `{1}`.":
    "{0} werden schon von einem Eintrag davor angepasst, etwa `{1}`.",
  "Give the entries target_modules that do not overlap.":
    "Geben Sie den Einträgen target_modules, die sich nicht überschneiden.",
  "The learning rate rises for {0} of {1}.": "Die Lernrate steigt {0} lang, von insgesamt {1}.",

  // Pairs that exclude one another: `src/engine/catalog-pairs.ts`.
  "{0} cannot be together: {1}.": "{0} gehen nicht zusammen: {1}.",
  "the one changes the model's own weights, and quantized ones cannot be changed":
    "das eine ändert die Gewichte des Modells selbst, und quantisierte lassen sich nicht ändern",
  "the one reads calibration data, the other has none":
    "das eine liest Daten zum Kalibrieren, das andere hat keine",
  "the one changes its tensors on the processor between steps, the other keeps them elsewhere":
    "das eine ändert seine Tensoren zwischen den Schritten auf dem Prozessor, das andere hält sie anderswo",
  "Set `run.device` to cpu.": "Setzen Sie `run.device` auf cpu.",
  "the one works on the processor, the other keeps what trains elsewhere":
    "das eine arbeitet auf dem Prozessor, das andere hält anderswo, was trainiert",
  "Set `run.device` to cpu, or choose adamw.":
    "Setzen Sie `run.device` auf cpu, oder wählen Sie adamw.",
  "what the one trains is no low-rank update of weights alone":
    "was das eine trainiert, ist nicht allein eine Änderung von Gewichten mit kleinem Rang",
  "Leave `lora` out of `export`.": "Lassen Sie `lora` in `export` weg.",
  "quantization: {0} reads calibration data, which takes more than reading a model.":
    "quantization: {0} liest Daten zum Kalibrieren, und das ist mehr, als ein Modell zu lesen.",
  "Make a folder of it with `{0}`, and give that as the model.":
    "Machen Sie daraus mit `{0}` einen Ordner, und geben Sie ihn als Modell an.",
  "Choose another for one of them.": "Wählen Sie für eines von beiden etwas anderes.",
  "the one acts between the gradients of a whole step and its update, the other never has them together":
    "das eine wirkt zwischen den Gradienten eines ganzen Schritts und seiner Änderung, das andere hat sie nie beisammen",
  "the one compares all modules at each step, the other lets most rest":
    "das eine vergleicht in jedem Schritt alle Module, das andere lässt die meisten ruhen",
  "the one stands before the words of every example, the other puts several into one row":
    "das eine steht vor den Wörtern jedes Beispiels, das andere legt mehrere in eine Zeile",
  "no gradient reaches the other where none runs through the model":
    "das andere erreicht kein Gradient, wo keiner durch das Modell läuft",
  "what the one trains stands in no weight of the model":
    "was das eine trainiert, steht in keinem Gewicht des Modells",
  "the one corrects the gradients of the two factors of a pair, which the other does not train together":
    "das eine berichtigt die Gradienten der zwei Faktoren eines Paars, die das andere nicht zusammen trainiert",
  "the one corrects the gradients of both factors of each pair, of which the other gives several modules one":
    "das eine berichtigt die Gradienten beider Faktoren jedes Paars, von denen das andere einen an mehrere Module gibt",
  "the one uses up gradients in the backward pass, the other needs those of several passes added up":
    "das eine verbraucht Gradienten im Rückwärtslauf, das andere braucht die Summe mehrerer Läufe",
  "Make train.batch_size and train.micro_batch_size equal, or choose an optimizer that keeps gradients, such as sgd.":
    "Machen Sie train.batch_size und train.micro_batch_size gleich, oder wählen Sie einen Optimierer, der Gradienten behält, wie sgd.",
  "the one starts a core between the two factors, which the other does not have":
    "das eine setzt den Anfang eines Kerns zwischen den zwei Faktoren, den das andere nicht hat",
  "Use `type: lora_xs`, or leave `init` out.":
    "Nehmen Sie `type: lora_xs`, oder lassen Sie `init` weg.",
  "both say how the tensors start": "beide sagen, womit die Tensoren beginnen",
  "Leave one of them out.": "Lassen Sie eines von beiden weg.",
};
