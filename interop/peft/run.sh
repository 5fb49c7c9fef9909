#!/usr/bin/env bash
# Loads what nola writes with the real safetensors, transformers and PEFT.
#
#   run.sh                    with the Python of NOLA_TORCH_PYTHON, or one in .venv, which is made when it is missing
#   run.sh --skip-if-absent   the same, but instead of making .venv it says why it skips, and succeeds
#
# NOLA names the command to test; the launcher of this checkout when it is not set.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

skip_if_absent=false
for argument in "$@"; do
  case $argument in
    --skip-if-absent) skip_if_absent=true ;;
    *)
      echo "run.sh: $argument is no option, --skip-if-absent is the only one" >&2
      exit 2
      ;;
  esac
done

has_all() {
  "$1" -c 'import numpy, peft, safetensors, torch, transformers' 2>/dev/null
}

python=${NOLA_TORCH_PYTHON:-$here/.venv/bin/python}
if ! has_all "$python"; then
  if $skip_if_absent; then
    echo "skipped: $python does not run, or lacks one of numpy, peft, safetensors, torch, transformers"
    exit 0
  fi
  if [ -n "${NOLA_TORCH_PYTHON:-}" ]; then
    echo "run.sh: NOLA_TORCH_PYTHON=$python does not run, or lacks one of numpy, peft, safetensors, torch, transformers" >&2
    exit 1
  fi
  echo "run.sh: installing PyTorch and PEFT into $here/.venv" >&2
  python3 -m venv "$here/.venv"
  "$python" -m pip install --quiet --requirement "$here/requirements.txt"
fi

export HF_HUB_OFFLINE=1 PYTHONPATH="$here/../reader" PYTHONDONTWRITEBYTECODE=1
exec "$python" "$here/test_peft.py"
