#!/usr/bin/env bash
# Adds the program to the npm package: add_program.sh PACKAGE_TAR PROGRAM OUT_TGZ
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xf "$1" -C "$work"
mkdir "$work/package/bin"
strip -o "$work/package/bin/rehearse" "$2"
chmod 755 "$work/package/bin/rehearse"
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$work" -cf - package | gzip -n > "$3"
