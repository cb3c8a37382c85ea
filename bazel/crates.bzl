"""Crates of Rust, pinned by their hashes, and compiled.

    crates(name = "left_pad")

The lock file //bazel/third_party:left_pad.Cargo.lock, which cargo has made from left_pad.Cargo.toml,
names every crate. They are compiled here, once, without optimization: a crate takes longer than
what uses it. //bazel/third_party:left_pad.BUILD describes the folder; bin/rustc is the compiler that
made them, the only one that reads them. What uses it says `target_compatible_with = REQUIREMENTS`,
loaded from @left_pad//:status.bzl: when there is no cargo that is new enough or the registry cannot
be reached, Bazel skips those targets and says so. With CI=true in the environment that is an error
instead.
"""

# What the newest of the crates asks for.
_OLDEST_RUST = [1, 94]

# The registry is asked briefly: without a network nobody wants to wait.
_ENVIRONMENT = {
    "CARGO_HTTP_TIMEOUT": "60",
    "CARGO_NET_RETRY": "1",
    "CARGO_TARGET_DIR": "target",
    "CARGO_TERM_COLOR": "never",
}

def _version(ctx, cargo):
    """Returns the first two numbers of "cargo 1.96.0 (...)"."""
    result = ctx.execute([cargo, "--version"])
    words = result.stdout.split(" ")
    if result.return_code != 0 or len(words) < 2:
        return [0, 0]
    return [int(number) for number in words[1].split(".")[:2]]

def _compile(ctx, cargo, rustc):
    """Returns what went wrong, or nothing."""
    if cargo == None or rustc == None or _version(ctx, cargo) < _OLDEST_RUST:
        return "There is no Rust %d.%d; on Debian 12, `apt-get install cargo-web` brings it." % (
            _OLDEST_RUST[0],
            _OLDEST_RUST[1],
        )
    sysroot = ctx.execute([rustc, "--print=sysroot"])
    if sysroot.return_code != 0:
        return sysroot.stderr.strip()
    result = ctx.execute(
        [cargo, "build", "--locked", "--quiet"],
        environment = _ENVIRONMENT,
        timeout = 3600,
    )
    if result.return_code != 0:
        return result.stderr.strip()
    ctx.delete("target/debug/build")
    ctx.symlink(sysroot.stdout.strip() + "/bin/rustc", "bin/rustc")
    return None

def _crates_impl(ctx):
    description = "//bazel/third_party:" + ctx.name
    for file in ["Cargo.toml", "Cargo.lock"]:
        ctx.symlink(Label(description + "." + file), file)
    ctx.symlink(Label(description + ".BUILD"), "BUILD.bazel")
    ctx.file("src/lib.rs")

    # Above this line are all labels: Bazel begins again at one that it has not seen before.
    ctx.report_progress("compiling")
    error = _compile(ctx, ctx.which("cargo"), ctx.which("rustc"))
    if error != None and ctx.os.environ.get("CI") == "true":
        fail("@%s: %s" % (ctx.name, error))
    if error != None:
        # buildifier: disable=print
        print("@%s cannot be had; what needs it is skipped. `bazel sync --only=%s` tries again. %s" % (
            ctx.name,
            ctx.name,
            error[-400:],
        ))
    ctx.file("status.bzl", "REQUIREMENTS = %r\n" % (
        [] if error == None else ["@rehearse//bazel:unavailable"]
    ))

crates = repository_rule(
    implementation = _crates_impl,
    environ = ["CI", "PATH"],
)
