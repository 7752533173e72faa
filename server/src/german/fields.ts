/** @file What each field of an experiment is for, in German: the declarations of `src/shared/experiment/fields`. */

export const fieldsInGerman: Readonly<Record<string, string>> = {
  // data
  "Column of the text.": "Spalte des Textes.",
  "Column of the second text, for sentence pairs.": "Spalte des zweiten Textes, bei Satzpaaren.",
  "Column of the label.": "Spalte des Labels.",
  "Column of the prompt.": "Spalte des Anfangs.",
  "Column of the completion.": "Spalte der Antwort.",
  "Column of the list of messages.": "Spalte der Liste von Nachrichten.",
  "Which column of the data plays which role.": "Welche Spalte der Daten welche Rolle spielt.",
  "The training file.": "Die Trainingsdatei.",
  "Which file the examples are taken from.": "Aus welcher Datei die Beispiele kommen.",
  "How much of it is set aside.": "Wie viel davon beiseitegelegt wird.",
  "Seed of the choice of examples.": "Startwert für die Auswahl der Beispiele.",
  "A part of the training data, set aside and not trained on.":
    "Ein Teil der Trainingsdaten, beiseitegelegt und nicht trainiert.",
  "Training examples: .jsonl, .csv, .parquet or .txt.":
    "Trainingsbeispiele: .jsonl, .csv, .parquet oder .txt.",
  "A file of its own.": "Eine eigene Datei.",
  "Examples that choose checkpoints and stop early: a file, or a part of the training data.":
    "Beispiele, die Zwischenstände auswählen und früh anhalten: eine Datei, oder ein Teil der Trainingsdaten.",
  "Examples read once, after the last step.":
    "Beispiele, die einmal gelesen werden, nach dem letzten Schritt.",
  "Told from the columns and the task.": "Geht aus den Spalten und der Aufgabe hervor.",
  "Plain text; every token is trained on.": "Einfacher Text; jedes Token wird trainiert.",
  "A prompt and what follows it.": "Ein Anfang und was darauf folgt.",
  "A list of messages, each with a role and a content.":
    "Eine Liste von Nachrichten, jede mit Rolle und Inhalt.",
  "A text, or two, with a label.": "Ein Text, oder zwei, mit einem Label.",
  "What an example is made of.": "Woraus ein Beispiel besteht.",
  "The labels in the order of their ids; by default those of the training data, sorted.":
    "Die Labels in der Folge ihrer Nummern; sonst die der Trainingsdaten, sortiert.",
  "Regression where the labels are fractions, else classification.":
    "Regression, wo die Labels Brüche sind, sonst Klassifikation.",
  "One of several labels.": "Eines von mehreren Labels.",
  "A number.": "Eine Zahl.",
  "Whether a label is a class or a number.": "Ob ein Label eine Klasse oder eine Zahl ist.",
  "Text of the prompt with columns in braces, such as `Question: {prompt}`.":
    "Text des Anfangs mit Spalten in Klammern, etwa `Question: {prompt}`.",
  "`tokenizer` for the tokenizer's own chat template, or a Jinja template.":
    "`tokenizer` für die Gesprächsvorlage des Tokenizers, oder eine Jinja-Vorlage.",
  "The completion where there is one, the assistant's turns of messages, else everything.":
    "Die Antwort, wo es eine gibt; in Nachrichten, was der Assistent sagt; sonst alles.",
  "The completion only.": "Nur die Antwort.",
  "What the assistant says only.": "Nur was der Assistent sagt.",
  "Every token.": "Jedes Token.",
  "Which tokens the loss is computed on.": "Auf welchen Token der Verlust berechnet wird.",
  "Fill each row of a batch with several examples; attention never crosses from one to another.":
    "Füllt jede Zeile eines Batches mit mehreren Beispielen; die Attention reicht nie von einem ins andere.",
  "Longest example, lowered to what the model's positions allow. The tokenizer's own `model_max_length` is not heeded, as in transformers where a length is given.":
    "Das längste Beispiel, gesenkt auf das, was die Positionen des Modells erlauben. `model_max_length` des Tokenizers gilt nicht, wie in transformers, wo eine Länge angegeben ist.",
  "Cut it at `max_length`.": "Bei `max_length` abschneiden.",
  "Leave it out.": "Auslassen.",
  "Refuse the data.": "Die Daten zurückweisen.",
  "What happens to an example longer than `max_length`; they are counted in any case.":
    "Was mit einem Beispiel geschieht, das länger als `max_length` ist; gezählt werden sie immer.",
  "Draw a new order of the training examples each epoch.":
    "Die Trainingsbeispiele in jeder Epoche neu mischen.",
  "The examples, and how they become tokens.": "Die Beispiele, und wie sie zu Token werden.",

  // eval, checkpoints, analyze
  "The metric that decides, such as `eval.accuracy`.":
    "Der Messwert, der entscheidet, etwa `eval.accuracy`.",
  "Less is better.": "Weniger ist besser.",
  "More is better.": "Mehr ist besser.",
  "Which way is better; by default told from the metric.":
    "Welche Richtung besser ist; sonst geht es aus dem Messwert hervor.",
  "A metric, or a map from it to its own fields.":
    "Ein Messwert, oder eine Map von ihm zu seinen eigenen Feldern.",
  "How often `data.eval` is measured.": "Wie oft an `data.eval` gemessen wird.",
  "Measure before the first step too, so that there is something to compare with.":
    "Auch vor dem ersten Schritt messen, damit es etwas zum Vergleichen gibt.",
  "Examples at a time.": "Beispiele auf einmal.",
  "As many as fit into memory.": "So viele, wie in den Speicher passen.",
  "Chosen by the plan.": "Der Plan wählt es.",
  "Examples in memory at a time while measuring.":
    "Beispiele, die beim Messen zugleich im Speicher sind.",
  "What is measured on `data.eval` and `data.test`; by default what suits the task.":
    "Was an `data.eval` und `data.test` gemessen wird; sonst, was zur Aufgabe passt.",
  "What is measured on `data.test` in addition, once, after the last step.":
    "Was an `data.test` zusätzlich gemessen wird, einmal, nach dem letzten Schritt.",
  "General text on which the base and the tuned model are compared.":
    "Allgemeiner Text, an dem Grundmodell und angepasstes Modell verglichen werden.",
  "How much of it is read.": "Wie viel davon gelesen wird.",
  "Change of the loss on general text against the base model.":
    "Änderung des Verlusts auf allgemeinem Text gegenüber dem Grundmodell.",
  "Which checkpoint is kept as the best.": "Welcher Zwischenstand als bester behalten wird.",
  "Measurements without improvement after which the run ends.":
    "Messungen ohne Verbesserung, nach denen der Lauf endet.",
  "The least change that counts as an improvement.":
    "Die kleinste Änderung, die als Verbesserung zählt.",
  "End the run when a metric no longer improves.":
    "Den Lauf beenden, wenn sich ein Messwert nicht mehr bessert.",
  "What is measured, when, and what follows from it.":
    "Was gemessen wird, wann, und was daraus folgt.",
  "How often a checkpoint is written.": "Wie oft ein Zwischenstand geschrieben wird.",
  "How many of the newest stay; the best and the last always do.":
    "Wie viele der neuesten bleiben; der beste und der letzte bleiben immer.",
  "When checkpoints are written, and how many stay.":
    "Wann Zwischenstände geschrieben werden, und wie viele bleiben.",
  "How often singular values are computed.": "Wie oft Singulärwerte berechnet werden.",
  "How many of the strongest singular vectors are looked at.":
    "Wie viele der stärksten Singulärvektoren angesehen werden.",
  "A vector whose largest cosine with those of the base stays below this is an intruder.":
    "Ein Vektor, dessen größter Kosinus mit denen des Grundmodells darunter bleibt, ist ein Eindringling.",
  "How often they are counted.": "Wie oft sie gezählt werden.",
  "Count intruder dimensions: strong directions that the base did not have.":
    "Eindringende Dimensionen zählen: starke Richtungen, die das Grundmodell nicht hatte.",
  "What is looked at inside the weights.": "Was in den Gewichten angesehen wird.",

  // the file, model, method
  "Another experiment file, whose fields hold where this one does not say them.":
    "Eine andere Versuchsdatei, deren Felder gelten, wo diese sie nicht nennt.",
  "Version of the file format; there is only 1.": "Version des Dateiformats; es gibt nur 1.",
  "A Python-style regular expression that matches a module's whole path.":
    "Ein regulärer Ausdruck wie in Python, der den ganzen Pfad eines Moduls trifft.",
  "A module's name, or the end of its path.": "Der Name eines Moduls, oder das Ende seines Pfads.",
  "Names of modules, or ends of their paths.": "Namen von Modulen, oder Enden ihrer Pfade.",
  "Modules left out of `target_modules`: names, or a regular expression.":
    "Module, die von `target_modules` ausgenommen sind: Namen, oder ein regulärer Ausdruck.",
  "Every linear layer except the head.": "Jede lineare Schicht außer dem Kopf.",
  "A word for the usual choice.": "Ein Wort für die übliche Wahl.",
  "Which modules are adapted: `all-linear`, names, or a Python-style regular expression matched against the whole path.":
    "Welche Module angepasst werden: `all-linear`, Namen, oder ein regulärer Ausdruck wie in Python, der den ganzen Pfad trifft.",
  "How the model is tuned: the name of a method, or a map with its fields, or a list of methods with their own targets.":
    "Wie das Modell angepasst wird: der Name einer Methode, oder eine Map mit ihren Feldern, oder eine Liste von Methoden mit je eigenen Zielen.",
  "The method's own start.": "Der eigene Anfang der Methode.",
  "A layer's index, from 0.": "Die Nummer einer Schicht, ab 0.",
  "Indices of the layers that are adapted; by default all.":
    "Nummern der Schichten, die angepasst werden; sonst alle.",
  "Name of the list of layers within the model, where it is not the usual one.":
    "Name der Liste der Schichten im Modell, wo es nicht der übliche ist.",
  "Another rank for modules whose path ends in, or matches, the name.":
    "Ein anderer Rang für Module, deren Pfad mit dem Namen endet oder ihn trifft.",
  "Another alpha for modules whose path ends in, or matches, the name.":
    "Ein anderes alpha für Module, deren Pfad mit dem Namen endet oder ihn trifft.",
  "How much of the adapter's input is set to zero while training.":
    "Wie viel der Eingabe des Adapters beim Training auf null gesetzt wird.",
  "No bias is trained.": "Kein Bias wird trainiert.",
  "Every bias of the model is trained.": "Jeder Bias des Modells wird trainiert.",
  "The biases of the adapted modules are trained.":
    "Die Biases der angepassten Module werden trainiert.",
  "Which biases are trained beside the adapter.":
    "Welche Biases neben dem Adapter trainiert werden.",
  "A module's name.": "Der Name eines Moduls.",
  "Modules trained whole and stored with the adapter, such as a new head.":
    "Module, die im Ganzen trainiert und mit dem Adapter gespeichert werden, etwa ein neuer Kopf.",
  "How the trained tensors start.": "Womit die trainierten Tensoren beginnen.",
  "Folder of an adapter whose values the run starts from.":
    "Ordner eines Adapters, mit dessen Werten der Lauf beginnt.",
  "How the budget of rank is spread over the modules; by default equally.":
    "Wie der Rang auf die Module verteilt wird; sonst gleichmäßig.",
  "Which factors several modules share; by default none.":
    "Welche Faktoren mehrere Module teilen; sonst keine.",
  "A Hugging Face model folder, or a hub id that is in the local cache. Nothing is fetched from the network.":
    "Ein Modellordner von Hugging Face, oder eine Hub-Kennung, die im lokalen Zwischenspeicher liegt. Nichts wird aus dem Netz geholt.",
  "Branch, tag or commit of a hub id; by default the cache's `main`. The snapshot's hash is recorded.":
    "Zweig, Tag oder Commit einer Hub-Kennung; sonst `main` im Zwischenspeicher. Der Hash des Stands wird aufgezeichnet.",
  "The model to tune: a folder, or a hub id in the local cache.":
    "Das Modell, das angepasst wird: ein Ordner, oder eine Hub-Kennung im lokalen Zwischenspeicher.",
  "Predict the next token.": "Das nächste Token vorhersagen.",
  "Predict a label, or a number, for a text or a pair of texts.":
    "Ein Label oder eine Zahl für einen Text oder ein Paar von Texten vorhersagen.",
  "What the model learns to do.": "Was das Modell lernt.",

  // metrics
  "Mean cross-entropy of the trained tokens or labels.":
    "Mittlere Kreuzentropie der trainierten Token oder Labels.",
  "e to the power of the loss.": "e hoch den Verlust.",
  "Share of labels, or of trained tokens, that are predicted right.":
    "Anteil der Labels, oder der trainierten Token, die richtig vorhergesagt werden.",
  "Harmonic mean of precision and recall.": "Harmonisches Mittel aus Genauigkeit und Trefferquote.",
  "Mean over the labels.": "Mittel über die Labels.",
  "Over all examples at once.": "Über alle Beispiele zugleich.",
  "Of the second of two labels.": "Des zweiten von zwei Labels.",
  "How several labels make one number.": "Wie aus mehreren Labels eine Zahl wird.",
  "Matthews correlation of predicted and true labels.":
    "Matthews-Korrelation der vorhergesagten und der wahren Labels.",
  "Pearson correlation of predicted and true numbers.":
    "Pearson-Korrelation der vorhergesagten und der wahren Zahlen.",
  "Spearman correlation of predicted and true numbers.":
    "Spearman-Korrelation der vorhergesagten und der wahren Zahlen.",
  "Share of generated completions that equal the reference.":
    "Anteil der erzeugten Antworten, die der Vorlage gleichen.",
  "Longest completion that is generated.": "Die längste Antwort, die erzeugt wird.",
  "What to compare: the first group of the last match in both texts; by default the whole text.":
    "Was verglichen wird: die erste Gruppe des letzten Treffers in beiden Texten; sonst der ganze Text.",
  "Compare without regard to letter case.": "Groß- und Kleinschreibung beim Vergleich übergehen.",

  // run, report, export
  "Confidence of the intervals around a mean.": "Sicherheit der Intervalle um ein Mittel.",
  "Whether the report shows text of the data: prompts and what was generated after them.":
    "Ob der Bericht Text aus den Daten zeigt: Anfänge, und was danach erzeugt wurde.",
  "How results are told.": "Wie Ergebnisse berichtet werden.",
  "An adapter folder that peft loads.": "Ein Adapterordner, den peft lädt.",
  "The same update as plain LoRA, where the method has one.":
    "Dieselbe Änderung als einfaches LoRA, wo die Methode diese Form hat.",
  "The whole model with the update in its weights.":
    "Das ganze Modell mit der Änderung in seinen Gewichten.",
  "The experiment as a peft, transformers or TRL script.":
    "Der Versuch als Skript für peft, transformers oder TRL.",
  "A form of the result.": "Eine Form des Ergebnisses.",
  "In which forms the result is written.": "In welchen Formen das Ergebnis geschrieben wird.",
  "The best that is there; the choice is told.": "Das beste, das da ist; die Wahl wird gesagt.",
  "The processor.": "Der Prozessor.",
  "A GPU by WebGPU.": "Eine GPU über WebGPU.",
  "A GPU by DirectML.": "Eine GPU über DirectML.",
  "Apple's Core ML.": "Apples Core ML.",
  "Where it is computed.": "Wo gerechnet wird.",
  "Threads of the computation; by default one for each physical core.":
    "Threads der Rechnung; sonst einer je physischem Kern.",
  "It is not begun.": "Er wird nicht begonnen.",
  "It is tried: the system may swap, or end it.":
    "Er wird versucht: Das System kann auslagern oder ihn beenden.",
  "A run that needs more memory than the machine has.":
    "Ein Lauf, der mehr Speicher braucht, als der Rechner hat.",
  "Event files for TensorBoard.": "Ereignisdateien für TensorBoard.",
  "A form of the log.": "Eine Form der Aufzeichnung.",
  "In which other forms the events are written.":
    "In welchen anderen Formen die Ereignisse geschrieben werden.",
  "Where it runs; no part of what the experiment is.":
    "Wo er läuft; gehört nicht zu dem, was der Versuch ist.",
  "Modules that keep their precision.": "Module, die ihre Genauigkeit behalten.",
  "How the weights that are not trained are stored; by default as they come.":
    "Wie die Gewichte gespeichert werden, die nicht trainiert werden; sonst, wie sie kommen.",

  // sweep
  "A value of the field.": "Ein Wert des Felds.",
  "The values of the field.": "Die Werte des Felds.",
  "Must be equal; runs that differ are refused before the first starts.":
    "Muss gleich sein; Läufe, die sich unterscheiden, werden zurückgewiesen, bevor der erste beginnt.",
  "Whether the points must have the same {0}.": "Ob die Punkte dieselbe {0} haben müssen.",
  "number of trained tokens": "Zahl trainierter Token",
  "number of steps": "Zahl von Schritten",
  "Must be equal.": "Muss gleich sein.",
  "For all points.": "Für alle Punkte.",
  "Only points that differ in this field must have the same number; by default all.":
    "Nur Punkte, die sich in diesem Feld unterscheiden, müssen dieselbe Zahl haben; sonst alle.",
  "How far they may differ.": "Wie weit sie sich unterscheiden dürfen.",
  "Equal up to a tolerance.": "Gleich bis auf eine Toleranz.",
  "Whether the points must train equally many parameters.":
    "Ob die Punkte gleich viele Parameter trainieren müssen.",
  "What must be equal for the points to be comparable.":
    "Was gleich sein muss, damit die Punkte vergleichbar sind.",
  "The metric that chooses; never one of the test data.":
    "Der Messwert, der auswählt; nie einer der Testdaten.",
  "Seed of the tuning runs; not one of `seeds`, so that tuning and result stay apart.":
    "Startwert der Läufe zum Abstimmen; keiner aus `seeds`, damit Abstimmung und Ergebnis getrennt bleiben.",
  "How the value is chosen.": "Wie der Wert gewählt wird.",
  "Factors of the value that the point has.": "Faktoren des Werts, den der Punkt hat.",
  "Values of the field.": "Werte des Felds.",
  "What is tried.": "Was versucht wird.",
  "Fields tuned for each point by runs of their own, before its seeds: `train.learning_rate: { times: [0.3, 1, 3] }`.":
    "Felder, die für jeden Punkt in eigenen Läufen abgestimmt werden, vor seinen Startwerten: `train.learning_rate: { times: [0.3, 1, 3] }`.",
  "Every combination of these fields' values is a point.":
    "Jede Kombination der Werte dieser Felder ist ein Punkt.",
  "Fields with lists of equal length.": "Felder mit gleich langen Listen.",
  "Fields whose lists go hand in hand: the first values together, then the second. Several such maps are combined.":
    "Felder, deren Listen nebeneinander gehen: die ersten Werte zusammen, dann die zweiten. Mehrere solche Maps werden kombiniert.",
  "Fields of one point.": "Felder eines Punkts.",
  "Further points, each with the fields that it changes.":
    "Weitere Punkte, jeder mit den Feldern, die er ändert.",
  "Each point runs once with each; points of one seed share data order and random numbers. By default the experiment's own seed.":
    "Jeder Punkt läuft einmal mit jedem; Punkte eines Startwerts teilen Reihenfolge der Daten und Zufallszahlen. Sonst der Startwert des Versuchs.",
  "More runs than these are refused.": "Mehr Läufe als so viele werden zurückgewiesen.",
  "Go on with the next run.": "Mit dem nächsten Lauf fortfahren.",
  "End the sweep.": "Die Reihe beenden.",
  "What happens when a run fails.": "Was geschieht, wenn ein Lauf scheitert.",
  "Bounds of the sweep.": "Grenzen der Reihe.",
  "Several runs from one file: combinations, controls, tuning, seeds.":
    "Mehrere Läufe aus einer Datei: Kombinationen, Kontrollen, Abstimmung, Startwerte.",

  // train
  "Passes over the training data.": "Durchgänge durch die Trainingsdaten.",
  "Optimizer steps; where given, it decides and `num_train_epochs` does not.":
    "Schritte des Optimierers; wo angegeben, gilt es und nicht `num_train_epochs`.",
  "Examples in each optimizer step, gradient accumulation included.":
    "Beispiele in jedem Schritt des Optimierers, mit aufsummierten Gradienten.",
  "Examples in memory at a time.": "Beispiele, die zugleich im Speicher sind.",
  "As many as fit into memory; all of a step with an optimizer that uses up gradients in the backward pass.":
    "So viele, wie in den Speicher passen; alle eines Schritts, wenn der Optimierer Gradienten im Rückwärtslauf verbraucht.",
  "Examples in memory at a time; the gradients of several such batches make one step.":
    "Beispiele, die zugleich im Speicher sind; die Gradienten mehrerer solcher Batches ergeben einen Schritt.",
  "Keep only what enters each layer and compute the rest again in the backward pass: less memory, more time.":
    "Nur behalten, was in jede Schicht hineingeht, und den Rest im Rückwärtslauf neu berechnen: weniger Speicher, mehr Zeit.",
  "float32 on a CPU, 16 bits where the device has them.":
    "float32 auf einem Prozessor, 16 Bit, wo das Gerät sie hat.",
  "16 bits, with loss scaling.": "16 Bit, mit skaliertem Verlust.",
  "16 bits with float32's range.": "16 Bit mit dem Bereich von float32.",
  "Precision of the arithmetic.": "Genauigkeit der Rechnung.",
  "Step size at the top of the schedule.": "Schrittweite auf der Höhe des Verlaufs.",
  "How the learning rate goes from its top to the end.":
    "Wie die Lernrate von ihrer Höhe bis zum Ende verläuft.",
  "Steps in which the learning rate rises to its top; below 1, a share of all steps.":
    "Schritte, in denen die Lernrate auf ihre Höhe steigt; unter 1 ein Anteil aller Schritte.",
  "Gradients are scaled down to this norm; 0 leaves them as they are.":
    "Gradienten werden auf diese Norm verkleinert; 0 lässt sie, wie sie sind.",
  "The update rule: its name, or a map with its fields.":
    "Die Regel der Änderung: ihr Name, oder eine Map mit ihren Feldern.",
  "Batches of examples of similar length: less padding, another order.":
    "Batches aus Beispielen ähnlicher Länge: weniger Auffüllung, andere Reihenfolge.",
  "Seed of everything random in the run: start, data order, dropout.":
    "Startwert für alles Zufällige im Lauf: Anfang, Reihenfolge der Daten, Dropout.",
  "Which layers train when; by default all, always.":
    "Welche Schichten wann trainieren; sonst alle, immer.",
  "How long, how fast and by which rule.": "Wie lange, wie schnell und nach welcher Regel.",
};
