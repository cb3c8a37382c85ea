#!/usr/bin/env bash
# Runs tests in a project that has the package installed: run_tests.sh jest|vitest NODE FILE...
set -euo pipefail
framework=$1 node=$PWD/$2
shift 2
source client/node/project.sh
project=$TEST_TMPDIR/project
make_project "$project"
export SCENARIOS=$PWD/tests/scenarios
export TMPDIR=$TEST_TMPDIR HOME=$TEST_TMPDIR

# So far away that it only ends a test that hangs.
readonly TIMEOUT_MS=120000

case $framework in
  jest)
    compile "$node" "$project" "$@"
    cd "$project"
    echo '{}' >package.json
    exec "$node" node_modules/jest/bin/jest.js --ci --rootDir "$project" --testMatch '<rootDir>/*.test.js' \
      --testEnvironment node --testTimeout $TIMEOUT_MS --cacheDirectory "$TEST_TMPDIR/jest"
    ;;
  vitest)
    cp -L "$@" "$project"
    cd "$project"
    echo '{"type": "module"}' >package.json
    exec "$node" node_modules/vitest/vitest.mjs run --globals --testTimeout $TIMEOUT_MS \
      --hookTimeout $TIMEOUT_MS
    ;;
esac
