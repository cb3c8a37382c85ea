#!/usr/bin/env bash
# Each house rule finds its breach, and only it.
set -uo pipefail

readonly LINT=$PWD/bazel/lint_text.py
cd "$TEST_TMPDIR" || exit 1
mkdir -p service
failures=0

# expect FILE TEXT OUTPUT - the linter's output for a file with this text.
expect() {
  printf "$2" >"$1"
  local output status
  output=$(/usr/bin/python3 "$LINT" "$1")
  status=$?
  if [[ $output != "$3" || $status != $([[ $3 ]] && echo 1 || echo 0) ]]; then
    echo "for '$2': status $status, '$output', not '$3'"
    failures=$((failures + 1))
  fi
}

readonly GUARD='#ifndef REHEARSE_SERVICE_A_H_\n#define REHEARSE_SERVICE_A_H_\n#endif\n'
expect service/a.h "$GUARD" ''
expect service/a.h "${GUARD/A_H_/B_H_}" 'service/a.h:1: no include guard REHEARSE_SERVICE_A_H_'
expect service/a.cc 'int a;\n' ''
expect service/a.cc '\tint a;\n' 'service/a.cc:1: tab'
expect service/a.cc 'int a; \n' 'service/a.cc:1: white space at the end of the line'
expect service/a.cc 'int a;' 'service/a.cc:1: no line break at the end of the file'
expect service/a.cc '\n// TO''DO: fix\n' 'service/a.cc:2: TO''DO without an explanation (TO''DO: what and why)'
expect service/a.cc '// TO''DO: drop this once Debian ships gRPC 1.60.\n' ''
expect BUILD.bazel 'x(\n    name = 1,\n)\n' ''
expect BUILD.bazel 'x(\n  name = 1,\n)\n' 'BUILD.bazel:2: indentation is not a multiple of four'
((failures == 0)) || exit 1
