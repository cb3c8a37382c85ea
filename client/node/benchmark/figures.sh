#!/usr/bin/env bash
# figures.js in a project that has the package installed, and AWS's testing package beside it.
set -euo pipefail
source client/node/project.sh
node=$PWD/external/client_node/bin/node22
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
make_project "$project"
cp -L client/node/benchmark/figures.js "$project"
cd "$project"
"$node" figures.js "$@"
