#!/usr/bin/env bash
# The benchmark runs and writes a record for each figure that was asked for. Values are not looked at: this is no place for them.
set -euo pipefail

readonly FIGURES=(pipeline_checkpoint_us checkpoint_vs_empty_rpc quickstart_embedded_ms steps_10_embedded_ms cold_start_ms)
readonly JSON=$TEST_TMPDIR/figures.json

tests/benchmark/benchmark --quick --json="$JSON" "${FIGURES[@]/#/--filter=}"
/usr/bin/python3 - "$JSON" "${FIGURES[@]}" <<'PYTHON'
import json
import sys

records = json.load(open(sys.argv[1]))
assert {record["name"] for record in records} == set(sys.argv[2:]), records
for record in records:
    assert sorted(record) == ["name", "unit", "value"], record
    assert record["value"] > 0 and record["unit"], record
PYTHON

# An unknown figure is refused.
if tests/benchmark/benchmark --filter=speed; then
  echo "--filter=speed was accepted"
  exit 1
fi
