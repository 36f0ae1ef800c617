"""Reads an output of embedkit with pyarrow, DuckDB and Polars and holds it against what went in.

usage: python test/readback/readback.py FOLDER
needs: PyPI pyarrow, duckdb, polars, numpy

FOLDER holds out.parquet, out.arrow, half.parquet, expected.json ({rows, dim, ids, years}) and expected.f32, the
vectors as raw little-endian float32. Prints the versions; any difference ends in an AssertionError.
"""
import json
import sys

import duckdb
import numpy
import polars
import pyarrow
import pyarrow.feather
import pyarrow.parquet

folder = sys.argv[1]
expected = json.load(open(f"{folder}/expected.json"))
rows, dim = expected["rows"], expected["dim"]
bits = numpy.fromfile(f"{folder}/expected.f32", dtype="<u4").reshape(rows, dim)
half_bits = bits.view("<f4").astype("<f2").view("<u2")


def same(vectors, what):
    found = numpy.ascontiguousarray(vectors, dtype="<f4").view("<u4").reshape(rows, dim)
    assert (found == bits).all(), f"{what}: {(found != bits).sum()} values differ"


def check_table(table, what):
    assert table.schema.field("embedding").type == pyarrow.list_(pyarrow.field("item", pyarrow.float32(), nullable=False), dim), table.schema
    types = {name: str(table.schema.field(name).type) for name in ("id", "year", "token_count", "truncated", "content_hash")}
    assert types == {"id": "string", "year": "int64", "token_count": "int32", "truncated": "bool", "content_hash": "string"}, types
    assert table["id"].to_pylist() == expected["ids"], what
    assert table["year"].to_pylist() == expected["years"], what
    flat = [chunk.flatten().to_numpy() for chunk in table["embedding"].chunks]
    same(numpy.concatenate(flat), what)


# pyarrow
parquet = pyarrow.parquet.ParquetFile(f"{folder}/out.parquet")
groups = [parquet.metadata.row_group(i).num_rows for i in range(parquet.metadata.num_row_groups)]
assert groups == [4096] * (rows // 4096) + [rows % 4096] * (rows % 4096 > 0), groups
provenance = json.loads(parquet.metadata.metadata[b"embedkit"])
assert provenance == expected["provenance"], provenance
check_table(parquet.read(), "pyarrow, Parquet")
arrow = pyarrow.feather.read_table(f"{folder}/out.arrow")
check_table(arrow, "pyarrow, Arrow")
assert json.loads(arrow.schema.metadata[b"embedkit"]) == expected["provenance"]

half = pyarrow.parquet.read_table(f"{folder}/half.parquet")["embedding"]
assert half.type.value_type == pyarrow.float16() and half.type.list_size == dim, half.type
found = numpy.concatenate([chunk.flatten().to_numpy() for chunk in half.chunks]).view("<u2").reshape(rows, dim)
assert (found == half_bits).all(), "pyarrow, float16"

# DuckDB
column = duckdb.sql(f"SELECT typeof(embedding) FROM '{folder}/out.parquet' LIMIT 1").fetchall()[0][0]
assert column in (f"FLOAT[{dim}]", "FLOAT[]"), column
fetched = duckdb.connect().execute(f"SELECT id, embedding, embedding[1] AS first FROM '{folder}/out.parquet'").fetchnumpy()
assert list(fetched["id"]) == expected["ids"], "DuckDB ids"
same(numpy.stack([numpy.asarray(vector, dtype="<f4") for vector in fetched["embedding"]]), "DuckDB")
assert (numpy.asarray(fetched["first"], dtype="<f4").view("<u4") == bits[:, 0]).all(), "DuckDB embedding[1]"

# Polars
for name, frame in (("Parquet", polars.read_parquet(f"{folder}/out.parquet")), ("Arrow", polars.read_ipc(f"{folder}/out.arrow"))):
    assert frame.schema["embedding"] == polars.Array(polars.Float32, dim), frame.schema
    assert frame["id"].to_list() == expected["ids"], f"Polars {name} ids"
    same(frame["embedding"].to_numpy(), f"Polars, {name}")

print(f"pyarrow {pyarrow.__version__}, duckdb {duckdb.__version__}, polars {polars.__version__}: {rows} x {dim} bit for bit")
