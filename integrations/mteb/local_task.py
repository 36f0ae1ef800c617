"""Runs mteb on local files and prints its main scores as JSON: an STS TSV (score, a, b) or a folder in the layout of BEIR.

usage: python local_task.py PATH... [--precision int8|fp32] [--command "node bin/embedkit.js"]

Nothing is fetched: the tasks are made here, out of the files.
"""
from __future__ import annotations

import argparse
import csv
import json
import shlex
from pathlib import Path

import mteb
from datasets import Dataset
from embedkit_mteb import EmbedkitEncoder
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.sts import AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata

UNKNOWN = "reference date domains task_subtypes license annotations_creators dialect sample_creation bibtex_citation".split()


def metadata_of(name: str, kind: str, score: str) -> TaskMetadata:
    return TaskMetadata(
        name=name,
        description="Local files.",
        type=kind,
        category="t2t",
        modalities=["text"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score=score,
        dataset={"path": "local", "revision": "local"},
        **{field: None for field in UNKNOWN},
    )


def sts_task(path: Path) -> AbsTaskSTS:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if row]
    rows = rows if rows[0][0].replace(".", "").isdigit() else rows[1:]

    class LocalSTS(AbsTaskSTS):
        metadata = metadata_of("LocalSTS", "STS", "cosine_spearman")

        def load_data(self, **kwargs):
            columns = {"score": [float(row[0]) for row in rows], "sentence1": [row[1] for row in rows], "sentence2": [row[2] for row in rows]}
            self.dataset = {"test": Dataset.from_dict(columns)}
            self.data_loaded = True

    return LocalSTS()


def retrieval_task(folder: Path) -> AbsTaskRetrieval:
    def rows(name: str) -> list[dict]:
        return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines() if line.strip()]

    relevant: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines():
        query, document, score = line.split("\t")
        if score.lstrip("-").isdigit():
            relevant.setdefault(query, {})[document] = int(score)
    corpus = [{"id": row["_id"], "title": row.get("title") or "", "text": row["text"]} for row in rows("corpus.jsonl")]
    queries = [{"id": row["_id"], "text": row["text"]} for row in rows("queries.jsonl") if row["_id"] in relevant]

    class LocalRetrieval(AbsTaskRetrieval):
        metadata = metadata_of("LocalRetrieval", "Retrieval", "ndcg_at_10")
        ignore_identical_ids = True

        def load_data(self, **kwargs):
            texts = {"corpus": Dataset.from_list(corpus), "queries": Dataset.from_list(queries)}
            self.dataset = {"default": {"test": {**texts, "relevant_docs": relevant, "top_ranked": None}}}
            self.data_loaded = True

    return LocalRetrieval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--command", default="embedkit")
    given = parser.parse_args()
    model = EmbedkitEncoder(shlex.split(given.command), precision=given.precision)
    found = {}
    for path in given.paths:
        task = retrieval_task(path) if path.is_dir() else sts_task(path)
        results = mteb.evaluate(model, [task], cache=None, show_progress_bar=False)
        scores = results.task_results[0].scores["test"][0]
        names = ["ndcg_at_10", "recall_at_10", "recall_at_100"] if path.is_dir() else ["cosine_spearman"]
        found[path.stem] = {name: scores[name] for name in names}
    print(json.dumps({"mteb": mteb.__version__, "model": model.mteb_model_meta.name, "scores": found}))


main()
