"""Tests of C++ durable functions.

    load("//bazel:durable.bzl", "durable_cc_test")

    durable_cc_test(
        name = "orders_test",
        srcs = ["orders_test.cc"],
        handlers = [":orders"],
    )
"""

load("@rules_cc//cc:defs.bzl", "cc_test")

def durable_cc_test(name, srcs, handlers = [], deps = [], copts = [], tags = [], **kwargs):
    """A GoogleTest over DurableFunctionTestRunner, its matchers and its main.

    Args:
        name: name of the test.
        srcs: the test's sources.
        handlers: cc_library targets with the functions under test; with alwayslink = 1 where they
            register themselves through DURABLE_FUNCTION.
        deps: further dependencies.
        copts: further compiler options.
        tags: further tags; "durable" is always there.
        **kwargs: for the cc_test.
    """
    cc_test(
        name = name,
        srcs = srcs,
        copts = ["-fexceptions", "-Werror=unused-result"] + copts,
        tags = tags + ["durable"],
        deps = handlers + deps + ["//client/cpp/testing"],
        **kwargs
    )
