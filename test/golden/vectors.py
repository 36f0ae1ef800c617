"""Writes test/golden/vectors.f32: the vectors that Python's onnxruntime gives 200 texts with the source ONNX.

usage: python test/golden/vectors.py MODEL.onnx TOKENIZER.json examples/passages.jsonl test/golden
needs: PyPI onnxruntime, tokenizers, numpy

Text i of 200 is made of the passages: i % 4 + 1 of them from number i on, joined by a blank; every tenth text is a
title. So lengths run from a few tokens to beyond the limit of 512. The vector is the CLS row divided by its L2 norm.
Rows are little-endian float32; vectors.json says what made them.
"""
import hashlib
import json
import platform
import sys

import numpy
import onnxruntime
import tokenizers

model_path, tokenizer_path, passages_path, out = sys.argv[1:]
passages = [json.loads(line) for line in open(passages_path, encoding="utf8")]


def text_of(i):
    if i % 10 == 0:
        return passages[i]["title"]
    return " ".join(passage["text"] for passage in passages[i : i + i % 4 + 1])


tokenizer = tokenizers.Tokenizer.from_file(tokenizer_path)
tokenizer.enable_truncation(512)
session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])


def embed(text):
    ids = numpy.array([tokenizer.encode(text).ids], dtype=numpy.int64)
    feeds = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
    row = session.run(["last_hidden_state"], feeds)[0][0, 0]
    return row / numpy.linalg.norm(row)


vectors = numpy.stack([embed(text_of(i)) for i in range(200)]).astype("<f4")
vectors.tofile(f"{out}/vectors.f32")
facts = {
    "rows": 200,
    "dim": vectors.shape[1],
    "versions": {
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "tokenizers": tokenizers.__version__,
        "numpy": numpy.__version__,
    },
    "model_sha256": hashlib.sha256(open(model_path, "rb").read()).hexdigest(),
    "passages_sha256": hashlib.sha256(open(passages_path, "rb").read()).hexdigest(),
}
json.dump(facts, open(f"{out}/vectors.json", "w"), indent=1)
