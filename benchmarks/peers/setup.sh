#!/usr/bin/env bash
# Installs the peers under SCRATCH and writes the model folder they all read.
# Running it again does only what is missing.
#   setup.sh SCRATCH MODEL_FOLDER QDQ    (MODEL_FOLDER holds model.onnx and tokenizer.json; QDQ is what quantize --format qdq wrote)
set -euo pipefail
if [ $# -ne 3 ]; then echo "usage: setup.sh SCRATCH MODEL_FOLDER QDQ_FOLDER" >&2; exit 2; fi
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
scratch=$(cd "$1" && pwd)
source=$(cd "$2" && pwd)

# Python. On Linux x86-64 PyPI's only torch is the CUDA build, and without its
# CUDA libraries it does not import, so all of them come too (venv: about 6 GB).
if ! cmp -s "$here/requirements.txt" "$scratch/venv/installed.txt"; then
  [ -x "$scratch/venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$scratch/venv"
  "$scratch/venv/bin/python" -m pip install --quiet --no-cache-dir -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$scratch/venv/installed.txt"
fi

# Node. Install scripts only fetch GPU libraries; the CPU ones are in the packages.
npm_peers="@huggingface/transformers@4.3.1 fastembed@2.1.0"
if [ "$(cat "$scratch/node/installed.txt" 2>/dev/null)" != "$npm_peers" ]; then
  mkdir -p "$scratch/node"
  echo '{ "private": true }' > "$scratch/node/package.json"
  # shellcheck disable=SC2086  # two words, two packages
  (cd "$scratch/node" && npm install --ignore-scripts --no-audit --no-fund --save-exact $npm_peers)
  echo "$npm_peers" > "$scratch/node/installed.txt"
fi

folder="$scratch/hf/bge-small-en-v1.5"
"$scratch/venv/bin/python" "$here/make_folders.py" "$source" "$folder"
[ -f "$folder/onnx/model_quantized.json" ] ||
  "$scratch/venv/bin/python" "$here/../engine/make_dynamic.py" "$source/model.onnx" "$folder/onnx/model_quantized.onnx"
cp "$3/model.int8.onnx" "$folder/onnx/model_qdq.onnx"
