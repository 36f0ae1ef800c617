"""Writes test/golden/scores.json: what SciPy and pytrec_eval make of made-up values, runs and vectors.

usage: python test/golden/scores.py > test/golden/scores.json
needs: PyPI scipy, pytrec_eval-terrier (trec_eval behind the module name pytrec_eval)

All inputs come from random.Random(7) or stand below, and are written beside the answers. Ties are frequent on purpose:
values are drawn from few integers, documents have equal vectors, scores differ only beyond float32.
"""
import importlib.metadata
import json
import math
import platform
import random

import pytrec_eval
import scipy.stats

draw = random.Random(7)
CUTS = [1, 3, 10]


def spearman_case(a, b):
    return {"a": a, "b": b, "rho": float(scipy.stats.spearmanr(a, b).statistic)}


def ndcg_case(scores, relevance):
    measures = {f"ndcg_cut.{k}" for k in CUTS}
    answer = pytrec_eval.RelevanceEvaluator({"q": relevance}, measures).evaluate({"q": scores})["q"]
    return {"scores": scores, "relevance": relevance, "ndcg": {str(k): answer[f"ndcg_cut_{k}"] for k in CUTS}}


def integers(n, top):
    return [draw.randint(0, top) for _ in range(n)]


def gaussians(n):
    return [round(draw.gauss(0, 1), 3) for _ in range(n)]


def drawn_run(documents, judged, top_score):
    names = [f"d{number}" for number in range(documents)]
    scores = {name: float(draw.randint(0, top_score)) / 8 for name in draw.sample(names, documents)}
    return ndcg_case(scores, {name: draw.choice([-1, 0, 1, 1, 2, 3]) for name in draw.sample(names, judged)})


def cosine(a, b):
    dot = lambda x, y: sum(p * q for p, q in zip(x, y))
    return dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def sts_case(pairs):
    a, b = [gaussians(4) for _ in range(pairs)], [gaussians(4) for _ in range(pairs)]
    scores = integers(pairs, 5)
    return {"a": a, "b": b, "scores": scores, "rho": spearman_case([cosine(x, y) for x, y in zip(a, b)], scores)["rho"]}


def retrieval_case(queries, documents):
    ids = [str(number) for number in draw.sample(range(5, 5 + documents * 3), documents)]
    different = [gaussians(4) for _ in range(documents // 3)]
    vectors = [draw.choice(different) for _ in ids]
    asked = [gaussians(4) for _ in range(queries)]
    relevance = {str(q): {d: draw.choice([0, 1, 1, 2]) for d in draw.sample(ids, 6)} for q in range(queries)}
    run = {str(q): {d: cosine(asked[q], v) for d, v in zip(ids, vectors)} for q in range(queries)}
    answers = pytrec_eval.RelevanceEvaluator(relevance, {"ndcg_cut.10"}).evaluate(run)
    each = [answers[str(q)]["ndcg_cut_10"] for q in range(queries)]
    return {"ids": ids, "documents": vectors, "queries": asked, "relevance": relevance, "ndcg": sum(each) / queries}


golden = {
    "versions": {
        "python": platform.python_version(),
        "scipy": importlib.metadata.version("scipy"),
        "pytrec_eval-terrier": importlib.metadata.version("pytrec_eval-terrier"),
    },
    "spearman": [
        spearman_case([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]),
        spearman_case([1, 1, 2, 2], [4, 3, 3, 1]),
        spearman_case([0.0, -0.0, 1.5, -2.5, 1e300], [3, 1, 2, -1, 5]),
        spearman_case(gaussians(200), gaussians(200)),
        spearman_case(integers(200, 5), gaussians(200)),
        spearman_case(integers(150, 2), integers(150, 3)),
    ],
    "ndcg": [
        ndcg_case({"a": 3.0, "b": 2.0, "c": 1.0}, {"c": 1, "b": 2, "missing": 3}),
        ndcg_case({"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 2, "c": 1}),
        ndcg_case({"9": 1.0, "10": 1.0, "1": 1.0, "": 1.0}, {"10": 1, "1": 3}),
        ndcg_case({"a": 0.5 + 1e-12, "b": 0.5}, {"a": 1}),
        ndcg_case({"a": 0.5 + 1e-7, "b": 0.5}, {"a": 1}),
        ndcg_case({"\uff5e": 1.0, "\U0001f600": 1.0, "z": 1.0, "\u00e9": 1.0}, {"\U0001f600": 1, "z": 2}),
        ndcg_case({"a": 3.0, "b": 2.0, "c": 1.0}, {"a": -2, "b": 0, "c": 1}),
        ndcg_case({"a": 3.0, "b": 2.0}, {"a": 0, "b": -1}),
        ndcg_case({"a": 3.0}, {"b": 1}),
        *[drawn_run(30, 12, top) for top in (3, 20, 1000)],
        drawn_run(8, 8, 4),
    ],
    "sts": sts_case(40),
    "retrieval": retrieval_case(7, 30),
}
print(json.dumps(golden, indent=1))
