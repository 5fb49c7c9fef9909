#!/usr/bin/env bash
# Tests score.py, which scores generated texts by sacrebleu, nltk and pycocoevalcap.
#
#   run.sh   uses the Python in NOLA_NLG_PYTHON, or one in .venv, which is created if it is missing
#
# NOLA is the command to test (default: the launcher of this checkout).
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

if [ $# -gt 0 ]; then
  echo "run.sh: unknown option: $1; it takes none" >&2
  exit 2
fi

python=${NOLA_NLG_PYTHON:-$here/.venv/bin/python}
if ! "$python" -c 'import nltk, pycocoevalcap, sacrebleu' 2>/dev/null; then
  if [ -n "${NOLA_NLG_PYTHON:-}" ]; then
    echo "run.sh: NOLA_NLG_PYTHON=$python does not run, or one of nltk, pycocoevalcap, sacrebleu is missing" >&2
    exit 1
  fi
  echo "run.sh: installing the scorers into $here/.venv" >&2
  python3 -m venv "$here/.venv"
  "$python" -m pip install --quiet --requirement "$here/requirements.txt"
fi

export PYTHONDONTWRITEBYTECODE=1
exec "$python" "$here/test_score.py"
