"""Repository rules that present installed Debian packages under their upstream labels.

Headers lie in /usr/include, which the compiler searches by itself, so a target carries little more
than link options. Bazel does not track such headers: each target therefore also carries the version
of its Debian package as a define (PACKAGE_VERSION), so that an upgrade changes every dependent
action and rebuilds it. The rules are local: they run again whenever a Bazel server starts.
"""

def _run(ctx, command):
    result = ctx.execute(command)
    if result.return_code != 0:
        fail("@%s: %s failed: %s\n./bazelw installs what is missing." % (
            ctx.name,
            " ".join(command),
            result.stderr.strip(),
        ))
    return result.stdout.strip()

def _identifier(text):
    return "".join([c if c.isalnum() else "_" for c in text.elems()])

def _debian_repository_impl(ctx):
    version = _run(ctx, ["dpkg-query", "-W", "-f", "${Version}", ctx.attr.package])
    ctx.file("version.bzl", "PACKAGE_VERSION = \"DEBIAN_%s=%s\"\n" % (
        _identifier(ctx.attr.package),
        _identifier(version),
    ))
    ctx.symlink(ctx.attr.build_file, "BUILD.bazel")
    for source in ctx.attr.srcs:
        ctx.symlink(source, source.name)
    for path, target in ctx.attr.links.items():
        ctx.symlink(target, path)
    for folder, names in ctx.attr.aliases.items():
        ctx.file(folder + "/BUILD.bazel", "package(default_visibility = [\"//visibility:public\"])\n\n" + "".join([
            "alias(name = %r, actual = %r)\n" % (name, ctx.attr.alias_target)
            for name in names
        ]))

debian_repository = repository_rule(
    implementation = _debian_repository_impl,
    attrs = {
        "package": attr.string(mandatory = True, doc = "The Debian package whose version counts."),
        "build_file": attr.label(mandatory = True, doc = "BUILD file of the repository's root."),
        "srcs": attr.label_list(doc = "Files of ours to compile there."),
        "links": attr.string_dict(doc = "Path in the repository -> absolute path it links to."),
        "aliases": attr.string_list_dict(doc = "Folder -> names that stand for alias_target."),
        "alias_target": attr.string(),
    },
    local = True,
)

def _debian_rules_repository_impl(ctx):
    for entry in _run(ctx, ["ls", "-A", ctx.attr.path]).split("\n"):
        ctx.symlink(ctx.attr.path + "/" + entry, entry)

debian_rules_repository = repository_rule(
    implementation = _debian_rules_repository_impl,
    doc = "A Starlark rule set that a Debian package installs as a folder.",
    attrs = {"path": attr.string(mandatory = True)},
    local = True,
)
