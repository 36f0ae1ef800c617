#!/usr/bin/env bash
# Installs the engines under SCRATCH and makes the runtime's own dynamic INT8 of the source. Again: only what is missing.
#   setup.sh SCRATCH SOURCE    (SOURCE holds model.onnx)
set -euo pipefail
if [ $# -ne 2 ]; then echo "usage: setup.sh SCRATCH SOURCE" >&2; exit 2; fi
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
scratch=$(cd "$1" && pwd)
if ! cmp -s "$here/requirements.txt" "$scratch/venv/installed.txt"; then
  [ -x "$scratch/venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$scratch/venv"
  "$scratch/venv/bin/python" -m pip install --quiet --no-cache-dir -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$scratch/venv/installed.txt"
fi
[ -f "$scratch/dynamic.json" ] || "$scratch/venv/bin/python" "$here/make_dynamic.py" "$2/model.onnx" "$scratch/dynamic.onnx"
