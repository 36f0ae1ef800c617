"""What the drills of Spark and Ray share: a Parquet table of texts, embedkit alone on it, and the comparison."""

import argparse
import os
import pathlib
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq

WORDS = "the river ran slow past old mill and a cold wind came down from hills where sheep had grazed since spring".split()


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--no-kill", action="store_true")
    parser.add_argument("command", nargs="*", default=["embedkit"])
    return parser.parse_args()


def write_corpus(folder, rows):
    os.makedirs(folder)
    texts = [" ".join(WORDS[(row * 7 + word * (row % 5 + 1)) % len(WORDS)] for word in range(6 + row % 9)) + f" {row}" for row in range(rows)]
    table = pa.table({"n": pa.array(range(rows), pa.int64()), "text": texts, "tags": [[str(row % 3)] * (row % 4) for row in range(rows)]})
    for part in range(4):
        pq.write_table(table.slice(part * rows // 4, (part + 1) * rows // 4 - part * rows // 4), f"{folder}/part-{part}.parquet")


def embed_alone(command, corpus, output):
    subprocess.run([*command, "embed", corpus, "-o", output, "--keep", "n", "--quiet"], check=True)
    with pa.OSFile(output) as file:
        return pa.ipc.open_file(file).read_all().sort_by("n")


def children(pid):
    found = [int(child) for thread in os.listdir(f"/proc/{pid}/task") for child in read(f"/proc/{pid}/task/{thread}/children").split()]
    return [*found, *(deeper for child in found if os.path.exists(f"/proc/{child}") for deeper in children(child))]


def read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""


def compare(rows, alone):
    """Rows lost, doubled, and with other bits than alone."""
    numbers = rows.column("n").to_pylist()
    wanted = alone.column("n").to_pylist()
    doubled = len(numbers) - len(set(numbers))
    same = numbers == wanted and vectors(rows) == vectors(alone)
    return {
        "rows": len(numbers),
        "lost": len(set(wanted) - set(numbers)),
        "doubled": doubled,
        "same_bits": same and rows.column("content_hash").to_pylist() == alone.column("content_hash").to_pylist(),
        "tags": rows.column("tags").to_pylist() == [[str(row % 3)] * (row % 4) for row in numbers],
    }


def vectors(table):
    column = table.column("embedding").combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).tobytes()
