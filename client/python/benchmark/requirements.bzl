"""What the benchmark of the Python client needs."""

load("@official_python_testing//:status.bzl", TESTING_REQUIREMENTS = "REQUIREMENTS")
load("//bazel:python.bzl", "PYTHON_CLIENT_REQUIREMENTS")

REQUIREMENTS = PYTHON_CLIENT_REQUIREMENTS + TESTING_REQUIREMENTS
