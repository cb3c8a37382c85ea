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
for resolution in "commonjs node10" "node16 node16"; do
  read -r module moduleResolution <<<"$resolution"
  "$node" node_modules/typescript/bin/tsc --noEmit --strict --target es2022 --module "$module" \
    --moduleResolution "$moduleResolution" --types node,vitest/globals --esModuleInterop \
    --skipLibCheck --noUncheckedIndexedAccess ./*.ts
done

# Each of our own files, without what it is made from.
"$node" node_modules/typescript/bin/tsc --noEmit --strict --target es2022 --module node16 \
  --moduleResolution node16 --types node node_modules/rehearse/dist/types/{index,testing/index}.d.ts
