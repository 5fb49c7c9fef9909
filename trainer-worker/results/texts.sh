#!/usr/bin/env bash
# Continues the first 100 prompts of E2E's test file by each finished run of the set smollm2, and by the base alone, and scores the texts.
# Texts that are there are only scored.
#
#   trainer-worker/results/texts.sh DATA OUT BEAMS     DATA and OUT as for run.sh; BEAMS: 1 for greedy texts
#   NOLA_NLG_PYTHON=python3 (the default): a Python with interop/nlg/requirements.txt
set -euo pipefail
if [ $# != 3 ]; then
  echo "usage: texts.sh DATA OUT BEAMS" >&2
  exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
data=$(realpath "$1")
out=$(realpath "$2")
beams=$3

[ -d "$out/e2e-test" ] || "$root/nola" import-e2e "$data/e2e/test.txt.gz" -o "$out/e2e-test" --quiet >&2
prompts=$out/e2e-test/first.jsonl
head -n 100 "$out/e2e-test/references.jsonl" >"$prompts"

for run in "$out"/smollm2-* "$out/base"; do
  adapter=()
  if [ "$run" != "$out/base" ]; then
    [ -s "$run/result.json" ] || continue
    adapter=(--adapter "$run/adapter.nola")
  fi
  mkdir -p "$run"
  texts=$run/texts-$beams.json
  if [ ! -s "$texts" ]; then
    "$root/nola" generate --base "$data/smollm2" "${adapter[@]}" --prompts "$prompts" --beams "$beams" --max-tokens 64 --json >"$texts.part"
    mv "$texts.part" "$texts"
  fi
  echo "$(basename "$run")"
  "${NOLA_NLG_PYTHON:-python3}" "$root/interop/nlg/score.py" "$prompts" "$texts"
done
