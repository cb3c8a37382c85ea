"""Repositories that stand for rule sets Bazel has built in.

Debian's bazel-rules-cc does not load on Debian's own Bazel 4.2.3, and Bazel would fetch its coverage
tools for every test. These small repositories take their place.
"""

_CC_RULES = ["cc_binary", "cc_import", "cc_library", "cc_test", "cc_toolchain", "cc_toolchain_suite"]

def _forward(rules):
    return "".join(["%s = native.%s\n" % (rule, rule) for rule in rules])

def _native_rules_cc_impl(ctx):
    ctx.file("BUILD.bazel")
    ctx.file("cc/BUILD.bazel")
    ctx.file("cc/defs.bzl", _forward(_CC_RULES))

native_rules_cc = repository_rule(
    implementation = _native_rules_cc_impl,
    doc = "@rules_cc over the built-in rules.",
)

def _native_rules_proto_impl(ctx):
    ctx.file("BUILD.bazel")
    ctx.file("proto/BUILD.bazel")

    # A .bzl file cannot assign a global to its own name, hence the second file.
    ctx.file("proto/native.bzl", "NativeProtoInfo = ProtoInfo\n")
    ctx.file("proto/defs.bzl", """load(":native.bzl", "NativeProtoInfo")

ProtoInfo = NativeProtoInfo
""" + _forward(["proto_lang_toolchain", "proto_library"]))

native_rules_proto = repository_rule(
    implementation = _native_rules_proto_impl,
    doc = "@rules_proto over the built-in rules.",
)

def _no_coverage_tools_impl(ctx):
    names = ["Main", "coverage_report_generator", "lcov_merger"]
    ctx.file("BUILD.bazel", "package(default_visibility = [\"//visibility:public\"])\n\n" + "".join([
        "sh_binary(name = %r, srcs = [\"unavailable.sh\"])\n" % name
        for name in names
    ]))
    ctx.file("unavailable.sh", "#!/bin/sh\necho 'bazel coverage is not available' >&2\nexit 1\n")

no_coverage_tools = repository_rule(
    implementation = _no_coverage_tools_impl,
    doc = "@remote_coverage_tools, on which every test depends and which only `bazel coverage` runs.",
)
