"""Comes to every verdict of an intruder record again, from the JSON alone: python prove_verdicts.py RECORDS.json

Python 3.11 and NumPy. RECORDS.json: matrix records, or an object whose `matrices` they are. Prints counts by kind of
proof; exit code 1 and the vector's name where a number does not prove its verdict.
"""

import collections, json, math, sys
import numpy as np


def masses(alpha, beta, t):
    """Least weight below t, and most up to it, of the quadrature that has t as a node (Chebyshev, Markov, Stieltjes)."""
    pivot, size = 0.0, max(abs(t), max(abs(alpha) + 2 * abs(beta)))
    for i, a in enumerate(alpha):
        pivot = a - t - (beta[i - 1] ** 2 / pivot if i else 0.0)
        pivot = pivot if abs(pivot) >= 2.0**-52 * size else math.copysign(2.0**-52 * size, pivot)
    J = np.diag(np.append(alpha, t + beta[-1] ** 2 / pivot)) + np.diag(beta, 1) + np.diag(beta, -1)
    nodes, vectors = np.linalg.eigh(J)
    sums = np.append(0, np.cumsum(vectors[0] ** 2))
    error = 16 * len(nodes) * 2.0**-53 * max(size, abs(nodes).max())
    gaps = np.concatenate([[math.inf], np.diff(nodes), [math.inf]])
    near = int(np.argmin(abs(nodes - t)))  # Nodes that rounding may not part go together.
    low = next(i for i in range(near, -1, -1) if gaps[i] > 16 * error)
    high = next(i for i in range(near + 1, len(gaps)) if gaps[i] > 16 * error)
    turn = {i: error / (gaps[i] - error) for i in (low, high)}
    moved = {i: s * (2 * math.sqrt(max(0, sums[i] * (1 - sums[i]))) + s) for i, s in turn.items()}
    return sums[low] - moved[low], sums[high] + moved[high]


def bound(proof, a, b):
    """The largest |cosine| of y with an eigenvector whose value lies in [a, b]."""
    alpha, beta, near, far, kappa = np.array(proof["alpha"]), np.array(proof["beta"]), 0.0, 0.0, 0.0
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
    proof, error, by, edges = vector["proof"], vector["vectorError"], vector["by"], vector["proof"].get("edges")
    is_known = "ritz" not in (vector["gapFrom"], proof.get("gapFrom")) and proof.get("isKnown", True)
    if by in ("intruder", "not") and not is_known:
        return False  # A gap that a random start alone tells of.
    by = ("intruder" if vector["intruder"] else "not") if by == "likely" else by
    match proof["kind"]:
        case "lanczos":
            whole = edges[0] <= proof["lambdaMin"] and edges[-1] >= proof["lambdaMax"] and edges == sorted(edges)
            closed = all(bound(proof, a, b) + error < epsilon for a, b in zip(edges, edges[1:]))
            return by == "intruder" and whole and closed
        case "bessel":
            return by == "intruder" and max(proof["best"], math.sqrt(max(0, 1 - proof["captured"]))) + error < epsilon
        case "witness":
            return by == "not" and proof["overlap"] - math.sqrt(2) * proof["residual"] / proof["gap"] - error >= epsilon
    return {"intruder": vector["upper"] < epsilon, "not": vector["lower"] >= epsilon}.get(by, True)


document, seen = json.load(open(sys.argv[1])), collections.Counter()
for matrix in document["matrices"] if isinstance(document, dict) else document:
    for v in matrix["vectors"]:
        if not proven(v, matrix["epsilon"]):
            sys.exit(f"{matrix['name']}: vector {v['index']} is not proven to be '{v['by']}'")
        seen["likely" if v["by"] == "likely" else v["proof"]["kind"]] += 1
print(json.dumps(seen))
