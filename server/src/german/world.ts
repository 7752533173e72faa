/** @file What readers of models, data and adapters say when a file cannot be used, in German. */

export const worldInGerman: Readonly<Record<string, string>> = {
  "There is no such file.": "Eine solche Datei gibt es nicht.",
  "{0} has no rows.": "{0} hat keine Zeilen.",
  "Put at least one example into it.": "Legen Sie mindestens ein Beispiel hinein.",
  "{0} is too large to be read here.": "{0} ist zu groß, um hier gelesen zu werden.",
  "{0} holds no adapter_config.json.": "In {0} liegt kein adapter_config.json.",
  "Name the folder that peft, or a run, wrote.":
    "Nennen Sie den Ordner, den peft oder ein Lauf geschrieben hat.",

  // Targets and weights.
  "target_modules {0} matches none of the model's linear layers.":
    "target_modules {0} trifft keine der linearen Schichten des Modells.",
  "exclude_modules and layers_to_transform leave no target module.":
    "exclude_modules und layers_to_transform lassen kein Zielmodul übrig.",
  "The model has: {0}.": "Das Modell hat: {0}.",
  "Without them these are targets: {0}.": "Ohne sie sind Ziele: {0}.",
  "target_modules names {0}, which matches nothing.":
    "target_modules nennt {0}; das trifft nichts.",
  "target_modules names {0}, which match nothing.": "target_modules nennt {0}; sie treffen nichts.",
  "The weights are not those that config.json describes; {0}.":
    "Die Gewichte sind nicht die, die config.json beschreibt; {0}.",
  "they lack {0}; of other shapes: {1}": "es fehlen {0}; andere Formen haben: {1}",
  "they lack {0}": "es fehlen {0}",
  "of other shapes: {0}": "andere Formen haben: {0}",
  "{0} is {1} and not {2}": "{0} ist {1} und nicht {2}",
  "Take config.json and weights from the same model and revision.":
    "Nehmen Sie config.json und Gewichte vom selben Modell und derselben Revision.",
  "The weights hold what config.json has no use for, and what the run leaves out: {0}.":
    "Die Gewichte enthalten, womit config.json nichts anfängt und was der Lauf weglässt: {0}.",
  "Take config.json and weights from the same model and revision; layers may be missing in config.json.":
    "Nehmen Sie config.json und Gewichte vom selben Modell und derselben Revision; vielleicht fehlen Schichten in config.json.",
  "{0} has no model_type.": "{0} hat kein model_type.",
  "The architecture {0} is not supported for training.":
    "Die Architektur {0} lässt sich hier nicht trainieren.",
  "Supported: {0}.": "Es gehen: {0}.",
  "`task: {0}` does not go with this model: {1} is of the architecture {2}, which serves {3} here.":
    "`task: {0}` geht mit diesem Modell nicht: {1} hat die Architektur {2}, die hier {3} leistet.",
  "Take a model of the architecture {0}, or write `task: {1}`.":
    "Nehmen Sie ein Modell der Architektur {0}, oder schreiben Sie `task: {1}`.",

  "The regular expression {0} cannot be used: {1}.":
    "Der reguläre Ausdruck {0} ist nicht zu gebrauchen: {1}.",
  "The regular expression {0} takes longer than {1} ms.":
    "Der reguläre Ausdruck {0} braucht länger als {1} ms.",
  "Expressions are written as for Python's `re`; in YAML best in 'single quotes'.":
    "Ausdrücke schreibt man wie für `re` von Python; in YAML am besten in 'einfachen Anführungszeichen'.",
  "Repeats within repeats, such as (a+)+, can take forever; write it with a single repeat.":
    "Wiederholungen in Wiederholungen wie (a+)+ können ewig dauern; schreiben Sie es mit einer einzigen.",
  "{0} cannot be used: {1}.": "{0} ist nicht zu gebrauchen: {1}.",

  // Folders of models and the hub's cache.
  "There is no folder {0}, and {1} is not a hub id such as org/name.":
    "Einen Ordner {0} gibt es nicht, und {1} ist keine Hub-Kennung wie org/name.",
  "Write the folder's path, relative to the experiment file, or the model's hub id.":
    "Schreiben Sie den Pfad des Ordners, von der Versuchsdatei aus, oder die Hub-Kennung des Modells.",
  "There is no model {0} on this machine: neither a folder {1} nor an entry in the hub cache {2}.":
    "Ein Modell {0} gibt es auf diesem Rechner nicht: weder einen Ordner {1} noch einen Eintrag im Hub-Zwischenspeicher {2}.",
  "The cache has {0}.": "Im Zwischenspeicher liegt {0}.",
  "Fetch it: `{0}`.": "Holen Sie es: `{0}`.",
  "Write {0}, or fetch it: `{1}`.": "Schreiben Sie {0}, oder holen Sie es: `{1}`.",
  "If it lies in another cache, set HF_HUB_CACHE.":
    "Liegt es in einem anderen Zwischenspeicher, setzen Sie HF_HUB_CACHE.",
  "{0} is not the name of a branch, tag or commit.":
    "{0} ist nicht der Name eines Zweigs, Tags oder Commits.",
  "Write a branch such as main, a tag, or a commit's 40 signs.":
    "Schreiben Sie einen Zweig wie main, einen Tag, oder die 40 Zeichen eines Commits.",
  "The hub cache has {0}, but not its revision {1}: {2} holds {3}.":
    "Der Hub-Zwischenspeicher hat {0}, aber nicht die Revision {1}: In {2} liegen {3}.",
  "Write one of those as `revision`, or fetch it: `{0}`.":
    "Schreiben Sie eine davon als `revision`, oder holen Sie sie: `{0}`.",
  "{0} is the folder {1}, which has no revision {2}.":
    "{0} ist der Ordner {1} und hat keine Revision {2}.",
  "Remove `revision`, or move the folder away if the hub's model is meant.":
    "Streichen Sie `revision`, oder räumen Sie den Ordner weg, wenn das Modell des Hubs gemeint ist.",
  "{0} holds no weights: neither {1} nor {2}.": "In {0} liegen keine Gewichte: weder {1} noch {2}.",
  "Check the path; if the model came from the hub, its download may be incomplete: run it again.":
    "Prüfen Sie den Pfad; kommt das Modell vom Hub, ist es vielleicht unvollständig geladen: Laden Sie es noch einmal.",
  "{0} names {1} files; {2} of them is missing: {3}.":
    "{0} nennt {1} Dateien; {2} davon fehlt: {3}.",
  "{0} names {1} files; {2} of them are missing: {3}.":
    "{0} nennt {1} Dateien; {2} davon fehlen: {3}.",
  "Fetch the missing files; an interrupted download goes on when it is run again.":
    "Holen Sie die fehlenden Dateien; ein unterbrochenes Laden geht weiter, wenn man es noch einmal beginnt.",
  "{0} holds its weights only in PyTorch's pickle format ({1}), which can run code when it is read and is never opened here.":
    "In {0} liegen die Gewichte nur in PyTorchs Pickle-Format ({1}), das beim Lesen Code ausführen kann und hier nie geöffnet wird.",
  "Convert it once to safetensors where you trust it: load it with transformers and call `save_pretrained(folder)`, or take the model's safetensors revision from the hub.":
    "Wandeln Sie es einmal in safetensors um, wo Sie ihm trauen: Laden Sie es mit transformers und rufen Sie `save_pretrained(folder)`, oder nehmen Sie vom Hub die Revision des Modells in safetensors.",
  "{0} is an adapter, not a model: it holds {1} and no {2}.":
    "{0} ist ein Adapter, kein Modell: Darin liegt {1} und kein {2}.",
  "{0} has no {1} and no {2}, but {3}.": "{0} hat kein {1} und kein {2}, aber {3}.",
  "Name the base model here, and the adapter as `method.from`, on the command line as --adapter.":
    "Nennen Sie hier das Grundmodell, und den Adapter als `method.from`, auf der Befehlszeile als --adapter.",
  "Name the one file to read, or rename it to {0}.":
    "Nennen Sie die eine Datei, die zu lesen ist, oder benennen Sie sie in {0} um.",
  "{0} does not exist.": "{0} gibt es nicht.",
  "{0} virtual tokens leave no room for words: the model takes {1} places in all.":
    "{0} virtuelle Token lassen keinen Platz für Wörter: Das Modell nimmt insgesamt {1} Plätze.",
  "Lower num_virtual_tokens.": "Senken Sie num_virtual_tokens.",
  "token_indices names {0}; the model's table of words has rows 0 to {1}.":
    "token_indices nennt {0}; die Worttabelle des Modells hat die Zeilen 0 bis {1}.",
  "Leave it out, or take a model whose table has the token.":
    "Lassen Sie es weg, oder nehmen Sie ein Modell, dessen Tabelle das Token hat.",
  "{0} shares {1} between {2} and {3}, where it would be [{4}] and [{5}].":
    "{0} teilt {1} zwischen {2} und {3}, wo es [{4}] und [{5}] wäre.",
  "Give them one rank, or entries of `method` of their own.":
    "Geben Sie ihnen einen Rang, oder eigene Einträge von `method`.",
  "Check the path.": "Prüfen Sie den Pfad.",
  "Check the path, or fetch the model again.":
    "Prüfen Sie den Pfad, oder holen Sie das Modell noch einmal.",
  "Cannot read {0}: {1}.": "{0} ist nicht zu lesen: {1}.",
  "there is no such file": "eine solche Datei gibt es nicht",
  "permission is denied": "das Recht dazu fehlt",
  "Give yourself the right to read it.": "Geben Sie sich das Recht, sie zu lesen.",
  "{0} is not a file.": "{0} ist keine Datei.",

  // What config.json says.
  "The file is damaged, or of another kind of model: fetch it again.":
    "Die Datei ist beschädigt, oder von einer anderen Art von Modell: Holen Sie sie noch einmal.",
  "Take a model without it; to change the field alone would change what the model computes.":
    "Nehmen Sie ein Modell ohne das; das Feld allein zu ändern würde ändern, was das Modell rechnet.",
  "{0} has no {1}.": "{0} hat kein {1}.",
  "{0} in {1} must be {2}, not {3}.": "{0} in {1} muss {2} sein, nicht {3}.",
  "{0} in {1} is not known here and has no effect.":
    "{0} in {1} ist hier nicht bekannt und hat keine Wirkung.",
  "{0} in {1} is not supported: {2}": "{0} in {1} wird nicht unterstützt: {2}",
  "a positive whole number": "eine positive ganze Zahl",

  // Rows of data.
  "The training data have no examples: none can be set aside.":
    "Die Trainingsdaten haben keine Beispiele: Keines lässt sich beiseitelegen.",
  "The training data have a single example: none can be set aside.":
    "Die Trainingsdaten haben ein einziges Beispiel: Keines lässt sich beiseitelegen.",
  "Give `data.eval` a file of its own, or more training data.":
    "Geben Sie `data.eval` eine eigene Datei, oder mehr Trainingsdaten.",
  "{0} has more letters without a space or sign between them than the tokenizer's expression can take.":
    "{0} hat mehr Buchstaben ohne Leerzeichen oder Satzzeichen dazwischen, als der Ausdruck des Tokenizers aufnimmt.",
  "Break the text into several rows.": "Teilen Sie den Text auf mehrere Zeilen auf.",
  "The example has {0} tokens, more than `max_length` {1}.":
    "Das Beispiel hat {0} Token, mehr als `max_length` {1}.",
  "Raise `data.max_length`, or set `data.too_long` to `truncate` or `drop`.":
    "Erhöhen Sie `data.max_length`, oder setzen Sie `data.too_long` auf `truncate` oder `drop`.",
  "The data file has no rows.": "Die Datendatei hat keine Zeilen.",
  "None of the {0} rows can be used. {1}": "Keine der {0} Zeilen ist zu gebrauchen. {1}",
  "Check the file.": "Prüfen Sie die Datei.",
  "The chat template cannot be read: {0}.": "Die Gesprächsvorlage ist nicht zu lesen: {0}.",
  "Give another one in `data.chat_template`.": "Geben Sie in `data.chat_template` eine andere an.",
  "The chat template refuses the messages: {0}.":
    "Die Gesprächsvorlage weist die Nachrichten zurück: {0}.",
  "Mend the messages, or give another template in `data.chat_template`.":
    "Berichtigen Sie die Nachrichten, oder geben Sie in `data.chat_template` eine andere Vorlage an.",
  "Give one in `data.chat_template`, or use another format.":
    "Geben Sie eine in `data.chat_template` an, oder nehmen Sie eine andere Form.",
  "The model's tokenizer has no chat template, which messages need.":
    "Der Tokenizer des Modells hat keine Gesprächsvorlage, die Nachrichten brauchen.",
  "The data have more than {0} tokens.": "Die Daten haben mehr als {0} Token.",
  "Split the file and train on the parts one after the other.":
    "Teilen Sie die Datei, und trainieren Sie die Teile nacheinander.",
  "Every example has the label `{0}`: there is nothing to tell apart.":
    "Jedes Beispiel hat das Label `{0}`: Es gibt nichts zu unterscheiden.",
  "Check that `data.columns.label` names the right column, or list `data.labels`.":
    "Prüfen Sie, ob `data.columns.label` die richtige Spalte nennt, oder geben Sie `data.labels` an.",
  "Column `{0}` holds {1}, which is no label.": "Spalte `{0}` enthält {1}, und das ist kein Label.",
  "Column `{0}` holds {1}, which is no number.":
    "Spalte `{0}` enthält {1}, und das ist keine Zahl.",
  "Column `{0}` holds {1}, not text.": "Spalte `{0}` enthält {1}, keinen Text.",
  "Column `{0}` holds {1}, not a list of messages.":
    "Spalte `{0}` enthält {1}, keine Liste von Nachrichten.",
  "Take the row out, or name another column in `data.columns`.":
    "Nehmen Sie die Zeile heraus, oder nennen Sie in `data.columns` eine andere Spalte.",
  "There are more than {0} different labels.": "Es gibt mehr als {0} verschiedene Labels.",
  "The label `{0}` is not among the model's: {1}.":
    "Das Label `{0}` ist keines der Labels des Modells: {1}.",
  "Message {0} of `{1}` has no role and content.":
    "Nachricht {0} von `{1}` hat keine Rolle und keinen Inhalt.",
  'Give a list such as [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].':
    'Geben Sie eine Liste an wie [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].',
  "{0} has the columns of no kind of example: it has {1}.":
    "{0} hat die Spalten keiner Art von Beispiel: Es gibt {1}.",
  "{0} has the columns of no kind of example: {1}.":
    "{0} hat die Spalten keiner Art von Beispiel: {1}.",
  "`{0}` without `{1}`; it has {2}": "`{0}` ohne `{1}`; es gibt {2}",
  "{0} has no column `{1}`; it has {2}.": "{0} hat keine Spalte `{1}`; es gibt {2}.",
  "Say in `data.columns` which column is meant.":
    "Sagen Sie in `data.columns`, welche Spalte gemeint ist.",
  "Say in `data.columns` which column is meant (`{0}`?).":
    "Sagen Sie in `data.columns`, welche Spalte gemeint ist (`{0}`?).",
  "An example has `{0}`; or `{1}` and `{2}`; or `{3}`, a list of role and content.":
    "Ein Beispiel hat `{0}`; oder `{1}` und `{2}`; oder `{3}`, eine Liste von Rolle und Inhalt.",
  "`data.columns` says where other columns are meant, such as `columns: { prompt: question, completion: answer }`.":
    "`data.columns` sagt, wo andere Spalten gemeint sind, etwa `columns: { prompt: question, completion: answer }`.",
  "Is `{0}` the `{1}`?": "Ist `{0}` das `{1}`?",
  "The header names the column `{0}` twice.": "Die Kopfzeile nennt die Spalte `{0}` zweimal.",
  "Give each column a name of its own.": "Geben Sie jeder Spalte einen eigenen Namen.",
  "The record has {0} fields, the header {1}.": "Der Datensatz hat {0} Felder, die Kopfzeile {1}.",
  "Give each record as many fields as the header, and put quotes around text with commas or breaks.":
    "Geben Sie jedem Datensatz so viele Felder wie der Kopfzeile, und setzen Sie Text mit Kommas oder Umbrüchen in Anführungszeichen.",
  "The record that begins here {0}.": "Der Datensatz, der hier beginnt, {0}.",
  "opens a quote that nothing closes before the file ends":
    "öffnet ein Anführungszeichen, das bis zum Ende der Datei nichts schließt",
  "has text behind a closing quote, where a comma or the line's end must stand":
    "hat Text hinter einem schließenden Anführungszeichen, wo ein Komma oder das Zeilenende stehen muss",
  "has a quote in the middle of a field that does not begin with one":
    "hat ein Anführungszeichen mitten in einem Feld, das nicht mit einem beginnt",
  "cannot be read": "ist nicht zu lesen",
  "Put quotes around text with commas, quotes or breaks.":
    "Setzen Sie Text mit Kommas, Anführungszeichen oder Umbrüchen in Anführungszeichen.",
  "The line is no JSON.": "Die Zeile ist kein JSON.",
  "The line is no JSON: {0}.": "Die Zeile ist kein JSON: {0}.",
  "The file looks like one JSON list: write its elements as one object on each line.":
    "Die Datei sieht nach einer einzigen JSON-Liste aus: Schreiben Sie jedes Element als Objekt in eine eigene Zeile.",
  "Write one JSON object on each line.": "Schreiben Sie ein JSON-Objekt in jede Zeile.",
  'Write one JSON object on each line, such as {"text": "…"}.':
    'Schreiben Sie ein JSON-Objekt in jede Zeile, etwa {"text": "…"}.',
  "The line holds {0}, not an object.": "In der Zeile steht {0}, kein Objekt.",
  "The line is longer than {0} MiB.": "Die Zeile ist länger als {0} MiB.",
  "Write one example on each line.": "Schreiben Sie ein Beispiel in jede Zeile.",
  "There is no data file {0}.": "Eine Datendatei {0} gibt es nicht.",
  "The data file cannot be read: {0}.": "Die Datendatei ist nicht zu lesen: {0}.",
  "it is no file": "es ist keine Datei",
  "The file is {0}.": "Die Datei ist {0}.",
  "The line is {0}.": "Die Zeile ist {0}.",
  "The Parquet file cannot be read here: {0}.": "Die Parquet-Datei ist hier nicht zu lesen: {0}.",
  "Copy it again, or write it again.": "Kopieren oder schreiben Sie sie noch einmal.",
  "Write it again with pandas or pyarrow, as they do by default.":
    "Schreiben Sie sie noch einmal mit pandas oder pyarrow, mit deren Vorgaben.",
  "the file is cut short": "die Datei ist abgeschnitten",
  "it has fewer rows than it says": "sie hat weniger Zeilen, als sie angibt",
  "The file is empty.": "Die Datei ist leer.",
  "Write it again.": "Schreiben Sie sie noch einmal.",
  "The file is no Parquet file: it does not begin with the letters {0}.":
    "Die Datei ist keine Parquet-Datei: Sie beginnt nicht mit den Buchstaben {0}.",
  "Check that it is the file that is meant; a data file's name ends in its kind: .jsonl, .csv, .parquet or .txt.":
    "Prüfen Sie, ob es die gemeinte Datei ist; der Name einer Datendatei endet mit ihrer Art: .jsonl, .csv, .parquet oder .txt.",
  "The Parquet file does not end with the letters {0}: it is cut short.":
    "Die Parquet-Datei endet nicht mit den Buchstaben {0}: Sie ist abgeschnitten.",
  "The Parquet file is damaged: what it says of its columns and what it holds do not agree.":
    "Die Parquet-Datei ist beschädigt: Was sie über ihre Spalten sagt und was sie enthält, passt nicht zusammen.",
  "Mend the row or leave it out; `data.columns.label` names the column, `data.labels` the labels.":
    "Berichtigen Sie die Zeile, oder lassen Sie sie weg; `data.columns.label` nennt die Spalte, `data.labels` die Labels.",
  "Put {% generation %} and {% endgeneration %} around the assistant's words in the template, or set `loss_on: all`.":
    "Setzen Sie in der Vorlage {% generation %} und {% endgeneration %} um die Worte des Assistenten, oder setzen Sie `loss_on: all`.",
  "The chat template does not tell what the assistant says: it has no generation tags, and it renders message {0} differently once others follow.":
    "Die Gesprächsvorlage zeigt nicht, was der Assistent sagt: Sie hat keine generation-Tags, und Nachricht {0} sieht anders aus, sobald weitere folgen.",
  "The chat template does not tell what the assistant says: it has no generation tags, and it renders the opening of message {0} differently from how it prompts for it.":
    "Die Gesprächsvorlage zeigt nicht, was der Assistent sagt: Sie hat keine generation-Tags, und der Beginn von Nachricht {0} sieht anders aus als die Aufforderung dazu.",
  "The template has a brace that opens or closes nothing: `{0}`.":
    "Die Vorlage hat eine Klammer, die nichts öffnet oder schließt: `{0}`.",
  'Close the quote; a quote within quotes is written twice: "say ""hello""".':
    'Schließen Sie das Anführungszeichen; innen schreibt man es doppelt: "say ""hello""".',
  'A quote within quotes is written twice: "say ""hello""".':
    'Ein Anführungszeichen innerhalb von Anführungszeichen schreibt man doppelt: "say ""hello""".',
  'Put the whole field into quotes and write those within it twice: "5"" pipe".':
    'Setzen Sie das ganze Feld in Anführungszeichen, und schreiben Sie die darin doppelt: "5"" pipe".',
  "{0} has one column, `{1}`: the file's columns seem to stand apart by {2}, not by commas.":
    "{0} hat nur eine Spalte, `{1}`: Die Spalten der Datei scheinen durch {2} getrennt, nicht durch Kommas.",
  semicolons: "Semikolons",
  tabs: "Tabulatoren",
  "vertical bars": "senkrechte Striche",
  "Write the file with commas; with pandas: `{0}`.":
    "Schreiben Sie die Datei mit Kommas; mit pandas: `{0}`.",
  "no text": "kein Text",
  "no text: the byte {0} is none of UTF-8": "kein Text: das Byte {0} ist keines von UTF-8",
  "not UTF-8, but {0} as it seems: the byte {1} is none of UTF-8":
    "nicht UTF-8, sondern anscheinend {0}: Das Byte {1} ist keines von UTF-8",
  "{0}, not UTF-8": "{0}, nicht UTF-8",
  "Check that it is the file that is meant.": "Prüfen Sie, ob es die gemeinte Datei ist.",
  "Save it as UTF-8, or convert it: `{0}`.":
    "Speichern Sie sie als UTF-8, oder wandeln Sie sie um: `{0}`.",
  "Row {0}": "Zeile {0}",
  "The row": "Die Zeile",

  // Tokenizers.
  "The model's folder has no tokenizer.json.": "Im Ordner des Modells liegt kein tokenizer.json.",
  "Copy tokenizer.json and tokenizer_config.json into it from where the model came from.":
    "Kopieren Sie tokenizer.json und tokenizer_config.json von dort hinein, woher das Modell kommt.",
  "It has the older {0}: load the tokenizer with transformers and save it again, which writes tokenizer.json.":
    "Er hat das ältere {0}: Laden Sie den Tokenizer mit transformers, und speichern Sie ihn wieder; das schreibt tokenizer.json.",
  "Take the file again from where the model came from.":
    "Holen Sie die Datei noch einmal von dort, woher das Modell kommt.",
};
