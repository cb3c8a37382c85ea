#!/usr/bin/env bash
# conformance_test.py as a program, to be run in its runfiles: run_conformance.sh [ID | SUITE]...
set -euo pipefail
PYTHONPATH=external/aws_durable_execution_conformance_tests
PYTHONPATH+=:proto/rehearse/v1/v1_py_grpc:proto/rehearse/v1/v1_py_proto:tests/conformance
export PYTHONPATH PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1
exec /usr/bin/python3 tests/conformance/conformance_test.py "$@"
