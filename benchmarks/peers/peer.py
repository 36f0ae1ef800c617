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
        "sorted": args.sort,
        "texts": len(texts),
        "load_seconds": round(load_seconds, 3),
        "seconds": round(seconds, 4),
        "texts_per_second": round(len(texts) / seconds, 2),
        "peak_rss_mb": peak_rss_mb(),
    }))


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
