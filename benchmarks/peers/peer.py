"""What the Python peers share: arguments, thread budget, timing, the JSON line."""
import argparse
import json
import os
import platform
import time
from importlib.metadata import version


def run(peer, packages, load):
    """load(args) imports the library and returns texts -> float32 array of N x 384."""
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    p.add_argument("--texts", required=True)
    p.add_argument("--limit", type=int, default=1000)
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--vectors")
    p.add_argument("--variant", default="fp32", help="which file or arithmetic of the model, where the peer has several")
    p.add_argument("--sort", action="store_true", help="longest text first, order restored after")
    args = p.parse_args()

    # Read at import by OpenMP, MKL and the Rust tokenizers; nothing here may use more.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = str(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"

    with open(args.texts, encoding="utf-8", newline="\n") as f:
        texts = [line.removesuffix("\n") for _, line in zip(range(args.limit), f)]

    start = time.perf_counter()
    embed = load(args)
    load_seconds = time.perf_counter() - start
    if args.sort:
        embed = sorted_by_length(embed)
    embed(texts[:32])

    start = time.perf_counter()
    vectors = embed(texts)
    seconds = time.perf_counter() - start

    assert vectors.shape == (len(texts), 384) and vectors.dtype == "float32", (vectors.shape, vectors.dtype)
    if args.vectors:
        vectors.astype("<f4").tofile(args.vectors)
    print(json.dumps({
        "peer": peer,
        "versions": {"python": platform.python_version(), **{n: version(n) for n in packages}},
        "batch": args.batch,
        "threads": args.threads,
        "variant": args.variant,
        "sorted": args.sort,
        "texts": len(texts),
        "load_seconds": round(load_seconds, 3),
        "seconds": round(seconds, 4),
        "texts_per_second": round(len(texts) / seconds, 2),
        "peak_rss_mb": peak_rss_mb(),
    }))


def padded_batches(args, run_batch, run_all=None, equal_lengths=False):
    """texts -> vectors of unit length: tokenized by the Rust library, padded to the longest of each batch, the CLS row taken.

    equal_lengths: batches of texts of one length instead, for a model that takes no mask.
    """
    import numpy as np
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(f"{args.model}/tokenizer.json")
    tokenizer.enable_truncation(512)
    if not equal_lengths:
        tokenizer.enable_padding()

    def feeds_of(encoded):
        as_array = lambda of: np.array([of(e) for e in encoded], dtype=np.int64)  # noqa: E731
        return {
            "input_ids": as_array(lambda e: e.ids),
            "attention_mask": as_array(lambda e: e.attention_mask),
            "token_type_ids": as_array(lambda e: e.type_ids),
        }

    def embed(texts):
        if equal_lengths:
            encoded = tokenizer.encode_batch(texts)
            groups = equal_groups([len(e.ids) for e in encoded], args.batch)
            batches = [feeds_of([encoded[i] for i in group]) for group in groups]
        else:
            groups = [range(i, min(i + args.batch, len(texts))) for i in range(0, len(texts), args.batch)]
            batches = [feeds_of(tokenizer.encode_batch([texts[i] for i in group])) for group in groups]
        out = run_all(batches) if run_all else [run_batch(b) for b in batches]
        rows = np.empty((len(texts), out[0].shape[1]), np.float32)
        for group, some in zip(groups, out):
            rows[list(group)] = some
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    return embed


def equal_groups(lengths, batch):
    """Row numbers in groups of one length, at most `batch` rows each, longest first."""
    of_length = {}
    for row, length in enumerate(lengths):
        of_length.setdefault(length, []).append(row)
    rows_of = (of_length[length] for length in sorted(of_length, reverse=True))
    return [rows[i : i + batch] for rows in rows_of for i in range(0, len(rows), batch)]


def sorted_by_length(embed):
    """What any user can put around a library that pads each batch to its longest text."""
    def embed_sorted(texts):
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        rows = embed([texts[i] for i in order])
        vectors = rows.copy()
        vectors[order] = rows
        return vectors
    return embed_sorted


def peak_rss_mb():
    # Not getrusage: its maximum can be inherited from the process that started this one.
    with open("/proc/self/status") as f:
        return round(next(int(l.split()[1]) for l in f if l.startswith("VmHWM")) / 1024, 1)
