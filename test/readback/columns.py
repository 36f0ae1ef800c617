"""Reads embedkit's columns with the readers that people use, and compares types and every value with what was meant.

usage: python test/readback/columns.py CASE.json
needs: PyPI pyarrow, duckdb, polars, numpy

Prints a JSON object: the versions of the readers and the number of checks that held. Exits 1 with one line on stderr at
the first that does not. CASE.json: {"dim", "rows", "dtype", "vectors": raw little-endian float32 file,
"row_groups": [rows...], "files": {"parquet": path, "arrow": path}, "columns": {name: [values]},
"types": {name: pyarrow type as text}, "provenance": {key: value}}.
"""
import json
import sys

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

checks = 0


def check(holds, what):
    global checks
    if not holds:
        sys.exit(f"readback: {what}")
    checks += 1


def same_bits(found, expected, what):
    """float16 values are exact in float32, so that both kinds can be compared there."""
    found = np.ascontiguousarray(found, dtype=np.float32).reshape(-1)
    check(found.shape == expected.shape, f"{what}: {found.shape} values, not {expected.shape}")
    differing = np.flatnonzero(found.view(np.uint32) != expected.view(np.uint32))
    check(differing.size == 0, f"{what}: {differing.size} values differ, the first at {differing[:1]}")


def plain(value):
    """Values as JSON has them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def check_columns(case, read, what):
    for name, values in case["columns"].items():
        check(plain(read(name)) == values, f"{what}: column {name} differs")


def check_pyarrow(case, expected, table, what):
    width = {"float32": "float", "float16": "halffloat"}[case["dtype"]]
    embedding = table.schema.field("embedding")
    check(str(embedding.type).replace(" not null", "") == f"fixed_size_list<item: {width}>[{case['dim']}]", f"{what}: {embedding.type}")
    check(not embedding.nullable and not table.schema.field("id").nullable, f"{what}: id or embedding may be null")
    for name, wanted in case["types"].items():
        found = str(table.schema.field(name).type)
        check(found == wanted, f"{what}: {name} is {found}, not {wanted}")
    check(table.num_rows == case["rows"], f"{what}: {table.num_rows} rows")
    values = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in table["embedding"].chunks]
    same_bits(np.concatenate(values), expected, what)
    check_columns(case, lambda name: table[name].to_pylist(), what)


def check_provenance(case, metadata, what):
    found = json.loads(metadata[b"embedkit"])
    for key, value in case["provenance"].items():
        check(found.get(key) == value, f"{what}: provenance {key} is {found.get(key)!r}, not {value!r}")


def check_polars(case, expected, frame, what):
    inner = {"float32": pl.Float32, "float16": getattr(pl, "Float16", None)}[case["dtype"]]
    check(frame.schema["embedding"] == pl.Array(inner, case["dim"]), f"{what}: {frame.schema['embedding']}")
    same_bits(frame["embedding"].to_numpy(), expected, what)
    check_columns(case, lambda name: frame[name].to_list(), what)


def check_duckdb(case, expected, path):
    relation = duckdb.sql(f"SELECT *, embedding::FLOAT[{case['dim']}] AS vector, embedding[1] AS first FROM '{path}'")
    types = dict(zip(relation.columns, map(str, relation.types)))
    check(types["embedding"] == "FLOAT[]" and types["vector"] == f"FLOAT[{case['dim']}]", f"DuckDB: {types}")
    read = relation.fetchnumpy()
    same_bits(np.stack(read["vector"]), expected, "DuckDB")
    same_bits(read["first"], expected.reshape(case["rows"], -1)[:, 0].copy(), "DuckDB, embedding[1]")
    names = ", ".join(f'"{name}"' for name in case["columns"])
    rows = duckdb.sql(f"SELECT {names} FROM '{path}'").fetchall()
    check_columns(case, lambda name: [row[list(case["columns"]).index(name)] for row in rows], "DuckDB")


def check_parquet(case, expected):
    path = case["files"]["parquet"]
    file = pq.ParquetFile(path)
    groups = [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
    check(groups == case["row_groups"], f"Parquet: row groups of {groups}")
    check_provenance(case, file.metadata.metadata, "Parquet")
    check_pyarrow(case, expected, file.read(), "pyarrow, Parquet")
    check_polars(case, expected, pl.read_parquet(path), "Polars, Parquet")
    check_duckdb(case, expected, path)


def check_arrow(case, expected):
    path = case["files"]["arrow"]
    with pa.memory_map(path) as source:
        reader = pa.ipc.open_file(source)
        groups = [reader.get_batch(index).num_rows for index in range(reader.num_record_batches)]
        check(groups == case["row_groups"], f"Arrow: record batches of {groups}")
        check_provenance(case, reader.schema.metadata, "Arrow")
        check_pyarrow(case, expected, reader.read_all(), "pyarrow, Arrow")
    check_polars(case, expected, pl.read_ipc(path), "Polars, Arrow")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        case = json.load(file)
    expected = np.fromfile(case["vectors"], dtype="<f4")
    check_parquet(case, expected)
    check_arrow(case, expected)
    versions = {"pyarrow": pa.__version__, "duckdb": duckdb.__version__, "polars": pl.__version__, "numpy": np.__version__}
    print(json.dumps({"versions": versions, "checks": checks}))


main()
