/** @file Titles of fixes and actions, hints, lenses and the sentences of hovers, in German. */

export const answersInGerman: Readonly<Record<string, string>> = {
  // Fixes and actions.
  "Write `{0}`": "`{0}` schreiben",
  "Write `{0}` ({1})": "`{0}` schreiben ({1})",
  "Write {0}": "{0} schreiben",
  "Remove `{0}`": "`{0}` streichen",
  "Remove this `{0}`": "Dieses `{0}` streichen",
  "Rename to `{0}`": "In `{0}` umbenennen",
  "Replace with `{0}`": "Durch `{0}` ersetzen",
  "Add `{0}`": "`{0}` hinzufügen",
  "Silence `{0}` on this line": "`{0}` in dieser Zeile stumm schalten",
  "Write all {0} foreign names as ours": "Alle {0} fremden Namen wie hier schreiben",
  "Convert to an experiment": "In einen Versuch umwandeln",
  "Convert to an experiment; {0} fields that do not carry over become comments":
    "In einen Versuch umwandeln; {0} Felder ohne Entsprechung werden Kommentare",
  "Fill from `{0}`": "Aus `{0}` füllen",
  "Indent with spaces": "Mit Leerzeichen einrücken",
  "Write out the defaults of `{0}`": "Vorgaben von `{0}` ausschreiben",
  "Write out all defaults": "Alle Vorgaben ausschreiben",

  // Lenses.
  "$(play) Run": "$(play) Ausführen",
  Plan: "Planen",
  Analyze: "Untersuchen",
  "$(play) Run sweep ({0} runs)": "$(play) Reihe ausführen ({0} Läufe)",

  // Hints.
  "trainable {0} ({1})": "trainierbar {0} ({1})",
  "{0} of {1} parameters train.": "{0} von {1} Parametern werden trainiert.",
  "The update is multiplied by this.": "Damit wird die Änderung malgenommen.",
  "{0} points, {1} runs": "{0} Punkte, {1} Läufe",
  "{0} point, {1} runs": "{0} Punkt, {1} Läufe",
  "{0} point, {1} run": "{0} Punkt, {1} Lauf",
  "{0} points × {1} seeds.": "{0} Punkte × {1} Startwerte.",
  "{0} points × {1} seeds, and {2} runs of tuning.":
    "{0} Punkte × {1} Startwerte, und {2} Läufe zum Abstimmen.",
  "= {0} steps": "= {0} Schritte",
  "= {0} epochs": "= {0} Epochen",
  "effective batch {0}": "Batch insgesamt {0}",
  "peak memory ≈ {0}": "Speicher höchstens ≈ {0}",
  "peak memory ≈ {0}, {1} steps": "Speicher höchstens ≈ {0}, {1} Schritte",
  "- weights: {0}": "- Gewichte: {0}",
  "- adapters: {0}": "- Adapter: {0}",
  "- gradients: {0}": "- Gradienten: {0}",
  "- optimizer: {0}": "- Optimierer: {0}",
  "- activations: {0}": "- Zwischenwerte: {0}",
  "- workspace: {0}": "- Arbeitsspeicher: {0}",

  // Hovers.
  "Takes {0}.": "Erwartet {0}.",
  "Default: `{0}`.": "Vorgabe: `{0}`.",
  "In {0}.": "In {0}.",
  "Required.": "Muss angegeben werden.",
  "- `{0}`: {1}": "- `{0}`: {1}",
  "Elsewhere called {0}.": "Anderswo {0} genannt.",
  "[Paper]({0})": "[Arbeit]({0})",
  "Not an architecture that trains here.": "Keine Architektur, die hier trainiert.",
  "{0}. {1} parameters in {2} tensors, {3} layers, {4} positions.":
    "{0}. {1} Parameter in {2} Tensoren, {3} Schichten, {4} Positionen.",
  "{0} parameters in {1} tensors, {2} layers, {3} positions.":
    "{0} Parameter in {1} Tensoren, {2} Schichten, {3} Positionen.",
  "{0} parameters in {1} tensors, {2} layers.": "{0} Parameter in {1} Tensoren, {2} Schichten.",
  "{0} parameters in {1} tensors.": "{0} Parameter in {1} Tensoren.",
  "`{0}` at `{1}`": "`{0}`, Stand `{1}`",
  "| layer | count | out × in |": "| Schicht | Anzahl | aus × ein |",
  "`{0}` takes {1} of {2} layers.": "`{0}` nimmt {1} von {2} Schichten.",
  "- … {0} more": "- … {0} weitere",
  "About {0} rows.": "Etwa {0} Zeilen.",
  "{0} rows.": "{0} Zeilen.",
  "Columns: {0}.": "Spalten: {0}.",

  // Details of completions.
  "in the cache": "im Zwischenspeicher",
  "= {0}, scale {1}": "= {0}, Skala {1}",
  "scale {0}": "Skala {0}",
  "experiment: LoRA": "Versuch: LoRA",
  "experiment: QLoRA": "Versuch: QLoRA",
  "experiment: classification": "Versuch: Klassifikation",
};
