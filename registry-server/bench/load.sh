#!/usr/bin/env bash
# Load test: downloads, version metadata, search and pages on a local server, compared with nginx serving the same file.
# Needs wrk, hey and nginx on the PATH. COUNT: adapters to search (default 100,000); SECONDS_EACH: time per measurement (10).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
count=${COUNT:-100000}
seconds=${SECONDS_EACH:-10}
port=${PORT:-18090}
nginx_port=$((port + 1))
for tool in wrk hey nginx curl; do
  command -v "$tool" >/dev/null || { echo "load.sh: needs $tool on the PATH" >&2; exit 70; }
done

work=$(mktemp -d)
server='' peer=''
finish() {
  [ -z "$peer" ] || kill "$peer" 2>/dev/null || true
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  rm -rf "$work"
}
trap finish EXIT

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
"$root/nola" serve --help >/dev/null # builds and unpacks
lib=$root/registry-server/target/server/lib
seed() { "$java" -cp "$lib/*" "$here/Seed.java" "$@"; }

"$root/nola" serve --port "$port" --data "$work/data" --set nola.access.requests-per-minute=100000000 \
  --set nola.access.anonymous-requests-per-minute=100000000 >"$work/server.log" 2>&1 &
server=$!
api=http://127.0.0.1:$port/api/v1
until curl -sf "http://127.0.0.1:$port/actuator/health/readiness" >/dev/null; do
  kill -0 "$server" || { cat "$work/server.log"; exit 1; }
  sleep 0.2
done
seed file "$work/adapter.nola"
seed catalog "$work/data" "$count"
token="Authorization: Bearer $(cat "$work/data/admin-token")"
curl -sf -X PUT -H "$token" "$api/namespaces/bench" >/dev/null
curl -sf -H "$token" -H 'Content-Type: application/vnd.nola.adapter' --data-binary "@$work/adapter.nola" \
  "$api/adapters/bench/load/versions/1.0.0" >/dev/null

mkdir "$work/www"
cp "$work/adapter.nola" "$work/www/file"
chmod -R a+rX "$work"
cat >"$work/nginx.conf" <<CONF
daemon off; worker_processes auto; pid $work/nginx.pid; error_log $work/nginx.err;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; root $work/www;
  client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u;
  scgi_temp_path $work/s; server { listen 127.0.0.1:$nginx_port; } }
CONF
[ "$(id -u)" != 0 ] || sed -i '1i user root;' "$work/nginx.conf"
nginx -c "$work/nginx.conf" &
peer=$!
sleep 1

file=$api/adapters/bench/load/versions/1.0.0/file
metadata=$api/adapters/bench/load/versions/1.0.0
printf 'file of %s bytes, catalog of %s adapters, %s CPUs, %s s each after a warm-up\n\n' \
  "$(stat -c %s "$work/adapter.nola")" "$count" "$(nproc)" "$seconds"
printf '%-44s %10s %10s %10s\n' 'at full speed, 16 connections (wrk)' 'req/s' p50 p99
full() { # name url-or-script
  local out
  out=$(wrk -t 1 -c 16 -d "${seconds}s" --latency "${@:2}")
  grep -q 'Non-2xx' <<<"$out" && { echo "$out" >&2; exit 1; }
  printf '%-44s %10s %10s %10s\n' "$1" "$(awk '/Requests\/sec/ {print $2}' <<<"$out")" \
    "$(awk '/^ +50%/ {print $2}' <<<"$out")" "$(awk '/^ +99%/ {print $2}' <<<"$out")"
}
rate_of() { awk '{print $(NF-2)}' <<<"$1"; }
wrk -t 1 -c 16 -d "${WARM_UP:-30}s" "$file" >/dev/null
ours=$(full 'file' "$file") && echo "$ours"
nginx_line=$(full 'file, nginx' "http://127.0.0.1:$nginx_port/file") && echo "$nginx_line"
awk -v a="$(rate_of "$ours")" -v b="$(rate_of "$nginx_line")" 'BEGIN { printf "  ratio to nginx: %.2f\n", a / b }'
wrk -t 1 -c 16 -d "$((seconds / 2))s" "$metadata" >/dev/null
full 'version metadata (224 layers)' "$metadata"

printf '\n%-44s %10s %10s %10s %10s\n' 'at a fixed rate (hey)' 'req/s' p50 p95 p99
paced() { # name connections requests-per-second-of-each url
  local out
  out=$(hey -z "${seconds}s" -c "$2" -q "$3" -disable-compression "$4")
  printf '%-44s %10s %10s %10s %10s\n' "$1" "$(awk '/Requests\/sec/ {print $2}' <<<"$out")" \
    "$(awk '/50% in/ {print $3 * 1000 "ms"}' <<<"$out")" "$(awk '/95% in/ {print $3 * 1000 "ms"}' <<<"$out")" \
    "$(awk '/99% in/ {print $3 * 1000 "ms"}' <<<"$out")"
}
paced 'file, 10 connections' 10 250 "$file"
# As many connections as CPUs: hey's connections all send at once, and more of them would measure their own queue.
paced 'search: one rare word' 2 25 "$api/adapters?q=word1900"
paced 'search: one word of nearly all' 2 25 "$api/adapters?q=word0"
paced 'search: two words and a filter' 2 25 "$api/adapters?q=word3+llama&rank=16"
paced 'search: by base model, latest' 2 25 "$api/adapters?base=openai-community/gpt2"
paced 'search: by tag and bits' 2 25 "$api/adapters?tag=tag7&bits=4"
paced 'search: nothing asked, most downloaded' 2 25 "$api/adapters?sort=downloads"

printf '\n%-44s %10s %10s %10s\n' 'one request at a time' number p50 p95
measure() { "$java" -cp "$lib/*" "$here/Measure.java" "$@"; }
measure pages "$api"
measure publish "$api" "$(cat "$work/data/admin-token")"
printf '\nlargest tables and indexes\n'
seed sizes "$work/data"

site=http://127.0.0.1:$port
printf '\n%-44s %10s\n' 'pages' 'bytes sent at first load, with scripts and styles'
weigh() { # name path
  local assets
  assets=$(curl -sf "$site$2" | grep -oE '/assets/[^"]+' | sort -u)
  printf '%-44s %10s\n' "$1" "$(for path in "$2" $assets; do
    curl -sf --compressed -o /dev/null -w '%{size_download}\n' "$site$path"
  done | awk '{sum += $1} END {print sum}')"
}
weigh 'page: search' /
weigh 'page: an adapter of 224 layers' /bench/load
weigh 'page: its layers as a table' /bench/load/1.0.0/layers
printf '\n%-44s %10s %10s %10s %10s\n' 'pages at a fixed rate (hey)' 'req/s' p50 p95 p99
hey -z 5s -c 2 -q 25 "$site/" >/dev/null
hey -z 5s -c 2 -q 25 "$site/bench/load" >/dev/null
paced 'page: search, nothing asked' 2 10 "$site/"
paced 'page: search, two words and a filter' 2 10 "$site/?q=word3+llama&bits=4"
paced 'page: search, by tag, most downloaded' 2 10 "$site/?tag=tag7&sort=downloads"
paced 'page: an adapter of 224 layers' 2 10 "$site/bench/load"
paced 'page: its layers as a table' 2 10 "$site/bench/load/1.0.0/layers"
paced 'page: adapters of a base model' 2 10 "$site/base/openai-community/gpt2"
paced 'page: a namespace' 2 10 "$site/ns/seed7"
paced 'feed of a namespace' 2 10 "$site/feed/seed7.rss"
