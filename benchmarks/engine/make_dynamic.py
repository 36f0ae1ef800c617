"""ONNX Runtime's own dynamic INT8 of a model, and beside it OUT.json: options, versions, hashes."""
import hashlib
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from onnxruntime.quantization import QuantType, quantize_dynamic

OPTIONS = {"per_channel": True, "reduce_range": False, "weight_type": "QInt8"}


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


source, out = sys.argv[1:]
quantize_dynamic(source, out, **{**OPTIONS, "weight_type": QuantType[OPTIONS["weight_type"]]})
versions = {"python": platform.python_version(), **{name: version(name) for name in ("onnxruntime", "onnx", "numpy")}}
facts = {"quantize_dynamic": OPTIONS, "versions": versions, "source_sha256": sha256(source), "sha256": sha256(out)}
Path(out).with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n")
