"""Embeds an Arrow stream's rows with Spark on two local cores; prints the seconds from reading the table to its last row written.

Usage: pipe_spark.py IN.arrows OUT embedkit's command...; needs pyspark and Java.
"""

import json
import os
import pathlib
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq

INTEGRATIONS = pathlib.Path(__file__).resolve().parent.parent / "integrations"
sys.path[:0] = [str(INTEGRATIONS / "spark"), str(INTEGRATIONS / "pipe")]
os.environ["PYSPARK_PYTHON"] = sys.executable

from embedkit_spark import embed  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

source, output, *command = sys.argv[1:]
table = pa.ipc.open_stream(source).read_all()
pq.write_table(table, f"{output}.in.parquet")
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
for module in ("pipe/embedkit_pipe.py", "spark/embedkit_spark.py"):
    spark.sparkContext.addPyFile(str(INTEGRATIONS / module))
spark.range(2).repartition(2).mapInArrow(lambda batches: batches, "id long").count()
started = time.monotonic()
embed(spark.read.parquet(f"{output}.in.parquet").repartition(2), (), command).write.parquet(output)
seconds = time.monotonic() - started
rows = spark.read.parquet(output).count()
spark.stop()
assert rows == table.num_rows
print(json.dumps({"seconds": seconds, "rows": rows}))
