#!/bin/sh
# Runs a program on the project's own Node: `sh scripts/node.sh scripts/test.ts`. Where npm has installed none for this
# machine, the machine's own runs it. (npm 10 leaves node_modules/.bin/node out: docs/adr/0050-node-without-install-scripts.md.)
root=$(cd "${0%/*}/.." && pwd)
for bin in "$root"/node_modules/node-linux-*/bin; do
  # npm installs the package of this machine's platform only.
  [ ! -x "$bin/node" ] || own=$bin
done
if [ -n "$own" ]; then
  # Programs that this one starts find it too.
  PATH=$own:$PATH
  export PATH
elif ! node -e 'process.exit(Number.parseInt(process.versions.node, 10) < 24 ? 1 : 0)'; then
  echo "Slipway runs on Node 24. \`npm ci\` installs it on Linux (x64, arm64); elsewhere install Node 24 yourself." >&2
  exit 1
fi
exec node "$@"
