#!/bin/sh
# Creates the workers' token: requests one of scope `worker` from the registry, as admin, unless the file already holds one that the
# registry accepts. Needs NOLA_REGISTRY (URL), NOLA_ADMIN_TOKEN_FILE and NOLA_WORKER_TOKEN_FILE (which it writes).
set -eu

api=$NOLA_REGISTRY/api/v1

# Tokens are passed to curl on stdin: everyone on the machine could read them on its command line.
authorization() { printf 'Authorization: Bearer %s\n' "$(cat "$1")"; }

if [ -s "$NOLA_WORKER_TOKEN_FILE" ] &&
  authorization "$NOLA_WORKER_TOKEN_FILE" | curl -sf -o /dev/null -H @- "$api/tokens/current"; then
  echo "the workers' token is valid"
  exit 0
fi

umask 077
answer=$(authorization "$NOLA_ADMIN_TOKEN_FILE" |
  curl -sS --fail-with-body -H @- -H 'Content-Type: application/json' \
    -d '{"account": "worker", "description": "workers beside the registry", "scopes": ["worker"]}' "$api/tokens") || {
  echo "the registry refused to create a token: $answer" >&2
  exit 1
}
printf '%s\n' "$answer" | sed -n 's/.*"secret":"\([^"]*\)".*/\1/p' >"$NOLA_WORKER_TOKEN_FILE.new"
[ -s "$NOLA_WORKER_TOKEN_FILE.new" ] || {
  echo "the registry's response contains no secret" >&2
  exit 1
}
mv "$NOLA_WORKER_TOKEN_FILE.new" "$NOLA_WORKER_TOKEN_FILE"
echo "created the workers' token"
