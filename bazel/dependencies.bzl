"""All external repositories: installed Debian packages, and from language registries what only tests use."""

load("//bazel:crates.bzl", "crates")
load("//bazel:debian.bzl", "debian_repository", "debian_rules_repository")
load("//bazel:go.bzl", "go_modules")
load("//bazel:maven.bzl", "maven_packages")
load("//bazel:native_rules.bzl", "native_rules_cc", "native_rules_proto", "no_coverage_tools")
load("//bazel:npm.bzl", "npm_packages")
load("//bazel:pypi.bzl", "pypi_packages")

# One library stands for all of Abseil; these are the upstream labels that lead to it.
_ABSL_LABELS = {
    "absl/algorithm": ["algorithm", "container"],
    "absl/base": ["base", "config", "core_headers", "log_severity"],
    "absl/cleanup": ["cleanup"],
    "absl/container": [
        "btree",
        "fixed_array",
        "flat_hash_map",
        "flat_hash_set",
        "inlined_vector",
        "node_hash_map",
        "node_hash_set",
    ],
    "absl/debugging": ["failure_signal_handler", "leak_check", "stacktrace", "symbolize"],
    "absl/functional": ["any_invocable", "bind_front", "function_ref"],
    "absl/hash": ["hash"],
    "absl/memory": ["memory"],
    "absl/meta": ["type_traits"],
    "absl/numeric": ["bits", "int128"],
    "absl/random": ["bit_gen_ref", "distributions", "random", "seed_sequences"],
    "absl/status": ["status", "statusor"],
    "absl/strings": ["cord", "str_format", "strings"],
    "absl/synchronization": ["synchronization"],
    "absl/time": ["time"],
    "absl/types": ["any", "compare", "optional", "span", "variant"],
    "absl/utility": ["utility"],
}

_WELL_KNOWN_PROTOS = [
    "any",
    "api",
    "descriptor",
    "duration",
    "empty",
    "field_mask",
    "source_context",
    "struct",
    "timestamp",
    "type",
    "wrappers",
]

def rehearse_dependencies():
    """Declares the repositories; call it from WORKSPACE."""
    native_rules_cc(name = "rules_cc")
    native_rules_proto(name = "rules_proto")
    no_coverage_tools(name = "remote_coverage_tools")
    debian_rules_repository(name = "rules_java", path = "/usr/share/bazel/rules/java")

    debian_repository(
        name = "com_google_absl",
        package = "libabsl-dev",
        build_file = "//bazel/third_party:absl.BUILD",
        aliases = _ABSL_LABELS,
        alias_target = "//:absl",
    )
    debian_repository(
        name = "com_google_protobuf",
        package = "libprotobuf-dev",
        build_file = "//bazel/third_party:protobuf.BUILD",
        links = dict({
            "google/protobuf/%s.proto" % name: "/usr/include/google/protobuf/%s.proto" % name
            for name in _WELL_KNOWN_PROTOS
        }, protoc = "/usr/bin/protoc"),
    )
    debian_repository(
        name = "com_github_grpc_grpc",
        package = "libgrpc++-dev",
        build_file = "//bazel/third_party:grpc.BUILD",
        links = {
            "grpc_cpp_plugin": "/usr/bin/grpc_cpp_plugin",
            "grpc_python_plugin": "/usr/bin/grpc_python_plugin",
        },
    )
    debian_repository(
        name = "spdlog",
        package = "libspdlog-dev",
        build_file = "//bazel/third_party:spdlog.BUILD",
        srcs = ["//bazel/third_party:spdlog.cc"],
    )
    debian_repository(
        name = "libpq",
        package = "libpq-dev",
        build_file = "//bazel/third_party:libpq.BUILD",
        links = {
            "postgresql/%s.h" % name: "/usr/include/postgresql/%s.h" % name
            for name in ["libpq-fe", "pg_config_ext", "postgres_ext"]
        },
    )
    for name, package in {
        "boost": "libboost-dev",
        "cli11": "libcli11-dev",
        "com_github_google_benchmark": "libbenchmark-dev",
        "com_google_googletest": "libgmock-dev",
        "nlohmann_json": "nlohmann-json3-dev",
        "openssl": "libssl-dev",
        "rapidcheck": "librapidcheck-dev",
        "sqlite3": "libsqlite3-dev",
        "yaml_cpp": "libyaml-cpp-dev",
    }.items():
        debian_repository(
            name = name,
            package = package,
            build_file = "//bazel/third_party:%s.BUILD" % name,
        )

    # It asks for Python 3.14; what we use of it runs on 3.11.
    pypi_packages(name = "aws_durable_execution_conformance_tests")
    pypi_packages(name = "official_python", keep_wheels = True)
    pypi_packages(name = "official_python_sdk_1")
    pypi_packages(name = "official_python_sdk_2")
    pypi_packages(name = "official_python_testing")
    pypi_packages(name = "python_client", keep_wheels = True)
    pypi_packages(name = "python_stub_generator")
    npm_packages(
        name = "client_node",
        node_versions = [
            "20",
            "22",
            "24",
        ],
    )
    npm_packages(name = "official_node")
    crates(name = "official_rust")
    maven_packages(name = "java_packages")

    # Fetched only where the machine's Go is too old.
    pypi_packages(name = "go_toolchain")
    go_modules(
        name = "go_modules",
        go_mod = "//client/go:go.mod",
        go_sum = "//client/go:go.sum",
    )
