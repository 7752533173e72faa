/** @file What reading a file says, in German: its YAML, fields, types, foreign names, expressions and sweeps. */

export const readingInGerman: Readonly<Record<string, string>> = {
  // Names of peft, TRL, axolotl and LLaMA-Factory.
  "`{0}` is called `{1}` here.": "`{0}` heißt hier `{1}`.",
  "`{0}` says again what `{1}` says; the latter counts.":
    "`{0}` sagt noch einmal, was `{1}` sagt; das zweite gilt.",
  "Remove one of them.": "Streichen Sie eines von beiden.",
  "`{0}` {1}": "`{0}` {1}",
  "`{0}` is how it is here anyway.": "`{0}` gilt hier ohnehin.",
  "`{0}` is written {1} here.": "`{0}` schreibt man hier {1}.",
  "Remove it.": "Streichen Sie es.",
  "has no place here: each run has its own folder under `.spectune/runs`.":
    "hat hier keinen Platz: Jeder Lauf hat einen eigenen Ordner unter `.spectune/runs`.",
  "has no place here: every step is recorded.":
    "hat hier keinen Platz: Jeder Schritt wird aufgezeichnet.",
  "has no place here: it is told from the model.":
    "hat hier keinen Platz: Es geht aus dem Modell hervor.",
  "has no place here: how the arithmetic is done is the engine's choice.":
    "hat hier keinen Platz: Wie gerechnet wird, entscheidet das Rechenwerk.",
  "has no place here: data are read and batched by one reader.":
    "hat hier keinen Platz: Ein einziger Leser liest die Daten und stellt sie zusammen.",
  "has no place here: `spectune run` trains, and measures where `data` has something to measure on.":
    "hat hier keinen Platz: `spectune run` trainiert, und misst, wo `data` etwas zum Messen hat.",
  "has no place here: no code of a model is run, and nothing is fetched or sent.":
    "hat hier keinen Platz: Kein Code eines Modells wird ausgeführt, und nichts wird geholt oder gesendet.",
  "has no place here: an adapter that is trained is always stored for use.":
    "hat hier keinen Platz: Ein trainierter Adapter wird immer zum Gebrauch gespeichert.",
  "has no place here: the best checkpoint is always kept.":
    "hat hier keinen Platz: Der beste Zwischenstand bleibt immer.",
  "has no place here: `spectune run --resume RUN` goes on with a run.":
    "hat hier keinen Platz: `spectune run --resume RUN` setzt einen Lauf fort.",
  "has no place here: it only describes the file or another field.":
    "hat hier keinen Platz: Es beschreibt nur die Datei oder ein anderes Feld.",
  "has no counterpart: a run uses one device.":
    "hat keine Entsprechung: Ein Lauf benutzt ein Gerät.",
  "names an entry of a registry; here `data.train` is a file.":
    "nennt den Eintrag eines Verzeichnisses; hier ist `data.train` eine Datei.",
  "has no counterpart: every row of the file is used. Make a smaller file.":
    "hat keine Entsprechung: Jede Zeile der Datei wird benutzt. Machen Sie eine kleinere Datei.",
  "has no counterpart: the special tokens are those of the tokenizer's own files.":
    "hat keine Entsprechung: Die besonderen Token sind die der Dateien des Tokenizers.",
  "has no counterpart: the loss is the plain cross-entropy.":
    "hat keine Entsprechung: Der Verlust ist die einfache Kreuzentropie.",
  "is said by `train.optimizer` here: `lora_plus` or `galore`, with fields of their own.":
    "sagt hier `train.optimizer`: `lora_plus` oder `galore`, mit eigenen Feldern.",
  "is said by `train.active_layers` here: `lisa`, with fields of its own.":
    "sagt hier `train.active_layers`: `lisa`, mit eigenen Feldern.",
  "is said by the method's `init` here: `eva`, `corda` or `lora_ga`, with fields of their own.":
    "sagt hier `init` der Methode: `eva`, `corda` oder `lora_ga`, mit eigenen Feldern.",
  "has no counterpart in this version.": "hat in dieser Version keine Entsprechung.",
  "has no counterpart: only plain LoRA factors beside linear layers are trained.":
    "hat keine Entsprechung: Trainiert werden nur einfache LoRA-Faktoren neben linearen Schichten.",
  "is not understood.": "ist unverständlich.",
  "is no whole number of steps; write a duration such as `50 steps`.":
    "ist keine ganze Zahl von Schritten; schreiben Sie eine Dauer wie `50 steps`.",
  "is no share below 1.": "ist kein Anteil unter 1.",
  "counts examples; here it is a share, such as `eval: { from: train, share: 0.05 }`.":
    "zählt Beispiele; hier ist es ein Anteil, etwa `eval: { from: train, share: 0.05 }`.",
  "is no single file; here `{0}` is one .jsonl, .csv, .parquet or .txt file.":
    "ist keine einzelne Datei; hier ist `{0}` eine Datei .jsonl, .csv, .parquet oder .txt.",
  "has no counterpart: a run tunes with the cross-entropy of labels or tokens.":
    "hat keine Entsprechung: Ein Lauf trainiert mit der Kreuzentropie von Labels oder Token.",
  "has no counterpart: the factors have no biases.":
    "hat keine Entsprechung: Die Faktoren haben keine Biases.",
  "names an entry of a registry; here `data.template` is a text with columns in braces, or `data.chat_template: tokenizer`.":
    "nennt den Eintrag eines Verzeichnisses; hier ist `data.template` ein Text mit Spalten in Klammern, oder `data.chat_template: tokenizer`.",

  // The text as YAML.
  "The file holds more than {0} values, those behind aliases counted each time.":
    "Die Datei enthält mehr als {0} Werte, die hinter Aliasen jedes Mal gezählt.",
  "`*{0}` stands for nothing: no `&{1}` before it.":
    "`*{0}` steht für nichts: Davor gibt es kein `&{1}`.",
  "The tag `{0}` has no meaning here; the value is read without it.":
    "Der Tag `{0}` hat hier keine Bedeutung; der Wert wird ohne ihn gelesen.",
  "Remove the tag.": "Streichen Sie den Tag.",
  "A key must be a plain text.": "Ein Schlüssel muss ein einfacher Text sein.",
  "`<<` takes a map, or a list of maps.": "`<<` nimmt eine Map, oder eine Liste von Maps.",
  "`{0}` stands twice in this map; the first counts.":
    "`{0}` steht zweimal in dieser Map; das erste gilt.",
  "The file has {0} characters; at most {1} are read.":
    "Die Datei hat {0} Zeichen; höchstens {1} werden gelesen.",
  "Keep data in its own files and name them here.":
    "Halten Sie Daten in eigenen Dateien, und nennen Sie diese hier.",
  "The document must be a map of fields.": "Das Dokument muss eine Map von Feldern sein.",
  "Begin with `version: 1` and one `field: value` on each line.":
    "Beginnen Sie mit `version: 1` und je einem `field: value` in einer Zeile.",
  "The file holds more than an experiment can say.":
    "Die Datei enthält mehr, als ein Versuch sagen kann.",
  "The file is nested deeper than {0} levels here.":
    "Die Datei ist hier tiefer als {0} Ebenen verschachtelt.",
  "The file holds several documents; only the first is read.":
    "Die Datei enthält mehrere Dokumente; nur das erste wird gelesen.",
  "Put each experiment into its own file.": "Legen Sie jeden Versuch in eine eigene Datei.",
  "An alias such as `*name` can have no anchor or tag of its own.":
    "Ein Alias wie `*name` kann keinen eigenen Anker oder Tag haben.",
  "This alias has no name.": "Dieser Alias hat keinen Namen.",
  "The tag does not fit the value.": "Der Tag passt nicht zum Wert.",
  "This directive cannot be read.": "Diese Direktive ist nicht zu lesen.",
  'The text in "double quotes" has an escape that does not exist.':
    "Der Text in doppelten Anführungszeichen hat eine Escape-Folge, die es nicht gibt.",
  "The indentation does not fit the lines around it, or a bracket before it is not closed.":
    "Die Einrückung passt nicht zu den Zeilen ringsum, oder eine Klammer davor ist nicht geschlossen.",
  "An anchor or tag stands in the wrong place.": "Ein Anker oder Tag steht an der falschen Stelle.",
  "A value cannot begin with this character.": "Ein Wert kann nicht mit diesem Zeichen beginnen.",
  "This looks like a map inside one line's value.":
    "Das sieht nach einer Map im Wert einer einzelnen Zeile aus.",
  "Lines with their own indentation cannot stand inside [ ] or { }.":
    "Zeilen mit eigener Einrückung können nicht in [ ] oder { } stehen.",
  "This key stands twice in the same map.": "Dieser Schlüssel steht zweimal in derselben Map.",
  "This cannot be read as YAML.": "Das ist nicht als YAML zu lesen.",
  "A key is longer than 1024 characters.": "Ein Schlüssel ist länger als 1024 Zeichen.",
  "Something that closes or separates is missing here.":
    "Hier fehlt etwas, das schließt oder trennt.",
  "A key must be on one line; perhaps a `:` is missing.":
    "Ein Schlüssel muss in einer Zeile stehen; vielleicht fehlt ein `:`.",
  "A value can have one anchor only.": "Ein Wert kann nur einen Anker haben.",
  "The file holds several documents.": "Die Datei enthält mehrere Dokumente.",
  "A value can have one tag only.": "Ein Wert kann nur einen Tag haben.",
  "A key must be a text.": "Ein Schlüssel muss ein Text sein.",
  "The aliases expand to too much.": "Die Aliase ergeben zusammen zu viel.",
  "A tab stands where spaces must.": "Ein Tabulator steht, wo Leerzeichen stehen müssen.",
  "The tag is not known.": "Der Tag ist nicht bekannt.",
  "This is not expected here.": "Das wird hier nicht erwartet.",
  "Use 'single quotes', in which a backslash is a backslash.":
    "Nehmen Sie 'einfache Anführungszeichen', in denen ein Backslash ein Backslash ist.",
  "Indent the fields of one map equally, with spaces.":
    "Rücken Sie die Felder einer Map gleich weit ein, mit Leerzeichen.",
  "Put the text into quotes.": "Setzen Sie den Text in Anführungszeichen.",
  "Put the text into quotes, or the map on its own lines.":
    "Setzen Sie den Text in Anführungszeichen, oder die Map in eigene Zeilen.",
  "Look for a missing `:`, quote or bracket.":
    "Suchen Sie nach einem fehlenden `:`, Anführungszeichen oder einer Klammer.",
  "Indent with spaces.": "Rücken Sie mit Leerzeichen ein.",
  "Put a text with special characters into quotes.":
    "Setzen Sie einen Text mit besonderen Zeichen in Anführungszeichen.",

  // Fields and their values.
  "{0} has no field `{1}`.": "{0} hat kein Feld `{1}`.",
  "Paths of fields stand within `{0}`.": "Pfade von Feldern stehen in `{0}`.",
  "Known here: {0}.": "Hier bekannt: {0}.",
  "Its place is the margin, within no other field.": "Es gehört an den Rand, in kein anderes Feld.",
  "Its place is {0}.": "Sein Platz ist {0}.",
  "{0} has no `type`; it must be {1}.": "{0} hat kein `type`; es muss {1} sein.",
  "Add `type`.": "Geben Sie `type` an.",
  "There is nothing to choose from here: leave `{0}` out.":
    "Hier gibt es nichts zu wählen: Lassen Sie `{0}` weg.",
  "Known: {0}.": "Bekannt: {0}.",
  "{0} names `{1}`, which is not known.": "{0} nennt `{1}`, das nicht bekannt ist.",
  "{0} names `{1}`, which is not offered here.": "{0} nennt `{1}`, das es hier nicht gibt.",
  "Did you mean `{0}`?": "Meinten Sie `{0}`?",
  "{0}; did you mean `{1}`?": "{0}; meinten Sie `{1}`?",
  "Leave `init` out for the method's own start.":
    "Lassen Sie `init` weg, dann beginnt die Methode auf ihre Weise.",
  "`adamw` is the same rule with states of 32 bits.":
    "`adamw` ist dieselbe Regel mit Zuständen von 32 Bit.",
  "{0} has no value; it must be {1}.": "{0} hat keinen Wert; es muss {1} sein.",
  "Give a value, or remove the line.": "Geben Sie einen Wert an, oder streichen Sie die Zeile.",
  "Give a value.": "Geben Sie einen Wert an.",
  "{0} is missing; it must be {1}.": "{0} fehlt; es muss {1} sein.",
  "Add `{0}`.": "Geben Sie `{0}` an.",
  "{0} must have {1} item, and has {2}.": "{0} muss {1} Eintrag haben und hat {2}.",
  "{0} must have {1} items, and has {2}.": "{0} muss {1} Einträge haben und hat {2}.",
  "{0} must be {1}, and this is `{2}`.": "{0} muss {1} sein, und das ist `{2}`.",
  "{0} must be {1}, and this is {2}.": "{0} muss {1} sein, und das ist {2}.",
  "{0} must be {1}, and this is `{2}`: such numbers end at {3} here.":
    "{0} muss {1} sein, und das ist `{2}`: Solche Zahlen enden hier bei {3}.",
  "{0} must be a power of two, and this is {1}; the nearest are {2} and {3}.":
    "{0} muss eine Zweierpotenz sein, und das ist {1}; am nächsten liegen {2} und {3}.",
  "{0} has no unit; it is read as {1}.": "{0} hat keine Einheit; es wird als {1} gelesen.",
  "{0} must be a whole number of steps, at least 1.":
    "{0} muss eine ganze Zahl von Schritten sein, mindestens 1.",
  "{0} must be longer than 0 epochs.": "{0} muss länger als 0 Epochen sein.",
  "Write `{0}`.": "Schreiben Sie `{0}`.",
  "The column `{0}` is not used: the rows train as plain text, every token of `{1}`.":
    "Die Spalte `{0}` bleibt ungenutzt: Die Zeilen werden als einfacher Text trainiert, jedes Token von `{1}`.",
  "To train on it after a prompt, say which column is which: `columns: { prompt: {0}, completion: {1} }` in `data`.":
    "Um sie nach einem Anfang zu trainieren, sagen Sie, welche Spalte was ist: `columns: { prompt: {0}, completion: {1} }` in `data`.",
  "To predict it, say `task: sequence-classification`, with a bert or roberta model.":
    "Um sie vorherzusagen, schreiben Sie `task: sequence-classification`, mit einem Modell wie bert oder roberta.",
  "To predict it, say `task: sequence-classification`, with a bert or roberta model and `columns: { label: {0} }` in `data`.":
    "Um sie vorherzusagen, schreiben Sie `task: sequence-classification`, mit einem Modell wie bert oder roberta, und `columns: { label: {0} }` in `data`.",
  "If plain text is meant, say `format: text` in `data`.":
    "Ist einfacher Text gemeint, schreiben Sie `format: text` in `data`.",

  // Expressions.
  "{0} depends on itself: {1}.": "{0} hängt von sich selbst ab: {1}.",
  "`{0}` is no arithmetic: {1}.": "`{0}` ist keine Rechnung: {1}.",
  "Within braces or brackets a comma ends the value: put the arithmetic into quotes.":
    "In Klammern beendet ein Komma den Wert: Setzen Sie die Rechnung in Anführungszeichen.",
  "Use + - * / ( ), sqrt, min, max and names of fields, such as `= 2 * r`.":
    "Nehmen Sie + - * / ( ), sqrt, min, max und Namen von Feldern, etwa `= 2 * r`.",
  "`{0}` has no finite value ({1}).": "`{0}` hat keinen endlichen Wert ({1}).",
  "`{0}` has no value here, so nothing can be computed from it.":
    "`{0}` hat hier keinen Wert, also lässt sich nichts daraus berechnen.",
  "Give `{0}` a number.": "Geben Sie `{0}` eine Zahl.",
  "`{0}` is no number here, so nothing can be computed from it.":
    "`{0}` ist hier keine Zahl, also lässt sich nichts daraus berechnen.",
  "`{0}` is no field with a number.": "`{0}` ist kein Feld mit einer Zahl.",
  "Beside it there are {0}; others by their path, such as `train.batch_size`.":
    "Daneben gibt es {0}; andere mit ihrem Pfad, etwa `train.batch_size`.",
  "it is longer than {0} characters": "sie ist länger als {0} Zeichen",
  "`{0}` is not part of arithmetic": "`{0}` gehört nicht in eine Rechnung",
  "it is nested deeper than {0}": "sie ist tiefer als {0} verschachtelt",
  "it ends where a value should be": "sie endet, wo ein Wert stehen sollte",
  "a value is missing before `{0}`": "vor `{0}` fehlt ein Wert",
  "`{0}` is no function; there are sqrt, min and max":
    "`{0}` ist keine Funktion; es gibt sqrt, min und max",
  "`{0}` takes one value": "`{0}` nimmt einen Wert",
  "a `)` is missing": "es fehlt ein `)`",
  "`{0}` is not expected here": "`{0}` wird hier nicht erwartet",

  // Several files.
  "`extends` must be the path of one file.": "`extends` muss der Pfad einer einzigen Datei sein.",
  "Files extend each other in a circle: {0}.": "Dateien erweitern einander im Kreis: {0}.",
  "More than {0} files extend each other.": "Mehr als {0} Dateien erweitern einander.",
  "`{0}` is {1}.": "`{0}` ist {1}.",
  "The path is relative to the file that says it.":
    "Der Pfad gilt von der Datei aus, in der er steht.",
  "Write `--set method.r=16`.": "Schreiben Sie `--set method.r=16`.",
  "`{0}` is not of the form `field=value`.": "`{0}` hat nicht die Form `field=value`.",
  "Nothing stands behind `{0}=`; `null` means the default.":
    "Hinter `{0}=` steht nichts; `null` bedeutet die Vorgabe.",
  "`{0}` leads through a value that has no fields.":
    "`{0}` führt durch einen Wert, der keine Felder hat.",

  // Sweeps.
  "The sweep has {0} points and {1} runs, more than `limits.runs`, {2}.":
    "Die Reihe hat {0} Punkte und {1} Läufe, mehr als `limits.runs`, {2}.",
  "Raise `sweep.limits.runs`, or take values away.":
    "Erhöhen Sie `sweep.limits.runs`, oder nehmen Sie Werte weg.",
  "Paired lists must have equal lengths: {0}.":
    "Listen, die gepaart sind, müssen gleich lang sein: {0}.",
  "`{0}` has {1}": "`{0}` hat {1}",
  "`{0}` is no field that a point can change.": "`{0}` ist kein Feld, das ein Punkt ändern kann.",
  "`{0}` cannot differ between the points of a sweep.":
    "`{0}` kann sich zwischen den Punkten einer Reihe nicht unterscheiden.",
  "Use a path such as `method.r`.": "Nehmen Sie einen Pfad wie `method.r`.",
  "`{0}` is no field that can be tuned.": "`{0}` ist kein Feld, das sich abstimmen lässt.",
  "`{0}` is no number that can be tuned.": "`{0}` ist keine Zahl, die sich abstimmen lässt.",
  "Use a path such as `train.learning_rate`.": "Nehmen Sie einen Pfad wie `train.learning_rate`.",
  "The points `{0}` and `{1}` are the same experiment.":
    "Die Punkte `{0}` und `{1}` sind derselbe Versuch.",
  "At the point `{0}`: {1}": "Am Punkt `{0}`: {1}",
  "{0}: {1}.": "{0}: {1}.",

  // Comments that silence.
  "There is no `{0}` here to silence.": "Hier gibt es kein `{0}`, das stumm zu schalten wäre.",
  "Remove the comment.": "Streichen Sie den Kommentar.",
  "There is no check `{0}`.": "Eine Prüfung `{0}` gibt es nicht.",
};
