"""Writes test/golden/storage.json: vectors as numpy packs their signs and as numpy cuts their ranges into int8 codes.

usage: python test/golden/storage.py test/golden
needs: PyPI numpy

Signs are those of sentence-transformers' quantize_embeddings(precision="ubinary"): numpy.packbits(vectors > 0). Codes are
floor((value - minimum) / ((maximum - minimum) / 255) + 0.5) - 128, clipped to -128..127; a dimension without width has -128.
Values are written with all digits of their float64 form, so that they are read back as the same float32.
"""
import json
import platform
import sys

import numpy

ROWS, DIM = 24, 48
random = numpy.random.default_rng(9)
vectors = random.normal(size=(ROWS, DIM)).astype(numpy.float32)
vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
# What has no sign, what is hardly there, and bytes of ones and zeros alone.
vectors[0, :6] = [0.0, -0.0, 1e-45, -1e-45, 1.0, -1.0]
vectors[1, 8:24] = numpy.abs(vectors[1, 8:24])
vectors[1, 24:40] = -numpy.abs(vectors[1, 24:40])
# Learnt from the first half, so that the other has values outside.
minimum = vectors[2 : ROWS // 2].min(axis=0).astype(numpy.float64)
maximum = vectors[2 : ROWS // 2].max(axis=0).astype(numpy.float64)
minimum[5] = maximum[5] = 0.25

step = (maximum - minimum) / 255
with numpy.errstate(divide="ignore", invalid="ignore"):
    steps = numpy.where(step > 0, numpy.floor((vectors.astype(numpy.float64) - minimum) / step + 0.5), 0)
codes = (numpy.clip(steps, 0, 255) - 128).astype(numpy.int8)
golden = {
    "versions": {"python": platform.python_version(), "numpy": numpy.__version__},
    "dim": DIM,
    "vectors": vectors.ravel().tolist(),
    "packed": numpy.packbits(vectors > 0, axis=-1).ravel().tolist(),
    "minimum": minimum.tolist(),
    "maximum": maximum.tolist(),
    "codes": codes.ravel().tolist(),
    "clamped": int(((steps < 0) | (steps > 255)).sum()),
}
json.dump(golden, open(f"{sys.argv[1]}/storage.json", "w"))
