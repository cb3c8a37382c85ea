"""A wheel from the Python package index, pinned by its hash, for Debian's Python.

    pypi_wheel(
        name = "left_pad",
        package = "left-pad",
        version = "1.2.0",
        sha256 = "...",
        build_file = "//bazel/third_party:left_pad.BUILD",
    )

The wheel is unpacked as it is: neither its dependencies are fetched nor is its word on the Python
that it needs heard. What uses it says `target_compatible_with = REQUIREMENTS`, loaded from
@left_pad//:status.bzl: when the index cannot be reached, Bazel skips those targets and says so. With
CI=true in the environment that is an error instead.
"""

# The index is asked once, and briefly: without a network nobody wants to wait.
_PIP_OPTIONS = [
    "--quiet",
    "--disable-pip-version-check",
    "--no-input",
    "--retries=1",
    "--timeout=15",
]

def _download(ctx):
    """Puts the wheel into folder `wheel`. Returns what went wrong, or nothing."""
    ctx.file("requirements.txt", "%s==%s --hash=sha256:%s\n" % (
        ctx.attr.package,
        ctx.attr.version,
        ctx.attr.sha256,
    ))
    result = ctx.execute(["/usr/bin/python3", "-m", "pip", "download"] + _PIP_OPTIONS + [
        "--no-deps",
        "--only-binary=:all:",
        "--python-version=" + ctx.attr.python_version,
        "--require-hashes",
        "--requirement=requirements.txt",
        "--dest=wheel",
    ], timeout = 120)
    return None if result.return_code == 0 else result.stderr.strip()

def _unpack(ctx):
    wheel = ctx.path("wheel").readdir()[0]
    result = ctx.execute(["/usr/bin/python3", "-m", "zipfile", "-e", str(wheel), "."])
    if result.return_code != 0:
        fail("@%s: cannot unpack the wheel: %s" % (ctx.name, result.stderr))
    ctx.delete("wheel")

def _pypi_wheel_impl(ctx):
    error = _download(ctx)
    if error == None:
        _unpack(ctx)
    elif ctx.os.environ.get("CI") == "true":
        fail("@%s: %s" % (ctx.name, error))
    else:
        # buildifier: disable=print
        print(("@%s: %s %s cannot be fetched; what needs it is skipped. " +
               "`bazel sync --only=%s` tries again. %s") % (
            ctx.name,
            ctx.attr.package,
            ctx.attr.version,
            ctx.name,
            error[-400:],
        ))
    ctx.file("status.bzl", "REQUIREMENTS = %r\n" % (
        [] if error == None else ["@rehearse//bazel:unavailable"]
    ))
    ctx.symlink(ctx.attr.build_file, "BUILD.bazel")

pypi_wheel = repository_rule(
    implementation = _pypi_wheel_impl,
    attrs = {
        "package": attr.string(mandatory = True),
        "version": attr.string(mandatory = True),
        "sha256": attr.string(mandatory = True),
        "python_version": attr.string(
            default = "3.11",
            doc = "The Python that is claimed; another than Debian's for a package that asks for more than it needs.",
        ),
        "build_file": attr.label(mandatory = True, doc = "BUILD file of the repository's root."),
    },
    environ = ["CI"],
)
