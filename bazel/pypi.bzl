"""Wheels from the Python package index, pinned by their hashes, for Debian's Python.

    pypi_packages(name = "left_pad")

The lock file //bazel/third_party:left_pad.requirements.txt names every wheel: nothing else is
fetched, whatever the wheels ask for, be it of other wheels or of Python. They are installed into
one folder, which //bazel/third_party:left_pad.BUILD describes; with keep_wheels the wheels themselves
are in its folder `wheels`, too. What uses it says
`target_compatible_with = REQUIREMENTS`, loaded from @left_pad//:status.bzl: when the index cannot
be reached, Bazel skips those targets and says so. With CI=true in the environment that is an error
instead.
"""

# The index is asked once, and briefly: without a network nobody wants to wait.
_PIP_OPTIONS = [
    "--quiet",
    "--disable-pip-version-check",
    "--no-input",
    "--retries=1",
    "--timeout=15",
]

def _pip(ctx, command, requirements, options):
    """Returns what went wrong, or nothing."""
    result = ctx.execute(["/usr/bin/python3", "-m", "pip", command] + _PIP_OPTIONS + [
        "--no-deps",
        "--only-binary=:all:",
        "--ignore-requires-python",
        "--require-hashes",
        "--requirement=%s" % requirements,
    ] + options, timeout = 120)
    return None if result.return_code == 0 else result.stderr.strip()

def _install(ctx, requirements):
    """Returns what went wrong, or nothing."""
    options = ["--no-compile", "--root-user-action=ignore", "--target=."]
    if ctx.attr.keep_wheels:
        error = _pip(ctx, "download", requirements, ["--dest=wheels"])
        if error != None:
            return error
        options += ["--no-index", "--find-links=wheels"]
    return _pip(ctx, "install", requirements, options)

def _pypi_packages_impl(ctx):
    description = "//bazel/third_party:" + ctx.name
    error = _install(ctx, ctx.path(Label(description + ".requirements.txt")))
    if error != None and ctx.os.environ.get("CI") == "true":
        fail("@%s: %s" % (ctx.name, error))
    if error != None:
        # buildifier: disable=print
        print("@%s cannot be fetched; what needs it is skipped. `bazel sync --only=%s` tries again. %s" % (
            ctx.name,
            ctx.name,
            error[-400:],
        ))
    ctx.file("status.bzl", "REQUIREMENTS = %r\n" % (
        [] if error == None else ["@rehearse//bazel:unavailable"]
    ))
    ctx.symlink(Label(description + ".BUILD"), "BUILD.bazel")

pypi_packages = repository_rule(
    implementation = _pypi_packages_impl,
    attrs = {"keep_wheels": attr.bool(doc = "For tests that install them.")},
    environ = ["CI"],
)
