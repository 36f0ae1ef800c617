#!/usr/bin/env bash
# Sets the peer up in SCRATCH, where benchmarks/peers/setup.sh has put Python packages and the model, and drives it as bench drives embedkit.
#   run.sh SCRATCH OUT.json [flags of bench --url]
set -euo pipefail
if [ $# -lt 2 ]; then echo "usage: run.sh SCRATCH OUT.json [flags of bench --url]" >&2; exit 2; fi
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(cd "$1" && pwd)
out=$2
shift 2
python=$scratch/venv/bin/python
if ! cmp -s "$here/requirements.txt" "$scratch/service/installed.txt"; then
  "$python" -m pip install --quiet --no-cache-dir --target "$scratch/service" -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$scratch/service/installed.txt"
fi
port=${PORT:-18765}
url=http://127.0.0.1:$port
MODEL=$scratch/hf/bge-small-en-v1.5 PYTHONPATH=$scratch/service:$here "$python" -m uvicorn service:app --port "$port" --log-level warning &
service=$!
trap 'kill "$service" 2>/dev/null; wait "$service" 2>/dev/null || true' EXIT
for _ in $(seq 240); do
  if curl --silent --fail --output /dev/null "$url/info"; then break; fi
  kill -0 "$service"
  sleep 0.5
done
node "$here/../../../bin/embedkit.js" bench --url "$url" --json "$out" "$@"
