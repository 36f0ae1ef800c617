"""PyPI `mteb` drives embedkit: an encoder whose vectors come from `embedkit embed`, one process a call.

    model = EmbedkitEncoder(["embedkit"], precision="int8")
    mteb.evaluate(model, [task])

Queries get the model's own query prompt, documents its document prompt, everything else none: what `embedkit evaluate` does.
"""
from __future__ import annotations

import io
import json
import subprocess

import numpy as np
import pyarrow as pa
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_meta import ModelMeta, ScoringFunction
from mteb.types import PromptType

PROMPTS = {PromptType.query: "query", PromptType.document: "document"}


class EmbedkitEncoder(AbsEncoder):
    """`command` starts embedkit: ["embedkit"], or ["node", "bin/embedkit.js"] in a clone. `model` is a folder or a shipped name."""

    def __init__(self, command: list[str], model: str = "bge-small-en-v1.5", precision: str = "int8", threads: int | None = None):
        self.command = [*command, "embed", "-", "--from", "jsonl", "--to", "arrow", "-o", "-", "--quiet"]
        self.command += ["--model", model, "--precision", precision, *([] if threads is None else ["--threads", str(threads)])]
        name = model.rstrip("/").split("/")[-1]
        self.mteb_model_meta = ModelMeta.create_empty(
            {"name": f"embedkit/{name}-{precision}", "revision": "local", "similarity_fn_name": ScoringFunction.COSINE}
        )

    def encode(self, inputs, *, task_metadata, hf_split, hf_subset, prompt_type=None, **kwargs) -> np.ndarray:
        texts = [text for batch in inputs for text in batch["text"]]
        return self.vectors(texts, PROMPTS.get(prompt_type, "none"))

    def vectors(self, texts: list[str], prompt: str) -> np.ndarray:
        """len(texts) x dim float32, row i for texts[i]. An empty text, which embedkit puts aside, is embedded as a full stop."""
        lines = "".join(json.dumps({"id": str(row), "text": text if text.strip() else "."}) + "\n" for row, text in enumerate(texts))
        ran = subprocess.run([*self.command, "--prompt", prompt], input=lines.encode(), capture_output=True)
        if ran.returncode != 0:
            raise RuntimeError(ran.stderr.decode().strip())
        table = pa.ipc.open_stream(io.BytesIO(ran.stdout)).read_all()
        column = table.column("embedding").combine_chunks()
        return np.asarray(column.values).reshape(len(table), -1)
