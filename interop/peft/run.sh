#!/usr/bin/env bash
# Loads the output of nola with the real safetensors, transformers, PEFT, mlx-lm and ONNX Runtime.
#
#   run.sh                    uses the Python in NOLA_TORCH_PYTHON, or one in .venv, which is created if it is missing
#   run.sh --skip-if-absent   does not create .venv: prints why it skips, and succeeds
#
# NOLA is the command to test (default: the launcher of this checkout).
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

skip_if_absent=false
for argument in "$@"; do
  case $argument in
    --skip-if-absent) skip_if_absent=true ;;
    *)
      echo "run.sh: unknown option: $argument; the only option is --skip-if-absent" >&2
      exit 2
      ;;
  esac
done

has_all() {
  "$1" -c 'import mlx_lm, numpy, onnxruntime, peft, pytest, safetensors, torch, transformers, xdist' 2>/dev/null
}

python=${NOLA_TORCH_PYTHON:-$here/.venv/bin/python}
if ! has_all "$python"; then
  if $skip_if_absent; then
    echo "skipped: $python does not run, or one of mlx-lm, numpy, onnxruntime, peft, pytest, pytest-xdist, safetensors, torch, transformers is missing"
    exit 0
  fi
  if [ -n "${NOLA_TORCH_PYTHON:-}" ]; then
    echo "run.sh: NOLA_TORCH_PYTHON=$python does not run, or one of mlx-lm, numpy, onnxruntime, peft, pytest, pytest-xdist, safetensors, torch, transformers is missing" >&2
    exit 1
  fi
  echo "run.sh: installing PyTorch and PEFT into $here/.venv" >&2
  python3 -m venv "$here/.venv"
  "$python" -m pip install --quiet --requirement "$here/requirements.txt"
fi

export HF_HUB_OFFLINE=1 PYTHONPATH="$here/../reader" PYTHONDONTWRITEBYTECODE=1
# Two at a time, each with one thread: most of the time goes into starting programs.
export OMP_NUM_THREADS=1
exec "$python" -m pytest --quiet --numprocesses 2 --disable-warnings -p no:cacheprovider "$here"
