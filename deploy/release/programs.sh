# What the checks of a release share, to be sourced: they run its programs where nothing but bash and coreutils is installed.
#
# Expects $work, a folder, $version, and the working directory at the root of a checkout; sets $server, the process of a server, and $url.

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

# Becomes nola of the unpacked archive.
become_nola() {
  cd "$work/elsewhere" && exec env -i "PATH=$work/path" "HOME=$work/home" "NOLA_REGISTRY=$url" "$work/nola-$version/bin/nola" "$@"
}

nola() {
  (become_nola "$@")
}

# Unpacks an archive of programs.
unpack_programs() {
  mkdir "$work/path" "$work/home" "$work/elsewhere"
  for program in bash sh basename cat chmod cp dirname env id ln ls mkdir mktemp mv readlink rm rmdir sleep touch; do
    ln -s "$(command -v "$program")" "$work/path/$program"
  done
  # PostgreSQL refuses to run as root, which this program hides from it.
  [ "$(id -u)" != 0 ] || ln -s "$(command -v unshare)" "$work/path/unshare"
  tar -xzf "$1" -C "$work"
  url=http://127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
}

sample=$PWD/format-spec/vectors/valid/metadata.nola

# Uses the command without a server.
check_command() {
  nola --version | grep -F "nola $version"
  nola inspect "$sample" >"$work/inspect.log"
  nola verify "$sample"
  nola worker --help >"$work/worker.log"
}

# Uses a server, which it leaves running.
check_server() {
  (become_nola serve --port "${url##*:}" --data "$work/data") >"$work/serve.log" 2>&1 &
  server=$!
  for _ in $(seq 3600); do
    if curl -sf -o /dev/null "$url/actuator/health/readiness"; then break; fi
    kill -0 "$server"
    sleep 0.5
  done
  nola login <"$work/data/admin-token"
  nola publish "$sample" acme/mood@1.0.0 --create-namespace
  nola pull acme/mood@1.0.0 -o "$work/pulled.nola"
  cmp "$work/pulled.nola" "$sample"
  if nola demo 2>"$work/demo.log"; then fail "demo runs"; fi
  grep -q "run it from a checkout" "$work/demo.log"
  "$work/path/bash" -n "$work/nola-$version/share/completion/nola.bash"
}

# Trains, without and with an archive of PyTorch.
check_training() {
  local checkout=$PWD
  ln -s "$checkout/trainer-worker" "$work/elsewhere/trainer-worker"
  (cd "$work/elsewhere" && "$checkout/docs/prepare-model")
  if nola train job.yaml -o "$work/trained.nola" 2>"$work/train.log"; then fail "trains without PyTorch"; fi
  grep -q "PyTorch is not installed" "$work/train.log"
  tar -xzf "$1" -C "$work"
  nola train job.yaml -o "$work/trained.nola"
  nola verify "$work/trained.nola"
}

# Ends the server, and shows the logs of a failure. To be run at the end.
stop() {
  local status=$?
  if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then kill "$server"; fi
  wait
  [ "$status" = 0 ] || tail -n 60 "$work"/*.log
  rm -rf "$work"
  exit "$status"
}
