#!/usr/bin/env bash
# Tests the registry's blobs in a bucket with moto, an S3 server of other authors than s3proxy, which the tests use otherwise.
#
#   run.sh   uses the Python in NOLA_MOTO_PYTHON, or one in .venv, which is created if it is missing
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)

if [ $# -gt 0 ]; then
  echo "run.sh: unknown option: $1; it takes none" >&2
  exit 2
fi
python=${NOLA_MOTO_PYTHON:-$here/.venv/bin/python}
if ! "$python" -c 'import moto.server' 2>/dev/null; then
  if [ -n "${NOLA_MOTO_PYTHON:-}" ]; then
    echo "run.sh: NOLA_MOTO_PYTHON=$python does not run, or moto is missing" >&2
    exit 1
  fi
  echo "run.sh: installing moto into $here/.venv" >&2
  python3 -m venv "$here/.venv"
  "$python" -m pip install --quiet --requirement "$here/requirements.txt"
fi

work=$(mktemp -d)
serve=
trap '[ -z "$serve" ] || { kill "$serve"; wait "$serve" || [ $? = 143 ]; }; rm -rf "$work"' EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$python" -m moto.server -H 127.0.0.1 -p "$port" >"$work/serve.log" 2>&1 &
serve=$!
for _ in $(seq 300); do
  curl -sf -o "$work/answer" "http://127.0.0.1:$port/" && break
  kill -0 "$serve" || { cat "$work/serve.log"; exit 1; }
  sleep 0.1
done
cd "$root"
mvn -B test -pl registry-server -am -Dexec.skip -Dtest=S3BlobStoreTest,S3GarbageCollectorTest,S3ScrubTest,BlobCopyTest \
  -Dsurefire.failIfNoSpecifiedTests=false -Dnola.s3.endpoint="http://127.0.0.1:$port" >"$work/tests.log" 2>&1 ||
  { tail -n 200 "$work/tests.log"; exit 1; }
grep 'Tests run:.*Time' "$work/tests.log"
# That the tests used this server.
grep -q 'PUT /nola-.*/sha256/' "$work/serve.log"
