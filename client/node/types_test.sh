#!/usr/bin/env bash
# The tests, as users write them, are correct by the types of the package: types_test.sh NODE FILE...
set -euo pipefail
node=$PWD/$1
shift
source client/node/project.sh
project=$TEST_TMPDIR/project
make_project "$project"
cp -L "$@" "$project"
cd "$project"
echo '{}' >package.json
check() {
  "$node" node_modules/typescript/bin/tsc --noEmit --strict --target es2022 "$@"
}
readonly USER_OPTIONS=(--types node,vitest/globals --esModuleInterop --skipLibCheck --noUncheckedIndexedAccess)
check "${USER_OPTIONS[@]}" --module node16 --moduleResolution node16 ./*.ts
# As older projects find them.
check "${USER_OPTIONS[@]}" --module commonjs --moduleResolution node10 cloud.test.ts

# Each of our own files, without what it is made from.
check --module node16 --moduleResolution node16 --types node \
  node_modules/rehearse/dist/types/{index,testing/index}.d.ts
