"""The Python client: generated stubs, tests, and the wheel.

    python_grpc_stubs(
        name = "stubs",
        proto = "//proto/rehearse/v1:v1_proto",
    )

    python_client_test(
        name = "runner_test",
        srcs = ["runner_test.py"],           # for pytest
        sdk_major_version = 3,
    )
"""

load("@official_python//:status.bzl", SDK_3_REQUIREMENTS = "REQUIREMENTS")
load("@official_python_sdk_1//:status.bzl", SDK_1_REQUIREMENTS = "REQUIREMENTS")
load("@official_python_sdk_2//:status.bzl", SDK_2_REQUIREMENTS = "REQUIREMENTS")
load("@python_client//:status.bzl", CLIENT_REQUIREMENTS = "REQUIREMENTS")
load("@python_stub_generator//:status.bzl", GENERATOR_REQUIREMENTS = "REQUIREMENTS")
load("@rules_proto//proto:defs.bzl", "ProtoInfo")

# What a target needs that runs the client with the newest SDK.
PYTHON_CLIENT_REQUIREMENTS = (
    CLIENT_REQUIREMENTS + GENERATOR_REQUIREMENTS + SDK_3_REQUIREMENTS
)

# Generated for each file; .pyi are types for checkers.
_SUFFIXES = ["_pb2.py", "_pb2.pyi", "_pb2_grpc.py"]

def _stubs_impl(ctx):
    proto_info = ctx.attr.proto[ProtoInfo]
    prefix = proto_info.proto_source_root + "/"
    imports = [
        source.path[len(prefix):] if source.path.startswith(prefix) else source.short_path
        for source in proto_info.direct_sources
    ]
    outputs = [
        ctx.actions.declare_file(path[:-len(".proto")] + suffix)
        for path in imports
        for suffix in _SUFFIXES
    ]
    out_dir = ctx.bin_dir.path + "/" + ctx.label.package
    args = ctx.actions.args()
    args.add_all(["-m", "grpc_tools.protoc"])
    args.add_joined(
        "--descriptor_set_in",
        proto_info.transitive_descriptor_sets,
        join_with = ":",
    )
    for language in ["python", "pyi", "grpc_python"]:
        args.add("--%s_out=%s" % (language, out_dir))
    args.add_all(imports)
    ctx.actions.run(
        executable = "/usr/bin/python3",
        arguments = [args],
        env = {
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": "external/python_stub_generator",
        },
        inputs = depset(ctx.files._generator, transitive = [proto_info.transitive_descriptor_sets]),
        outputs = outputs,
        mnemonic = "PythonStubs",
        progress_message = "Generating %s" % ctx.label,
    )
    return [DefaultInfo(files = depset(outputs), runfiles = ctx.runfiles(outputs))]

_stubs = rule(
    implementation = _stubs_impl,
    attrs = {
        "proto": attr.label(providers = [ProtoInfo], mandatory = True),
        "_generator": attr.label(default = "@python_stub_generator"),
    },
)

def python_grpc_stubs(name, proto, **kwargs):
    """Messages and stubs of a proto_library, by grpcio-tools, below the package's own folder.

    Args:
        name: name of the target.
        proto: the proto_library.
        **kwargs: for the target.
    """
    _stubs(
        name = name,
        proto = proto,
        target_compatible_with = GENERATOR_REQUIREMENTS,
        **kwargs
    )

def python_client_data(packages = []):
    """What a program needs that uses the client with an SDK, and pytest.

    Args:
        packages: names of more repositories of pypi_packages.

    Returns:
        Labels.
    """
    return ["@" + package for package in packages] + [
        "//client/python:rehearse",
        "//service/cli:rehearse",
        "@official_python//:sdk",
        "@python_client",
    ]

def python_client_test(
        name,
        srcs,
        sdk_major_version = 3,
        packages = [],
        data = [],
        env = {},
        target_compatible_with = [],
        **kwargs):
    """A test by pytest.

    Args:
        name: name of the target.
        srcs: files with tests.
        sdk_major_version: of the durable SDK: 1, 2 or 3.
        packages: names of more repositories of pypi_packages.
        data: what it needs besides.
        env: more of its environment.
        target_compatible_with: for the target.
        **kwargs: for the target.
    """
    if sdk_major_version < 3:
        packages = ["official_python_sdk_%d" % sdk_major_version] + packages
    folders = ["external/" + package for package in packages] + [
        "client/python",
        "external/python_client",
        "external/official_python",
    ]
    native.sh_test(
        name = name,
        srcs = ["//bazel:run_python.sh"],
        args = ["-m", "pytest", "-p", "rehearse.pytest_plugin", "-p", "no:cacheprovider"] + [
            "%s/%s" % (native.package_name(), src)
            for src in srcs
        ],
        data = srcs + data + python_client_data(packages),
        env = dict({
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": ":".join(folders),
            # The folder of the script itself would be that of the source tree.
            "PYTHONSAFEPATH": "1",
            "REHEARSE_BINARY": "service/cli/rehearse",
        }, **env),
        target_compatible_with = target_compatible_with + PYTHON_CLIENT_REQUIREMENTS + {
            1: SDK_1_REQUIREMENTS,
            2: SDK_2_REQUIREMENTS,
            3: [],
        }[sdk_major_version],
        **kwargs
    )

def python_wheel(
        name,
        distribution,
        version,
        tag,
        srcs,
        binary,
        readme,
        license,
        metadata,
        entry_points,
        **kwargs):
    """A wheel.

    Args:
        name: name of the target.
        distribution: name of the package.
        version: its version.
        tag: what it runs on, for example "py3-none-any".
        srcs: the modules, below the package's folder.
        binary: a program that goes to DISTRIBUTION/bin.
        readme: Markdown, for the package index.
        license: a text.
        metadata: more lines of the METADATA file.
        entry_points: lines of the entry_points.txt file.
        **kwargs: for the target.
    """
    native.genrule(
        name = name,
        srcs = srcs + [binary, readme, license],
        outs = ["%s-%s-%s.whl" % (distribution, version, tag)],
        cmd = " ".join([
            "/usr/bin/python3 $(location //bazel:python_wheel.py) --output=$@",
            "--distribution=%s --version=%s --tag=%s" % (distribution, version, tag),
            "--root=%s/" % native.package_name(),
            "--binary=$(location %s) --readme=$(location %s)" % (binary, readme),
            "--license=$(location %s)" % license,
        ] + ["'--metadata=%s'" % line for line in metadata] +
        ["'--entry-points=%s'" % line for line in entry_points] +
        ["$(locations %s)" % src for src in srcs]),
        tools = ["//bazel:python_wheel.py"],
        **kwargs
    )
