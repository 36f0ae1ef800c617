"""One engine in Python, told by lines of JSON when to run.

usage: python_engine.py '{"engine": "onnxruntime" | "openvino", "model": FILE, "threads": 1, "hint": "LATENCY", "shapes": "static"}'
"""
import json
import platform
import sys
import time
from collections import Counter
from importlib.metadata import version

import numpy as np

CONSTANT_INPUTS = {"attention_mask": 1, "token_type_ids": 0}


def feeds_of(names, message):
    ids = np.array(message["ids"], dtype=np.int64).reshape(message["rows"], message["width"])
    return {n: ids if n == "input_ids" else np.full_like(ids, CONSTANT_INPUTS[n]) for n in names}


def open_onnxruntime(s):
    """Defaults, but for the threads."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = s["threads"]
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(s["model"], options, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    output = session.get_outputs()[0].name

    def passes(message):
        feeds = feeds_of(names, message)
        return until(message["seconds"], lambda: session.run([output], feeds))

    return passes, lambda message: session.run([output], feeds_of(names, message))[0], lambda: {}


def open_openvino(s):
    """A performance hint and the thread budget, as its documentation asks for; everything else is its default."""
    import openvino as ov

    core = ov.Core()
    options = {"PERFORMANCE_HINT": s["hint"], "INFERENCE_NUM_THREADS": s["threads"]}
    compiled = {}
    requests = {}  # kept, so that no measurement allocates them anew

    def model_for(message):
        shape = (message["rows"], message["width"]) if s["shapes"] == "static" else (-1, -1)
        if shape not in compiled:
            model = core.read_model(s["model"])
            model.reshape({i.any_name: list(shape) for i in model.inputs})
            compiled[shape] = core.compile_model(model, "CPU", options)
        return compiled[shape]

    def passes(message):
        model = model_for(message)
        feeds = feeds_of([i.any_name for i in model.inputs], message)
        if id(model) not in requests:  # the queue has as many requests as the model says are best
            requests[id(model)] = model.create_infer_request() if s["hint"] == "LATENCY" else ov.AsyncInferQueue(model)
        request = requests[id(model)]
        if s["hint"] == "LATENCY":
            return until(message["seconds"], lambda: request.infer(feeds))
        return until(message["seconds"], lambda: request.start_async(feeds), request.wait_all)

    def vectors(message):
        model = model_for(message)
        return model(feeds_of([i.any_name for i in model.inputs], message))[0]

    def details():
        names = ("NUM_STREAMS", "INFERENCE_NUM_THREADS", "INFERENCE_PRECISION_HINT", "OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        model = next(iter(compiled.values()))
        facts = [op.get_rt_info() for op in model.get_runtime_model().get_ops()]
        value = lambda info, name: str(info[name].astype(str)) if name in info else "?"  # noqa: E731
        products = Counter(
            f"{value(i, 'layerType')} {value(i, 'runtimePrecision')} {value(i, 'primitiveType')}"
            for i in facts
            if value(i, "layerType") in ("FullyConnected", "MatMul", "ScaledDotProductAttention", "Convolution")
        )
        return {**{n: str(model.get_property(n)) for n in names}, "products": dict(products)}

    return passes, vectors, details


def until(seconds, run, finish=lambda: None):
    start = time.perf_counter()
    done = 0
    while True:
        run()
        done += 1
        if time.perf_counter() - start >= seconds:
            break
    finish()
    return {"passes": done, "seconds": time.perf_counter() - start}


def say(reply):
    print(json.dumps(reply), flush=True)


def main():
    settings = json.loads(sys.argv[1])
    start = time.perf_counter()
    passes, vectors, details = {"onnxruntime": open_onnxruntime, "openvino": open_openvino}[settings["engine"]](settings)
    versions = {"python": platform.python_version(), "numpy": version("numpy"), settings["engine"]: version(settings["engine"])}
    say({"versions": versions, "load_seconds": time.perf_counter() - start})
    for line in sys.stdin:
        message = json.loads(line)
        if message.get("vectors"):
            out = vectors(message)
            say({"vectors": (out[:, 0] if out.ndim == 3 else out).tolist(), "details": details()})
        else:
            for _ in range(message["warm"]):
                passes({**message, "seconds": 0})
            say({"sessions": [passes(message)]})


main()
