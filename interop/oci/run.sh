#!/usr/bin/env bash
# Pushes and pulls adapters in Debian's docker-registry, which demands a login, and reads and writes them there by oras.
#
#   run.sh   uses the programs in NOLA_OCI_TOOLS, or those in .venv, which are fetched if they are missing (see install)
#
# Where the program oras is on the path, it is used beside the Python client. NOLA is the command to test (default: the launcher of
# this checkout).
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)

if [ $# -gt 0 ]; then
  echo "run.sh: unknown option: $1; it takes none" >&2
  exit 2
fi
nola=${NOLA:-$root/nola}
tools=${NOLA_OCI_TOOLS:-$here/.venv}
"$here/install" "$tools"

work=$(mktemp -d)
serve=
trap '[ -z "$serve" ] || { kill "$serve"; wait "$serve" || [ $? = 143 ]; }; rm -rf "$work"' EXIT

fail() {
  echo "run.sh: $1" >&2
  exit 1
}

# Runs a command that must fail with an exit code and a text.
refused() {
  local code=$1 text=$2 actual=0
  shift 2
  "$@" >"$work/refused" 2>&1 || actual=$?
  [ "$actual" = "$code" ] || { cat "$work/refused"; fail "exit code $actual, not $code: $*"; }
  grep -qF -- "$text" "$work/refused" || { cat "$work/refused"; fail "does not say \"$text\": $*"; }
}

echo "== docker-registry"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
host=127.0.0.1:$port
sed "s|FOLDER|$work|; s|PORT|$port|" "$here/registry.yml" >"$work/registry.yml"
# User ann, password secret.
echo 'ann:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW' >"$work/htpasswd"
"$tools/docker-registry" serve "$work/registry.yml" >"$work/serve.log" 2>&1 &
serve=$!
for _ in $(seq 100); do
  [ "$(curl -s -o /dev/null -w '%{http_code}' "http://$host/v2/")" != 401 ] || break
  kill -0 "$serve" || { cat "$work/serve.log"; exit 1; }
  sleep 0.1
done

export NOLA_CONFIG=$work/config NOLA_CACHE=$work/cache DOCKER_CONFIG=$work/docker PYTHONDONTWRITEBYTECODE=1
unset NOLA_REGISTRY NOLA_TOKEN NOLA_OCI_TOOLS
mkdir "$work/docker" "$work/bin"
client() { "$tools/python/bin/python" "$here/client.py" "$@"; }
file=$root/format-spec/vectors/valid/metadata.nola
mood=oci://$host/acme/mood

echo "== logins"
refused 4 "log in to an account with access: docker login $host" "$nola" push --quiet "$file" "$mood:1.0.0"
# A login that a credential helper keeps, and then one that the file keeps.
cat >"$work/bin/docker-credential-nola-test" <<HELPER
#!/bin/sh
[ "\$1 \$(cat)" = "get $host" ] || { echo "credentials not found in native keychain"; exit 1; }
echo '{"ServerURL": "$host", "Username": "ann", "Secret": "secret"}'
HELPER
chmod +x "$work/bin/docker-credential-nola-test"
echo '{"credsStore": "nola-test"}' >"$work/docker/config.json"
pinned=$(PATH=$work/bin:$PATH "$nola" push --quiet "$file" "$mood:1.0.0")
[[ $pinned == $mood@sha256:* ]] || fail "unexpected output: $pinned"
echo "{\"auths\": {\"$host\": {\"auth\": \"$(printf ann:wrong | base64)\"}}}" >"$work/docker/config.json"
refused 4 "with status 401" "$nola" pull --quiet "$pinned"
echo "{\"auths\": {\"$host\": {\"auth\": \"$(printf ann:secret | base64)\"}}}" >"$work/docker/config.json"
[ "$("$nola" push --quiet "$file" "$mood:latest")" = "$pinned" ] || fail "the second push has another digest"

echo "== nola pulls what nola pushed"
"$nola" pull --quiet "$mood:1.0.0" -o "$work/by-tag.nola" >"$work/path"
"$nola" pull --quiet "$pinned" -o "$work/by-digest.nola" >"$work/path"
cmp "$file" "$work/by-tag.nola"
cmp "$file" "$work/by-digest.nola"
"$nola" verify --quiet "$mood" >"$work/path"
refused 4 "$mood:9.9.9 not found" "$nola" pull --quiet "$mood:9.9.9"

echo "== oras pulls what nola pushed"
client pull "$host/acme/mood:1.0.0" "$work/python" >"$work/files"
cmp "$file" "$(cat "$work/files")"

echo "== nola pulls what oras pushed"
client push "$host/acme/pushed:1" "$file" application/vnd.cncf.model.weight.v1.raw
"$nola" pull --quiet "oci://$host/acme/pushed:1" -o "$work/pushed.nola" >"$work/path"
cmp "$file" "$work/pushed.nola"
client push "$host/acme/other:1" "$file" application/octet-stream
refused 1 "oci://$host/acme/other:1 is not an adapter" "$nola" pull --quiet "oci://$host/acme/other:1"
echo "no adapter" >"$work/text.nola"
client push "$host/acme/text:1" "$work/text.nola" application/vnd.cncf.model.weight.v1.raw
refused 1 "oci://$host/acme/text@sha256:" "$nola" pull --quiet "oci://$host/acme/text:1"

echo "== attestations as referrers"
mkdir "$work/attestations"
read -r attestation key < <(python3 "$here/attestation.py" "$file" "$work/attestations")
"$nola" push --quiet "$file" "$mood:1.0.0" --attestation "$attestation" >"$work/again"
[ "$(cat "$work/again")" = "$pinned" ] || fail "attestations changed the digest"
client referrers "${pinned#oci://}" 1
"$nola" pull --quiet "$pinned" --attestations "$work/found" >"$work/path"
[ "$(ls "$work/found" | wc -l)" = 2 ] || fail "not one attestation and its key: $(ls "$work/found")"
cmp "$work/found/${key#sha256:}.pem" "$work/attestations/${key#sha256:}.pem"
refused 1 "invalid signature of key $key" "$nola" verify --quiet "$pinned" --key "$key"
refused 2 "missing --key" "$nola" pull --quiet "$pinned" --require-verified 1

echo "== the program oras"
if command -v oras >/dev/null; then
  oras pull --plain-http --no-tty "$host/acme/mood:1.0.0" -o "$work/oras" >"$work/oras.log"
  cmp "$file" "$work/oras/metadata.nola"
  oras discover --plain-http --format json "${pinned#oci://}" >"$work/discovered"
  python3 - "$work/discovered" <<'CHECK'
import json, sys
(referrer,) = json.load(open(sys.argv[1]))["referrers"]
assert referrer["artifactType"] == "application/vnd.in-toto+json", referrer
CHECK
  (cd "$work/oras" && oras push --plain-http --no-tty "$host/acme/program:1" \
    --artifact-type application/vnd.cncf.model.manifest.v1+json \
    metadata.nola:application/vnd.cncf.model.weight.v1.raw >"$work/oras.log")
  oras attach --plain-http --no-tty --artifact-type application/vnd.example+text "${pinned#oci://}" "$work/htpasswd:text/plain" \
    --disable-path-validation >"$work/oras.log"
  "$nola" pull --quiet "oci://$host/acme/program:1" -o "$work/program.nola" >"$work/path"
  cmp "$file" "$work/program.nola"
  "$nola" pull --quiet "$pinned" --attestations "$work/found" >"$work/path"
  [ "$(ls "$work/found" | wc -l)" = 2 ] || fail "took another artifact for an attestation: $(ls "$work/found")"
else
  echo "skipped: the program oras is not installed"
fi
echo "all passed"
