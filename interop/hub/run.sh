#!/usr/bin/env bash
# Reads and writes a registry by Hugging Face's clients: versions of huggingface_hub, PEFT, and JavaScript's where node is. Verifies the
# registry's signatures by model-signing.
#
#   run.sh   uses the environments in NOLA_HUB_CLIENTS, or those in .venv, which are created if they are missing (see install)
#
# NOLA_TORCH_PYTHON is a Python with PyTorch, transformers and PEFT; without it, PEFT is skipped.
# NOLA is the command to test (default: the launcher of this checkout).
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)

if [ $# -gt 0 ]; then
  echo "run.sh: unknown option: $1; it takes none" >&2
  exit 2
fi
nola=${NOLA:-$root/nola}
clients=${NOLA_HUB_CLIENTS:-$here/.venv}
unset NOLA_HUB_CLIENTS # or the registry takes it for a setting of its own
"$here/install" "$clients"

work=$(mktemp -d)
serve=
trap '[ -z "$serve" ] || { kill "$serve"; wait "$serve" || [ $? = 143 ]; }; rm -rf "$work"' EXIT

echo "== a registry with adapters"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export NOLA_REGISTRY=http://127.0.0.1:$port NOLA_CONFIG=$work/config NOLA_CACHE=$work/cache
"$nola" serve --port "$port" --data "$work/data" >"$work/serve.log" 2>&1 &
serve=$!
model=$root/trainer-worker/src/test/resources/models/llama-tied-grouped
synth() { "$nola" synth --quiet --base "$model" --targets '(q|v)_proj' --bits 4 "$@"; }
synth --rank 4 --k 64 --l 64 --seed 1 -o "$work/mood.nola"
synth --rank 4 --k 64 --l 64 --seed 2 -o "$work/yanked.nola"
synth --direct --k 64 -o "$work/direct.nola"
"$nola" export --quiet "$work/mood.nola" --dtype f16 -o "$work/exported"
for _ in $(seq 180); do
  curl -sf "$NOLA_REGISTRY/actuator/health/readiness" >/dev/null && break
  kill -0 "$serve" || { cat "$work/serve.log"; exit 1; }
  sleep 1
done
"$nola" login --quiet <"$work/data/admin-token"
"$nola" publish --quiet "$work/mood.nola" acme/mood@1.0.0 --create-namespace --alias prod
"$nola" publish --quiet "$work/yanked.nola" acme/mood@1.1.0
"$nola" yank --quiet acme/mood@1.1.0 --reason "a test"
"$nola" publish --quiet "$work/direct.nola" acme/direct@1.0.0
"$nola" publish --quiet "$work/mood.nola" acme/secret@1.0.0 --private

export HF_ENDPOINT=$NOLA_REGISTRY/hf HF_HUB_DISABLE_TELEMETRY=1 HF_HUB_DISABLE_PROGRESS_BARS=1 PYTHONDONTWRITEBYTECODE=1
export HF_HUB_DISABLE_UPDATE_CHECK=1
unset HF_TOKEN HF_HUB_OFFLINE
token=$(<"$work/data/admin-token")
curl -sf -o "$work/model.sig" "$HF_ENDPOINT/acme/mood/resolve/prod/model.sig"
while read -r version; do
  echo "== huggingface_hub $version"
  HF_HOME=$work/home-$version "$clients/$version/bin/python" "$here/client.py" "$work"
  program=$clients/$version/bin/hf
  [ -x "$program" ] || program=$clients/$version/bin/huggingface-cli
  HF_HOME=$work/home-cli-$version "$program" download acme/mood --revision prod --local-dir "$work/local-$version" >"$work/cli.log" 2>&1 ||
    { cat "$work/cli.log"; exit 1; }
  cmp "$work/local-$version/adapter.nola" "$work/mood.nola"
  cmp "$work/local-$version/model.sig" "$work/model.sig"
  diff -r --exclude=.cache --exclude=adapter.nola --exclude=model.sig "$work/local-$version" "$work/exported"
done <"$here/clients.txt"

echo "== model-signing"
cp -r "$work/local-$(tail -n 1 "$here/clients.txt")" "$work/mood-hf"
(
  cd "$work"
  PATH=$clients/model-signing/bin:$PATH
  # As in registry-server/README.md.
  curl -sSf -o registry.pem "$NOLA_REGISTRY/api/v1/signing-key"
  curl -sSf -o mood.sig "$NOLA_REGISTRY/api/v1/adapters/acme/mood/versions/prod/signature"
  model_signing verify key mood.nola --signature mood.sig --public_key registry.pem
  model_signing verify key mood-hf --signature mood-hf/model.sig --public_key registry.pem
  echo >>mood-hf/adapter_config.json
  if model_signing verify key mood-hf --signature mood-hf/model.sig --public_key registry.pem; then
    echo "a folder that was changed has a valid signature" >&2
    exit 1
  fi
)

echo "== @huggingface/hub"
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "skipped: node or npm is not installed"
elif ! npm install --silent --no-audit --no-fund --prefix "$work/js" @huggingface/hub@2.17.5 >"$work/npm.log" 2>&1; then
  echo "skipped: npm cannot install @huggingface/hub here"
else
  cp "$here/client.mjs" "$work/js"
  node "$work/js/client.mjs" "$work"
fi

# Last, since what precedes lists all adapters.
while read -r version; do
  echo "== pushing by huggingface_hub $version"
  HF_HOME=$work/home-push-$version "$clients/$version/bin/python" "$here/push.py" "$work" "pushed-$version" 2>"$work/push.log" ||
    { cat "$work/push.log"; exit 1; }
  program=$clients/$version/bin/hf
  [ -x "$program" ] || program=$clients/$version/bin/huggingface-cli
  HF_HOME=$work/home-cli-$version HF_TOKEN=$token "$program" upload "acme/uploaded-$version" "$work/exported" >"$work/cli.log" 2>&1 ||
    { cat "$work/cli.log"; exit 1; }
  "$nola" verify --quiet "acme/uploaded-$version@1.0.0"
done <"$here/clients.txt"

echo "== vLLM's resolver"
HF_HOME=$work/home-vllm HF_TOKEN=$token "$clients/vllm/bin/python" "$here/client_vllm.py" "$clients/vllm/sources" "$work/exported"

echo "== PEFT"
python=${NOLA_TORCH_PYTHON:-python3}
if "$python" -c 'import peft, torch, transformers' 2>/dev/null; then
  HF_HOME=$work/home-peft HF_TOKEN=$token "$python" "$here/client_peft.py" "$model" "$work/exported"
else
  echo "skipped: $python does not run, or one of peft, torch, transformers is missing (NOLA_TORCH_PYTHON)"
fi
