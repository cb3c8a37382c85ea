#!/usr/bin/env bash
# The benchmark runs and writes a record for each figure, and the page on performance tells of each.
# That a value is there is all that is asked of it: this is no place to measure.
set -euo pipefail

readonly BENCHMARK=tests/benchmark/benchmark

mkdir "$TEST_TMPDIR/caller"
BUILD_WORKING_DIRECTORY=$TEST_TMPDIR/caller "$BENCHMARK" --quick --json=figures.json
"$BENCHMARK" --list >"$TEST_TMPDIR/names"
/usr/bin/python3 - "$TEST_TMPDIR/caller/figures.json" "$TEST_TMPDIR/names" docs/performance.md <<'PYTHON'
import json
import sys

records = json.load(open(sys.argv[1]))
names = open(sys.argv[2]).read().split()
page = open(sys.argv[3]).read()
assert sorted(record["name"] for record in records) == names, records
for record in records:
    assert sorted(record) == ["name", "unit", "value"], record
    assert record["value"] > 0 and record["unit"], record
    assert "`%s`" % record["name"] in page, record
PYTHON

# One figure of a group, without its neighbours.
"$BENCHMARK" --quick --filter=checkpoint_growth >"$TEST_TMPDIR/table"
grep -q '^checkpoint_growth .* ratio .*<= 1.1' "$TEST_TMPDIR/table"
test "$(wc -l <"$TEST_TMPDIR/table")" = 2
"$BENCHMARK" --quick --filter=checkpoint_growth --markdown >"$TEST_TMPDIR/table"
grep -q '^| `checkpoint_growth` | .* ratio | <= 1.1 | ' "$TEST_TMPDIR/table"

# An unknown figure is refused, and so is a file that cannot be written.
for flag in --filter=speed --json=/no/such/folder/figures.json; do
  if "$BENCHMARK" --quick --filter=checkpoint_growth "$flag"; then
    echo "$flag was accepted"
    exit 1
  fi
done
