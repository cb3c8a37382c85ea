#!/usr/bin/env bash
# The shipped program runs wherever there is a C library: it needs libc and libm, and nothing else.
set -euo pipefail

readonly REHEARSE=service/cli/rehearse
needed=$(objdump -p "$REHEARSE" | awk '$1 == "NEEDED" { print $2 }' | sort | tr '\n' ' ')
case "$needed" in
  "libc.so.6 libm.so.6 " | "ld-linux-x86-64.so.2 libc.so.6 libm.so.6 ") ;;
  *)
    echo "rehearse needs: $needed"
    exit 1
    ;;
esac
"$REHEARSE" --help >/dev/null
