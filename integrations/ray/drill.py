"""Embeds a Parquet table with Ray while an actor is killed half-way, and holds every row against embedkit alone.

Usage: drill.py [--rows 400] [--no-kill] [--] <embedkit's command...>. Prints one line of JSON; needs ray[data].
"""

import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time

import pyarrow.dataset

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "pipe")]

from drill_table import arguments, children, compare, embed_alone, read, write_corpus  # noqa: E402


def main():
    asked = arguments()
    with tempfile.TemporaryDirectory() as folder:
        corpus, output = f"{folder}/corpus", f"{folder}/vectors"
        write_corpus(corpus, asked.rows)
        alone = embed_alone(asked.command, corpus, f"{folder}/alone.arrow")
        facts = embed_with_ray(asked, corpus, output)
        rows = pyarrow.dataset.dataset(output, format="parquet").to_table().sort_by("n")
        print(json.dumps({**facts, **compare(rows, alone)}))


def embed_with_ray(asked, corpus, output):
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
    import ray
    import ray.data
    from embedkit_ray import embed

    ray.init(num_cpus=3, include_dashboard=False, logging_level="ERROR", log_to_driver=False, object_store_memory=128 * 2**20)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        killed = []
        if not asked.no_kill:
            threading.Thread(target=kill_half_way, args=(killed,), daemon=True).start()
        embed(ray.data.read_parquet(corpus, override_num_blocks=asked.partitions), ("--batch-tokens", "256"), asked.command, actors=2, batch_size=16).write_parquet(output)
        return {"killed": len(killed)}
    finally:
        ray.shutdown()


def kill_half_way(killed):
    """SIGKILL to one actor's process as soon as its embedkit has answered some batches."""
    while not killed:
        time.sleep(0.01)
        for pid in children(os.getpid()):
            if b"ray::" in read(f"/proc/{pid}/cmdline") and any(has_answered(child) for child in children(pid)):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                return


def has_answered(pid):
    """Whether a process is an embedkit that has written the vectors of more than 32 rows."""
    written = [int(line.split()[1]) for line in read(f"/proc/{pid}/io").splitlines() if line.startswith(b"wchar")]
    return b"arrow-stream" in read(f"/proc/{pid}/cmdline") and written > [33 * 384 * 4]


if __name__ == "__main__":
    main()
