"""Tests in Python with AWS's own packages.

    official_python_test(
        name = "boto3_test",
        srcs = ["operations_test.py"],       # in module unittest; also those who help
        tests = ["operations_test"],
    )
"""

load("@official_python//:status.bzl", "REQUIREMENTS")
load("@official_python_sdk_1//:status.bzl", SDK_1_REQUIREMENTS = "REQUIREMENTS")

def official_python_test(
        name,
        srcs,
        tests,
        sdk_major_version = 3,
        data = [],
        env = {},
        target_compatible_with = [],
        **kwargs):
    """A test of the modules `tests`; the durable SDK of Python has major version 1 or 3."""
    sdk_1 = sdk_major_version == 1
    packages = (["official_python_sdk_1"] if sdk_1 else []) + ["official_python"]
    native.sh_test(
        name = name,
        srcs = ["//bazel:run_python.sh"],
        args = [
            "-m",
            "unittest",
        ] + tests,
        data = srcs + data + ["//tests/interop:harness"] + ["@" + package for package in packages],
        env = dict({
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": ":".join(["external/" + package for package in packages] + [
                "proto/rehearse/v1/v1_py_grpc",
                "proto/rehearse/v1/v1_py_proto",
                "tests/interop/harness",
                native.package_name(),
            ]),
            # The folder of the script itself would be that of the source tree.
            "PYTHONSAFEPATH": "1",
            "SDK_MAJOR_VERSION": str(sdk_major_version),
        }, **env),
        target_compatible_with = target_compatible_with + REQUIREMENTS + (
            SDK_1_REQUIREMENTS if sdk_1 else []
        ),
        **kwargs
    )
