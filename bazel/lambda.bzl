"""Durable functions as Lambda functions.

    load("//bazel:lambda.bzl", "durable_lambda_package")

    durable_lambda_package(
        name = "orders_lambda",
        program = ":orders_worker",
    )
"""

def durable_lambda_package(name, program, **kwargs):
    """NAME.zip, a deployment package for provided.al2023.

    Args:
        name: name of the target.
        program: a cc_binary whose main is durable::Main.
        **kwargs: for the genrule.
    """
    native.genrule(
        name = name,
        srcs = [program],
        outs = [name + ".zip"],
        cmd = "/usr/bin/python3 $(location //bazel:lambda_package.py) $< $@",
        tools = ["//bazel:lambda_package.py"],
        **kwargs
    )
