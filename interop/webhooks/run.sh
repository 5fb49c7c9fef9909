#!/usr/bin/env bash
# Has a registry send a webhook, and checks it by the Python library of Standard Webhooks.
#
#   run.sh   uses the Python in NOLA_WEBHOOKS_PYTHON, or one in .venv, which is created if it is missing
#
# NOLA is the command to test (default: the launcher of this checkout).
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)

if [ $# -gt 0 ]; then
  echo "run.sh: unknown option: $1; it takes none" >&2
  exit 2
fi
export NOLA=${NOLA:-$root/nola}
python=${NOLA_WEBHOOKS_PYTHON:-$here/.venv/bin/python}
if ! "$python" -c 'import standardwebhooks' 2>/dev/null; then
  if [ -n "${NOLA_WEBHOOKS_PYTHON:-}" ]; then
    echo "run.sh: NOLA_WEBHOOKS_PYTHON=$python does not run, or standardwebhooks is missing" >&2
    exit 1
  fi
  echo "run.sh: installing standardwebhooks into $here/.venv" >&2
  python3 -m venv "$here/.venv"
  "$python" -m pip install --quiet --requirement "$here/requirements.txt"
fi
unset NOLA_WEBHOOKS_PYTHON # or the registry takes it for a setting of its own

work=$(mktemp -d)
serve=
trap '[ -z "$serve" ] || { kill "$serve"; wait "$serve" || [ $? = 143 ]; }; rm -rf "$work"' EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export NOLA_REGISTRY=http://127.0.0.1:$port NOLA_CONFIG=$work/config NOLA_CACHE=$work/cache
"$NOLA" serve --port "$port" --data "$work/data" --set nola.webhooks.allow-http=true --set nola.webhooks.allowed-networks=127.0.0.1 \
  --set nola.webhooks.retries=1s >"$work/serve.log" 2>&1 &
serve=$!
for _ in $(seq 180); do
  curl -sf "$NOLA_REGISTRY/actuator/health/readiness" >/dev/null && break
  kill -0 "$serve" || { cat "$work/serve.log"; exit 1; }
  sleep 1
done
"$NOLA" login --quiet <"$work/data/admin-token"
"$NOLA" namespace create --quiet acme >/dev/null

PYTHONDONTWRITEBYTECODE=1 "$python" "$here/receive.py" "$root/format-spec/vectors/valid/metadata.nola"
