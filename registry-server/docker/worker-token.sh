#!/bin/sh
# Gives workers their token: asks the registry for one of scope `worker`, as admin, unless the file already holds one that the
# registry takes. Needs NOLA_REGISTRY (URL), NOLA_ADMIN_TOKEN_FILE and NOLA_WORKER_TOKEN_FILE (which it writes).
set -eu

api=$NOLA_REGISTRY/api/v1

# Tokens go to curl through its input: on its command line, all of the machine could read them.
authorization() { printf 'Authorization: Bearer %s\n' "$(cat "$1")"; }

if [ -s "$NOLA_WORKER_TOKEN_FILE" ] &&
  authorization "$NOLA_WORKER_TOKEN_FILE" | curl -sf -o /dev/null -H @- "$api/tokens/current"; then
  echo "the workers' token is good"
  exit 0
fi

umask 077
answer=$(authorization "$NOLA_ADMIN_TOKEN_FILE" |
  curl -sS --fail-with-body -H @- -H 'Content-Type: application/json' \
    -d '{"account": "worker", "description": "of the workers beside the registry", "scopes": ["worker"]}' "$api/tokens") || {
  echo "the registry gives no token: $answer" >&2
  exit 1
}
printf '%s\n' "$answer" | sed -n 's/.*"secret":"\([^"]*\)".*/\1/p' >"$NOLA_WORKER_TOKEN_FILE.new"
[ -s "$NOLA_WORKER_TOKEN_FILE.new" ] || {
  echo "the registry's answer has no secret" >&2
  exit 1
}
mv "$NOLA_WORKER_TOKEN_FILE.new" "$NOLA_WORKER_TOKEN_FILE"
echo "workers have a token"
