"""Writes what scikit-learn and scipy make of drawn examples; see README.md."""

import json
import math
import pathlib
import random
import warnings

import numpy
import scipy
import sklearn
from scipy import stats
from sklearn import metrics

warnings.simplefilter("ignore")
FIXTURES = pathlib.Path(__file__).parent / "fixtures"
VERSIONS = {"numpy": numpy.__version__, "scikit-learn": sklearn.__version__, "scipy": scipy.__version__}


def word(value):
    value = float(value)
    return value if math.isfinite(value) else "NaN"


def classes(rng, count, labels, right, low=0):
    truth = [rng.randrange(low, labels) for _ in range(count)]
    prediction = [t if rng.random() < right else rng.randrange(labels) for t in truth]
    return truth, prediction


def label_case(name, truth, prediction):
    binary = max(truth + prediction) <= 1
    return {
        "name": name,
        "truth": truth,
        "prediction": prediction,
        "accuracy": metrics.accuracy_score(truth, prediction),
        "f1": {
            "macro": metrics.f1_score(truth, prediction, average="macro"),
            "micro": metrics.f1_score(truth, prediction, average="micro"),
            **({"binary": metrics.f1_score(truth, prediction, average="binary", zero_division=0)} if binary else {}),
        },
        "matthews": metrics.matthews_corrcoef(truth, prediction),
    }


def number_case(name, truth, prediction):
    return {
        "name": name,
        "truth": truth,
        "prediction": prediction,
        "pearson": word(stats.pearsonr(truth, prediction).statistic),
        "spearman": word(stats.spearmanr(truth, prediction).statistic),
    }


def metric_file(rng):
    labels = [
        label_case("two classes", *classes(rng, 40, 2, 0.7)),
        label_case("two classes, rare", *classes(rng, 60, 2, 0.9)),
        label_case("three classes", *classes(rng, 50, 3, 0.6)),
        label_case("seven classes, one never true", *classes(rng, 80, 7, 0.4, low=1)),
        label_case("all right", [0, 1, 2, 1], [0, 1, 2, 1]),
        label_case("all wrong", [0, 1, 0, 1], [1, 0, 1, 0]),
        label_case("one class predicted", [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]),
        label_case("one class throughout", [0, 0, 0], [0, 0, 0]),
        label_case("one example", [1], [0]),
    ]
    noisy = [rng.gauss(0, 1) for _ in range(50)]
    rounded = [round(rng.uniform(0, 5) * 2) / 2 for _ in range(60)]
    numbers = [
        number_case("noisy", noisy, [0.8 * x + rng.gauss(0, 0.5) for x in noisy]),
        number_case("ties on both sides", rounded, [round(x + rng.gauss(0, 1)) for x in rounded]),
        number_case("against each other", [1.0, 2.0, 3.0], [3.0, 1.0, -5.0]),
        number_case("far from zero", [1e6 + x for x in noisy[:20]], [1e6 - x * x for x in noisy[:20]]),
        number_case("constant", [1.0, 2.0, 3.0], [2.0, 2.0, 2.0]),
        number_case("two", [1.0, 2.0], [5.0, 4.0]),
    ]
    return {"versions": VERSIONS, "labels": labels, "numbers": numbers}


def mean_case(values, confidence):
    mean, error = numpy.mean(values), stats.sem(values)
    low, high = stats.t.interval(confidence, len(values) - 1, loc=mean, scale=error)
    return {"values": values, "confidence": confidence, "mean": word(mean), "deviation": word(numpy.std(values, ddof=1)), "low": word(low), "high": word(high)}


def statistics_file(rng):
    probabilities = [1e-9, 1e-4, 0.005, 0.025, 0.1, 0.4, 0.5, 0.6, 0.9, 0.95, 0.975, 0.995, 0.9995, 1 - 1e-9]
    degrees = [0.5, 1, 2, 3, 4, 5, 9, 19, 39, 41, 99, 300.5, 1e4, 1e7]
    wilson = []
    for successes, trials in [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (47, 100), (999, 1000), (12345, 100000)]:
        for confidence in [0.8, 0.95, 0.999]:
            interval = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
            wilson.append([successes, trials, confidence, word(interval.low), word(interval.high)])
    pairs = []
    for count in [2, 3, 5, 12]:
        left = [rng.gauss(0.8, 0.02) for _ in range(count)]
        right = [x - rng.gauss(0.01, 0.01) for x in left]
        pairs.append({"values": left, "reference": right, "p": word(stats.ttest_rel(left, right).pvalue)})
    return {
        "versions": VERSIONS,
        "normal": [[p, word(stats.norm.ppf(p))] for p in probabilities],
        "student": [[p, d, word(stats.t.ppf(p, d))] for d in degrees for p in probabilities],
        "wilson": wilson,
        "means": [mean_case([rng.gauss(0.8, 0.05) for _ in range(n)], c) for n in (2, 3, 5, 10) for c in (0.9, 0.95, 0.99)],
        "pairs": pairs,
    }


def write(name, content):
    path = FIXTURES / name
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size, "bytes")


def main():
    rng = random.Random(4)
    write("metrics.json", metric_file(rng))
    write("statistics.json", statistics_file(rng))


main()
