"""Holds an evaluate.json against SciPy and pytrec_eval, on the vectors that it was made from.

usage: python benchmarks/evaluate_check.py FOLDER TEXTS.jsonl INT8.arrow FP32.arrow --sts FILE --retrieval BEIR_FOLDER
needs: PyPI numpy, scipy, pyarrow, pytrec_eval-terrier

The cosines are taken in double precision, the run keeps each query's 100 best documents, and a document with the query's own id is no
hit. Writes FOLDER/evaluate-check.json: every score beside embedkit's; exits 1 where two differ by more than 1e-9.
"""
import argparse
import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytrec_eval
from scipy.stats import spearmanr

MEASURES = {"ndcg_cut.10": ("ndcg", "ndcg_cut_10"), "recall.10": ("recall@10", "recall_10"), "recall.100": ("recall@100", "recall_100")}
MEASURES["recip_rank"] = ("mrr", "recip_rank")
HITS = 100
QUERY_PROMPT = "Represent this sentence for searching relevant passages: "


def jsonl(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]


def unit_vectors(texts, arrow):
    table = pa.ipc.open_file(arrow).read_all()
    flat = table.column("embedding").combine_chunks().values.to_numpy().astype(np.float64)
    vectors = flat.reshape(len(table), -1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return {text: vectors[row] for row, text in enumerate(texts)}


def sts_score(path, vectors):
    rows = [line.split("\t", 2) for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if row[0].replace(".", "", 1).isdigit()]
    cosines = [float(vectors[a] @ vectors[b]) for _, a, b in rows]
    return float(spearmanr(cosines, [float(score) for score, _, _ in rows]).statistic)


def retrieval_scores(folder, vectors):
    qrels = {}
    for line in (Path(folder) / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, score = line.split("\t")
        qrels.setdefault(query, {})[document] = int(score)
    corpus = jsonl(Path(folder) / "corpus.jsonl")
    ids = [row["_id"] for row in corpus]
    text_of = lambda row: (f"{row['title']} {row['text']}" if row["title"].strip() else row["text"]).strip()
    single = lambda vector: vector.astype(np.float32).astype(np.float64)
    documents = single(np.stack([vectors[text_of(row)] for row in corpus]))
    run = {}
    for row in jsonl(Path(folder) / "queries.jsonl"):
        if row["_id"] not in qrels:
            continue
        scores = (documents @ single(vectors[QUERY_PROMPT + row["text"].strip()])).astype(np.float32)
        hits = [hit for hit in zip(ids, scores.tolist()) if hit[0] != row["_id"]]
        run[row["_id"]] = dict(sorted(hits, key=lambda hit: (hit[1], hit[0]), reverse=True)[:HITS])
    answers = pytrec_eval.RelevanceEvaluator(qrels, set(MEASURES)).evaluate(run)
    return {ours: float(np.mean([answers[query][theirs] for query in qrels])) for ours, theirs in MEASURES.values()}


parser = argparse.ArgumentParser()
for name in ("folder", "texts", "int8", "fp32"):
    parser.add_argument(name, type=Path)
parser.add_argument("--sts", required=True)
parser.add_argument("--retrieval", required=True)
given = parser.parse_args()
report = json.loads((given.folder / "evaluate.json").read_text())
texts = [row["text"] for row in jsonl(given.texts)]
rows = []
for precision, side in (("int8", "value"), ("fp32", "against")):
    vectors = unit_vectors(texts, getattr(given, precision))
    theirs = {"sts": sts_score(given.sts, vectors), **retrieval_scores(given.retrieval, vectors)}
    for score in report["scores"]:
        rows.append({"precision": precision, "set": score["set"], "metric": score["metric"], "embedkit": score[side], "field": theirs[score["metric"]]})
versions = {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "pyarrow", "pytrec_eval-terrier")}
largest = max(abs(row["embedkit"] - row["field"]) for row in rows)
(given.folder / "evaluate-check.json").write_text(json.dumps({"versions": versions, "largest_difference": largest, "scores": rows}, indent=1) + "\n")
for row in rows:
    print(f"{row['precision']}  {row['set']:12}  {row['metric']:10}  {row['embedkit']:.10f}  {row['field']:.10f}")
print(f"largest difference {largest:.2e}")
sys.exit(0 if largest <= 1e-9 else 1)
