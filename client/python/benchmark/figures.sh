#!/usr/bin/env bash
# figures.py, where Bazel has put what it needs.
set -euo pipefail

root=$PWD
export PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1
export PYTHONPATH=$root/client/python:$root/external/python_client:$root/external/official_python
export PYTHONPATH=$PYTHONPATH:$root/external/official_python_testing
export REHEARSE_BINARY=$root/service/cli/rehearse
exec /usr/bin/python3 client/python/benchmark/figures.py "$@"
