#!/usr/bin/env bash
# Puts the generated package into the source tree, for editors and the go command: write_stubs.sh FOLDER
set -euo pipefail

readonly target=$BUILD_WORKSPACE_DIRECTORY/client/go/v1
rm -rf "$target"
cp -RL --no-preserve=mode "$1" "$target"
