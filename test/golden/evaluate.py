"""Writes test/golden/evaluate.json: what pytrec_eval and scikit-learn make of made-up runs and vectors.

usage: python test/golden/evaluate.py > test/golden/evaluate.json
needs: PyPI pytrec_eval-terrier (trec_eval behind the module name pytrec_eval), scikit-learn

All inputs come from random.Random(11) and are written beside the answers. Ties are frequent on purpose, and some queries
have the id of a document, which is left out of their runs as mteb and BEIR leave it out.
"""
import importlib.metadata
import json
import math
import platform
import random

import pytrec_eval
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

draw = random.Random(11)
MEASURES = {"ndcg_cut.10", "recall.10,100", "recip_rank"}
NAMES = ["ndcg_cut_10", "recall_10", "recall_100", "recip_rank"]


def measured(relevance, run):
    answers = pytrec_eval.RelevanceEvaluator(relevance, MEASURES).evaluate(run)
    return {name: [answers[query][name] for query in relevance] for name in NAMES}


def gaussians(n):
    return [round(draw.gauss(0, 1), 3) for _ in range(n)]


def cosine(a, b):
    dot = lambda x, y: sum(p * q for p, q in zip(x, y))
    return dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def best(hits, k):
    """The k first as trec_eval orders them: by float32 score, then by id, the greatest first."""
    return dict(sorted(hits.items(), key=lambda hit: (hit[1], hit[0].encode()), reverse=True)[:k])


def run_case(queries, documents):
    names = [f"d{number}" for number in range(documents)]
    run = {f"q{q}": {name: draw.randint(0, 60) / 8 for name in draw.sample(names, documents - 10 * q)} for q in range(queries)}
    relevance = {query: {name: draw.choice([-1, 0, 1, 1, 2]) for name in draw.sample(names, 9)} for query in run}
    relevance["q1"] = {name: 0 for name in relevance["q1"]}
    return {"run": run, "relevance": relevance, **measured(relevance, {q: best(hits, 100) for q, hits in run.items()})}


def retrieval_case(queries, documents):
    ids = [str(number) for number in draw.sample(range(documents * 2), documents)]
    different = [gaussians(4) for _ in range(documents // 3)]
    vectors = [draw.choice(different) for _ in ids]
    names = [*draw.sample(ids, queries - 2), "none-1", "none-2"]
    # A query that has a document's id is that document: without the rule it would find itself first.
    asked = [vectors[ids.index(name)] if name in ids else gaussians(4) for name in names]
    relevance = {name: {d: draw.choice([0, 1, 1, 2]) for d in draw.sample(ids, 8) if d != name} for name in names}
    run = {name: {d: cosine(q, v) for d, v in zip(ids, vectors) if d != name} for name, q in zip(names, asked)}
    answers = measured(relevance, {query: best(hits, 100) for query, hits in run.items()})
    return {"ids": ids, "documents": vectors, "names": names, "queries": asked, "relevance": relevance, **answers}


def logistic_case(rows, tested, dim, classes):
    centres = [gaussians(dim) for _ in range(classes)]
    labels = [draw.randrange(classes) for _ in range(rows + tested)]
    vectors = [[round(c + draw.gauss(0, 1.2), 3) for c in centres[label]] for label in labels]
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=100000).fit(vectors[:rows], labels[:rows])
    predicted = [int(label) for label in model.predict(vectors[rows:])]
    truth = labels[rows:]
    return {
        "vectors": vectors,
        "labels": labels,
        "rows": rows,
        "classes": classes,
        "weights": [[*coefficients, constant] for coefficients, constant in zip(model.coef_.tolist(), model.intercept_.tolist())],
        "predicted": predicted,
        "accuracy": accuracy_score(truth, predicted),
        "f1": f1_score(truth, predicted, average="macro", zero_division=0),
    }


golden = {
    "versions": {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("pytrec_eval-terrier", "scikit-learn")},
    },
    "runs": run_case(6, 130),
    "retrieval": retrieval_case(8, 140),
    "logistic": [logistic_case(120, 60, 6, 3), logistic_case(80, 40, 5, 2)],
}
print(json.dumps(golden))
