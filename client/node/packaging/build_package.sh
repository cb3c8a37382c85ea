#!/usr/bin/env bash
# Makes the npm package without its program: build_package.sh NODE NODE_MODULES GENERATED PACKAGE_JSON OUT_TAR
set -euo pipefail
node=$(realpath "$1") node_modules=$(realpath "$2") generated=$3 package_json=$4 out=$(realpath -m "$5")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -RL "$(dirname "$package_json")"/{packaging,src,README.md,package.json,tsconfig.json} "$work"
chmod -R u+w "$work"
cp -RL "$generated" "$work/src/generated"
ln -s "$node_modules" "$work/node_modules"
cd "$work"

"$node" node_modules/typescript/bin/tsc --project tsconfig.json --outDir package/dist/types
# What is internal is not for users, and its types are not there.
rm -rf package/dist/types/{generated,aws_shape.d.ts,client.d.ts}

"$node" node_modules/esbuild/bin/esbuild \
  rehearse=src/all.ts transport_worker=src/transport_worker.ts \
  jest_environment=src/jest_environment.ts \
  --bundle --platform=node --target=node20 --format=cjs --outdir=package/dist \
  '--external:@aws/*' '--external:@aws-sdk/*' --external:@grpc/proto-loader \
  --external:jest-environment-node --metafile=meta.json --log-level=warning
"$node" node_modules/esbuild/bin/esbuild vitest_setup=src/vitest_setup.ts \
  --bundle --platform=node --target=node20 --format=esm --outdir=package/dist \
  --out-extension:.js=.mjs --external:vitest --log-level=warning

"$node" packaging/write_entries.mjs package/dist
"$node" packaging/write_notices.mjs meta.json > package/THIRD_PARTY_NOTICES
cp README.md package.json package
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$out" package
