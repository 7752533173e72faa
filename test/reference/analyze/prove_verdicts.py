"""Comes to every verdict of an intruder record again, from the JSON alone.

Python 3.11 and NumPy:  python test/reference/analyze/prove_verdicts.py RECORDS.json
RECORDS.json: a list of matrix records, or an object whose `matrices` is one. Prints counts by kind of proof;
exit code 1 and the vector's name where a number does not prove its verdict.
"""

import collections
import json
import math
import sys

import numpy


def masses(alpha, beta, t):
    """Least weight below t, and most up to it, of the quadrature that has t as a node (Chebyshev, Markov, Stieltjes)."""
    pivot, size = 0.0, max(abs(t), max(abs(alpha) + 2 * abs(beta)))
    for i, a in enumerate(alpha):
        pivot = a - t - (beta[i - 1] ** 2 / pivot if i else 0.0)
        pivot = pivot if abs(pivot) >= 2.0**-52 * size else math.copysign(2.0**-52 * size, pivot)
    J = numpy.diag(numpy.append(alpha, t + beta[-1] ** 2 / pivot)) + numpy.diag(beta, 1) + numpy.diag(beta, -1)
    nodes, vectors = numpy.linalg.eigh(J)
    sums = numpy.append(0, numpy.cumsum(vectors[0] ** 2))
    error = 16 * len(nodes) * 2.0**-53 * max(size, abs(nodes).max())
    gaps = numpy.concatenate([[math.inf], numpy.diff(nodes), [math.inf]])
    low = high = int(numpy.argmin(abs(nodes - t)))
    high += 1
    while gaps[low] <= 16 * error:
        low -= 1
    while gaps[high] <= 16 * error:
        high += 1
    moved = [theta * (2 * math.sqrt(max(0, S * (1 - S))) + theta) for theta, S in
             ((error / (gaps[i] - error), sums[i]) for i in (low, high))]
    return sums[low] - moved[0], sums[high] + moved[1]


def bound(proof, a, b):
    """The largest |cosine| of y with an eigenvector whose value lies in [a, b]."""
    alpha, beta = numpy.array(proof["alpha"]), numpy.array(proof["beta"])
    near = far = kappa = 0.0
    for x in proof["deflated"]:
        distance = max(a - x["theta"], x["theta"] - b, 0.0)
        share = x["residual"] / distance if distance > x["residual"] else 1.0
        kappa += x["residual"] * share
        far, near = (far + share * abs(x["overlap"]), near) if share < 0.02 else (far, near + x["overlap"] ** 2)
    moved = proof["rho"] + kappa
    eta = max(proof["eta"], 200 * moved)
    mass = masses(alpha, beta, b + eta)[1] - masses(alpha, beta, a - eta)[0] + 16 * len(alpha) * 2.0**-53
    inside = proof["startNorm"] * (math.sqrt(min(1.0, max(0.0, mass))) + math.sqrt(2) * moved / eta)
    return (inside + math.sqrt(near) + far) / (1.0 if proof["gram"] == "left" else math.sqrt(a))


def proven(vector, epsilon):
    proof, error, by = vector["proof"], vector["vectorError"], vector["by"]
    kind = proof["kind"]
    known = "ritz" not in (vector["gapFrom"], proof.get("gapFrom")) and proof.get("isKnown", True)
    if by in ("intruder", "not") and not known:
        return False
    if by == "likely":
        by = "intruder" if vector["intruder"] else "not"
    if kind == "lanczos":
        edges = proof["edges"]
        whole = edges[0] <= proof["lambdaMin"] and edges[-1] >= proof["lambdaMax"] and edges == sorted(edges)
        return whole and by == "intruder" and all(bound(proof, a, b) + error < epsilon for a, b in zip(edges, edges[1:]))
    if kind == "bessel":
        return by == "intruder" and max(proof["best"], math.sqrt(max(0, 1 - proof["captured"]))) + error < epsilon
    if kind == "witness":
        return by == "not" and proof["overlap"] - math.sqrt(2) * proof["residual"] / proof["gap"] - error >= epsilon
    return {"intruder": vector["upper"] < epsilon, "not": vector["lower"] >= epsilon}.get(by, True)


def main(path):
    document = json.load(open(path))
    seen = collections.Counter()
    for matrix in document["matrices"] if isinstance(document, dict) else document:
        for vector in matrix["vectors"]:
            if not proven(vector, matrix["epsilon"]):
                sys.exit(f"{matrix['name']}: vector {vector['index']} is not proven to be '{vector['by']}'")
            seen["likely" if vector["by"] == "likely" else vector["proof"]["kind"]] += 1
    print(json.dumps(seen))


main(sys.argv[1])
