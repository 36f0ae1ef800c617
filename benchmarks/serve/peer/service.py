"""A peer: sentence-transformers behind FastAPI, as both projects' first pages show it.

    MODEL=FOLDER python -m uvicorn service:app --port PORT

A plain `def` route, which FastAPI runs in its thread pool, and `encode` with its defaults. Answers the request that
`embedkit bench --url` sends.
"""
import os
from importlib.metadata import version

from fastapi import FastAPI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer

app = FastAPI()
model = SentenceTransformer(os.environ["MODEL"], device="cpu", local_files_only=True)
VERSIONS = {name: version(name) for name in ["fastapi", "uvicorn", "sentence-transformers", "transformers", "torch"]}


class Body(BaseModel):
    texts: list[str]


@app.post("/embed")
def embed(body: Body):
    embeddings = model.encode(body.texts, show_progress_bar=False)
    tokens = sum(len(ids) for ids in model.tokenizer(body.texts, truncation=True)["input_ids"])
    return {"embeddings": embeddings.tolist(), "tokens": tokens}


@app.get("/info")
def info():
    return {"peer": "fastapi + sentence-transformers", "versions": VERSIONS, "model": os.environ["MODEL"].rsplit("/", 1)[-1]}
