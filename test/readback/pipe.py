"""The other end of embedkit's pipe: pyarrow sends record batches and holds the answers against them. Prints one line of JSON.

Usage: pipe.py <case> <command...>, the command being embedkit's up to its subcommand.
"""

import decimal
import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow as pa

ROWS = 11


def start(*flags):
    command = [*sys.argv[2:], "embed", "-", "--from", "arrow-stream", "--to", "arrow-stream", "-o", "-", "--quiet", "--threads", "1", *flags]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def numbers(type):
    return pa.array([None if row % 4 == 0 else row for row in range(ROWS)], type)


def some(values, type=None):
    return pa.array([None if row % 4 == 0 else values[row % len(values)] for row in range(ROWS)], type)


def columns():
    """A column of every type that Arrow streams know here, nulls among them."""
    whole = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
    units = ("s", "ms", "us", "ns")
    times = [pa.timestamp(unit, zone) for unit in units for zone in (None, "Europe/Vienna")] + [pa.duration(unit) for unit in units]
    for type in [*whole, *times, pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")]:
        yield str(type), numbers(type)
    yield "date64", pa.array([None if row % 4 == 0 else row * 86_400_000 for row in range(ROWS)], pa.date64())
    yield "date32", numbers(pa.int32()).cast(pa.date32())
    yield "null", pa.nulls(ROWS)
    yield "bool", some([True, False, True])
    # Not a number with bits of its own, and minus nothing.
    odd = np.array([0x7FC12345, 0x80000000, 0x3F800000] * ROWS, np.uint32)[:ROWS]
    yield "float", pa.array(odd.view(np.float32))
    yield "double", some([float("nan"), -0.0, 0.1], pa.float64())
    yield "half", pa.array(odd.view(np.uint16)[:ROWS].view(np.float16))
    for width, type in ((4, pa.decimal32), (9, pa.decimal64), (30, pa.decimal128), (70, pa.decimal256)):
        yield f"decimal{width}", some([decimal.Decimal("-1.25"), decimal.Decimal("0.50")], type(width, 2))
    yield "interval", some([pa.MonthDayNano([1, 2, 3])], pa.month_day_nano_interval())
    for type in (pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(20)):
        yield f"bytes {type}", some([b"\x00" * 20, b"more than twelve byte"[:20]], type)
    for type in (pa.string(), pa.large_string(), pa.string_view()):
        yield f"text {type}", some(["", "ünï", "more than twelve bytes of text"], type)
    for type in (pa.list_(pa.int32()), pa.large_list(pa.string()), pa.list_(pa.bool_(), 2), pa.list_(pa.list_(pa.float64()))):
        cell = {"list<item: int32>": [1, None], "large_list<item: string>": ["a", "bc"]}.get(str(type), [True, False])
        yield f"{type}", some([cell] if pa.types.is_fixed_size_list(type) or cell != [True, False] else [[[1.0], []]], type)
    yield "struct", some([{"a": 1, "b": "x", "c": {"d": [1]}}, {"a": None, "b": "y", "c": None}])
    yield "map", some([[("a", 1), ("b", None)], []], pa.map_(pa.string(), pa.int32()))
    yield "words", some(["red", "green", "blue"]).dictionary_encode()
    yield "list of words", pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), some(["x", "y"]).dictionary_encode())
    kinds = pa.array([row % 2 for row in range(ROWS)], pa.int8())
    texts = pa.array([str(row) for row in range(ROWS)])
    yield "sparse union", pa.UnionArray.from_sparse(kinds, [pa.array(range(ROWS)), texts])
    yield "dense union", pa.UnionArray.from_dense(kinds, pa.array([row // 2 for row in range(ROWS)], pa.int32()), [pa.array(range(ROWS)), texts])
    yield "uuid", some([b"0123456789abcdef"], pa.uuid())
    yield "json", some(["{}"], pa.json_())
    tensors = pa.array([[float(row), 1.0] for row in range(ROWS)], pa.list_(pa.float32(), 2))
    yield "tensor", pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float32(), [2, 1]), tensors)


def exchange(process, schema, batches, options=None):
    """Sends the batches from a thread of their own and gives schema and batches of the answer."""

    def feed():
        with pa.ipc.new_stream(process.stdin, schema, options=options) as writer:
            for batch in batches:
                writer.write_batch(batch)
        process.stdin.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    reader = pa.ipc.open_stream(process.stdout)
    answers = list(reader)
    feeder.join()
    return reader.schema, answers


def all_types():
    """Every column comes back with its schema and its bits: in whole batches, and where a row was taken out."""
    checks = 0
    found = list(columns())
    texts = [f"a text of row {row}" for row in range(ROWS)]
    for bad in (None, 6):
        text = pa.array([None if row == bad else value for row, value in enumerate(texts)])
        arrays = [text, *(array for _, array in found)]
        fields = [pa.field(name, array.type, metadata={"of": name}) for name, array in zip(["text", *(name for name, _ in found)], arrays)]
        schema = pa.schema(fields, metadata={"made": "here"})
        whole = pa.record_batch(arrays, schema=schema)
        # The second one has other words in its dictionaries.
        words = schema.get_field_index("words")
        other = whole.set_column(words, schema.field(words), some(["blue", "black"]).dictionary_encode())
        batches = [whole, other, whole.slice(3, 5), whole.slice(0, 0)]
        for options in (None, pa.ipc.IpcWriteOptions(compression="zstd"), pa.ipc.IpcWriteOptions(compression="lz4")):
            if bad is not None and options is not None:
                continue
            flags = () if bad is None else ("--quarantine", os.devnull)
            process = start(*flags)
            answered, answers = exchange(process, schema, batches, options)
            code = process.wait()
            assert code == (0 if bad is None else 3), (code, process.stderr.read())
            assert len(answers) == len(batches)
            assert answered.metadata[b"made"] == b"here" and b"embedkit" in answered.metadata
            for index, field in enumerate(schema):
                assert answered.field(index).equals(field, check_metadata=True), field
                for batch, answer in zip(batches, answers):
                    answer.validate(full=True)
                    good = batch.column(0).is_valid().to_pylist()
                    assert bits(answer.column(index), field) == bits(batch.column(index), field, good), field
                    checks += 1
    return {"columns": len(found), "checks": checks}


def bits(array, field, good=None):
    """What stands for the type, the nulls and the bits of an array's values, or of the good ones."""
    good = np.ones(len(array), bool) if good is None else np.array(good, bool)
    if pa.types.is_floating(array.type) and array.null_count == 0:
        return array.to_numpy(zero_copy_only=False)[good].tobytes()
    return repr((field.type, array.type, [cell for cell, is_good in zip(array.to_pylist(), good) if is_good]))


def unknown():
    """Types that the library does not know end in one sentence."""
    array = pa.array([[1]], pa.list_view(pa.int32()))
    process = start()
    with pa.ipc.new_stream(process.stdin, pa.schema([("text", pa.string()), ("view", array.type)])) as writer:
        writer.write_batch(pa.record_batch([pa.array(["a"]), array], names=["text", "view"]))
    process.stdin.close()
    said = process.stderr.read().decode()
    return {"code": process.wait(), "said": said}


def gone():
    """A reader that goes away after the first answer."""
    process = start()
    schema = pa.schema([("text", pa.string())])
    writer = pa.ipc.new_stream(process.stdin, schema)
    sent = 0
    try:
        writer.write_batch(pa.record_batch([pa.array(["first"])], schema=schema))
        process.stdin.flush()
        pa.ipc.open_stream(process.stdout).read_next_batch()
        process.stdout.close()
        while True:
            writer.write_batch(pa.record_batch([pa.array([f"text {sent}"])], schema=schema))
            process.stdin.flush()
            sent += 1
    except OSError:
        pass
    return {"code": process.wait(), "said": process.stderr.read().decode()}


def slow():
    """A reader that is slower than all else: what embedkit holds does not grow with what has gone through."""
    process = start()
    schema = pa.schema([("text", pa.string()), ("ballast", pa.binary())])
    rows, batches = 512, 160
    texts = pa.array([f"{row % 20}" for row in range(rows)])
    ballast = pa.array([bytes(4096)] * rows)
    answers = 0
    peaks = []

    def feed():
        with pa.ipc.new_stream(process.stdin, schema) as writer:
            for _ in range(batches):
                writer.write_batch(pa.record_batch([texts, ballast], schema=schema))
        process.stdin.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    for answer in pa.ipc.open_stream(process.stdout):
        assert answer.num_rows == rows
        answers += 1
        time.sleep(0.02)
        if answers in (50, 150):
            peaks.append(peak_of(process.pid))
    feeder.join()
    return {"code": process.wait(), "answers": answers, "peaks": peaks}


def peak_of(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


print(json.dumps({"types": all_types, "unknown": unknown, "gone": gone, "slow": slow}[sys.argv[1]]()))
