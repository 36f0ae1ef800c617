"""Embeds a Parquet table with Spark while an executor is killed half-way, and holds every row against embedkit alone.

Usage: drill.py [--rows 400] [--partitions 12] [--no-kill] [--] <embedkit's command...>. Prints one line of JSON; needs pyspark and Java.
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
        facts = embed_with_spark(asked, corpus, output)
        rows = pyarrow.dataset.dataset(output, format="parquet", exclude_invalid_files=True).to_table().sort_by("n")
        print(json.dumps({**facts, **compare(rows, alone)}))


def embed_with_spark(asked, corpus, output):
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "16")
        .getOrCreate()
    )
    try:
        spark.sparkContext.setLogLevel("OFF")
        for module in (HERE.parent / "pipe/embedkit_pipe.py", HERE / "embedkit_spark.py"):
            spark.sparkContext.addPyFile(str(module))
        from embedkit_spark import embed

        killed = []
        if not asked.no_kill:
            threading.Thread(target=kill_half_way, args=(spark.sparkContext, killed), daemon=True).start()
        df = spark.read.parquet(corpus).repartition(asked.partitions)
        embed(df, ("--batch-tokens", "256"), asked.command).write.parquet(output)
        return {"killed": len(killed), "executors": len(executors())}
    finally:
        spark.stop()


def kill_half_way(context, killed):
    """SIGKILL to one executor as soon as some tasks of the embedding stage are done and others are under way."""
    tracker = context.statusTracker()
    while not killed:
        time.sleep(0.02)
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        if any(stage and stage.numTasks > 4 and stage.numCompletedTasks >= 3 and stage.numActiveTasks > 0 for stage in stages):
            victim = executors()[0]
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)


def executors():
    """Process ids of this program's executors."""
    return [pid for pid in children(os.getpid()) if b"CoarseGrainedExecutorBackend" in read(f"/proc/{pid}/cmdline")]


if __name__ == "__main__":
    main()
