"""Go modules, pinned by go.sum, and a Go to build with.

    go_modules(name = "go_modules", go_mod = "//client/go:go.mod", go_sum = "//client/go:go.sum")

downloads the modules that go.mod requires; //bazel:go_rules.bzl builds with them. The Go is that of
the machine if go.mod does not ask for a newer one, else that of @go_toolchain, a `pypi_packages`.
What needs them says `target_compatible_with = REQUIREMENTS`, loaded from @go_modules//:status.bzl:
when they cannot be had, Bazel skips those targets and says so. With CI=true in the environment that
is an error instead.
"""

def _version(text):
    return [int(part) for part in text.split(".")]

def _wanted_version(ctx):
    for line in ctx.read(ctx.attr.go_mod).split("\n"):
        if line.startswith("go "):
            return line[len("go "):].strip()
    fail("%s has no go line" % ctx.attr.go_mod)

def _version_of(ctx, go):
    """Returns for example "1.26.8", or nothing."""
    result = ctx.execute([go, "version"], environment = {"GOTOOLCHAIN": "local"})
    words = result.stdout.split(" ")
    if result.return_code != 0 or len(words) < 3 or not words[2].startswith("go"):
        return None
    number = words[2][len("go"):]
    return number if number.replace(".", "").isdigit() else None

def _go_of_the_machine(ctx, wanted):
    """Returns its path, or nothing if it is not there or too old."""
    go = ctx.which("go")
    version = _version_of(ctx, go) if go != None else None
    return go if version != None and _version(version) >= _version(wanted) else None

def _go_of_the_index(ctx):
    """Returns its path, or nothing."""
    go = ctx.path("%s/go/bin/go" % ctx.path(Label("@go_toolchain//:BUILD.bazel")).dirname)
    return go if go.exists else None

def _download(ctx, go):
    """Returns what went wrong, or nothing."""
    for name, label in {"go.mod": ctx.attr.go_mod, "go.sum": ctx.attr.go_sum}.items():
        # A copy: the command may add to it.
        ctx.file("main/" + name, ctx.read(label))
    result = ctx.execute(
        [go, "mod", "download"],
        working_directory = "main",
        environment = {
            "GOFLAGS": "-modcacherw",
            "GOMODCACHE": str(ctx.path("cache")),
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        },
        timeout = 300,
    )
    return None if result.return_code == 0 else result.stderr.strip()

def _go_modules_impl(ctx):
    go = _go_of_the_machine(ctx, _wanted_version(ctx)) or _go_of_the_index(ctx)
    error = _download(ctx, go) if go != None else "There is no Go for this machine."
    if error != None and ctx.os.environ.get("CI") == "true":
        fail("@%s: %s" % (ctx.name, error))
    if error != None:
        # buildifier: disable=print
        print("@%s cannot be fetched; what needs it is skipped. `bazel sync --only=%s` tries again. %s" % (
            ctx.name,
            ctx.name,
            error[-400:],
        ))
        ctx.file("go", "", executable = True)
        ctx.file("modules.txt", "")
    else:
        ctx.symlink(go, "go")
        ctx.file("modules.txt", "go %s\n%s" % (_version_of(ctx, go), ctx.read(ctx.attr.go_sum)))
    ctx.file("status.bzl", "REQUIREMENTS = %r\n" % (
        [] if error == None else ["@rehearse//bazel:unavailable"]
    ))
    ctx.file("BUILD.bazel", """\
exports_files(["go", "modules.txt"])
""")

go_modules = repository_rule(
    implementation = _go_modules_impl,
    attrs = {
        "go_mod": attr.label(mandatory = True, allow_single_file = True),
        "go_sum": attr.label(mandatory = True, allow_single_file = True),
    },
    environ = ["CI", "PATH", "GOPROXY", "GONOSUMDB", "GOSUMDB"],
)
