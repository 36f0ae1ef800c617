"""Vectors for a Spark DataFrame: `mapInArrow` over embedkit's pipe, one embedkit process a task.

Needs embedkit_pipe.py beside it, pyarrow, and embedkit on every machine. What happens to a task that fails is Spark's own business: it
runs again from its rows, and the committed output holds each row once.
"""

import pyarrow as pa
from embedkit_pipe import embed_batches
from pyspark import TaskContext
from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, BooleanType, FloatType, IntegerType, StringType, StructType


def embed(df: DataFrame, arguments=(), command=("embedkit",)) -> DataFrame:
    """The rows of `df` with the columns embedding, token_count, truncated and content_hash.

    `arguments` are flags of `embedkit embed`, such as ("--text-field", "body"). A process has as many engine threads as a task has
    CPUs (spark.task.cpus), unless --threads is among them.
    """

    def run(batches):
        threads = () if "--threads" in arguments else ("--threads", str(TaskContext.get().cpus()))
        for batch in embed_batches(batches, (*arguments, *threads), command):
            yield with_lists(batch)

    return df.mapInArrow(run, output_schema(df.schema))


def output_schema(schema: StructType) -> StructType:
    """The schema of `embed`'s DataFrame."""
    return (
        StructType(list(schema.fields))
        .add("embedding", ArrayType(FloatType(), False), False)
        .add("token_count", IntegerType(), False)
        .add("truncated", BooleanType(), False)
        .add("content_hash", StringType(), False)
    )


def with_lists(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Vectors as lists: Spark has no arrays of a fixed size. No value is copied."""
    at = batch.schema.get_field_index("embedding")
    vectors = batch.column(at)
    dim = vectors.type.list_size
    values = vectors.flatten().cast(pa.float32())
    offsets = pa.array(range(0, len(values) + 1, dim), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, values, type=pa.list_(pa.field("element", pa.float32(), False)))
    return batch.set_column(at, pa.field("embedding", lists.type, False), lists)
