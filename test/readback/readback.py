"""Reads an output of embedkit with pyarrow, DuckDB and Polars and holds it against what went in.

usage: python test/readback/readback.py FOLDER
needs: PyPI pyarrow, duckdb, polars, numpy

FOLDER holds out.parquet, out.arrow, half.parquet, int8 and binary as .parquet and .arrow, expected.json ({rows, dim, ids, years,
ranges}; ranges null: those of the provenance) and expected.f32, the vectors as raw little-endian float32. Prints the versions; any difference ends in an AssertionError.
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

# int8 and binary: the codes by numpy, from the vectors and the ranges that the file or the test names
def check_codes(name, arrow_type, polars_type, duckdb_type, codes):
    width = codes.shape[1]
    for extension, read in (("parquet", pyarrow.parquet.read_table), ("arrow", pyarrow.feather.read_table)):
        column = read(f"{folder}/{name}.{extension}")["embedding"]
        assert column.type.value_type == arrow_type and column.type.list_size == width, column.type
        flat = numpy.concatenate([chunk.flatten().to_numpy() for chunk in column.chunks])
        assert flat.dtype == codes.dtype and (flat.reshape(codes.shape) == codes).all(), f"pyarrow, {name}.{extension}"
    for frame in (polars.read_parquet(f"{folder}/{name}.parquet"), polars.read_ipc(f"{folder}/{name}.arrow")):
        assert frame.schema["embedding"] == polars.Array(polars_type, width), frame.schema
        assert (frame["embedding"].to_numpy() == codes).all(), f"Polars, {name}"
    found = duckdb.sql(f"SELECT typeof(embedding), embedding FROM '{folder}/{name}.parquet'").fetchall()
    assert found[0][0] in (f"{duckdb_type}[{width}]", f"{duckdb_type}[]"), found[0][0]
    assert (numpy.array([list(vector) for _, vector in found]) == codes).all(), f"DuckDB, {name}"


ranges = expected["ranges"]
if ranges is None:
    ranges = json.loads(pyarrow.parquet.read_metadata(f"{folder}/int8.parquet").metadata[b"embedkit"])["int8_ranges"]
minimum, maximum = numpy.array(ranges["minimum"]), numpy.array(ranges["maximum"])
vectors = bits.view("<f4").astype(numpy.float64)
steps = numpy.clip(numpy.floor((vectors - minimum) / ((maximum - minimum) / 255) + 0.5), 0, 255)
check_codes("int8", pyarrow.int8(), polars.Int8, "TINYINT", (steps - 128).astype(numpy.int8))
check_codes("binary", pyarrow.uint8(), polars.UInt8, "UTINYINT", numpy.packbits(vectors > 0, axis=-1))

print(f"pyarrow {pyarrow.__version__}, duckdb {duckdb.__version__}, polars {polars.__version__}: {rows} x {dim} bit for bit")
