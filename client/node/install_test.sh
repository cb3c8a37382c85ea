#!/usr/bin/env bash
# The package as a user gets it: installed from its file into an empty folder, without a network, and
# the quick starts of the READMEs run: install_test.sh NODE TARBALL
set -euo pipefail
node=$PWD/$1 tarball=$PWD/$2
source client/node/project.sh
export HOME=$TEST_TMPDIR TMPDIR=$TEST_TMPDIR
project=$TEST_TMPDIR/project
mkdir "$project"

# code_of DOCUMENT NUMBER - that block of TypeScript.
code_of() {
  awk -v wanted="$2" '/^```/ { inside = ($0 == "```ts"); number += inside; next }
                      inside && number == wanted' "$1"
}
code_of client/node/README.md 1 >"$project/order.test.ts"
code_of README.md 1 >"$project/readme.test.ts"
# What the second block shows works on the function of the first.
{
  sed '/^test(/,$d' "$project/order.test.ts"
  echo "test('beyond', async () => {"
  code_of client/node/README.md 2
  echo "  expect(result.getResult()).toEqual({receipt: 'receipt-17', answer: 'thanks'});"
  echo '});'
} >"$project/beyond.test.ts"
for file in "$project"/*.ts; do grep -q "^test(" "$file"; done

cd "$project"
echo '{"type": "module"}' >package.json
# The peers are not asked for: there is no registry.
npm install --offline --no-audit --no-fund --legacy-peer-deps "$tarball"
[[ $(ls -A node_modules) == $'.bin\n.package-lock.json\nrehearse' ]]
[[ -x node_modules/.bin/rehearse && ! -L node_modules/rehearse ]]
node_modules/.bin/rehearse --help | grep -q up

ln -s "$MODULES"/* node_modules 2>/dev/null || [[ -e node_modules/vitest ]]
unset REHEARSE_SERVER REHEARSE_BINARY
"$node" node_modules/vitest/vitest.mjs run --testTimeout 120000

# With Jest, without the line that imports from vitest, as CommonJS.
mkdir "$TEST_TMPDIR/jest"
sed -i "/from 'vitest'/d" ./*.ts
compile "$node" . ./*.ts
rm ./*.ts
echo '{}' >package.json
"$node" node_modules/jest/bin/jest.js --ci --testTimeout 120000 --cacheDirectory "$TEST_TMPDIR/jest"
