"""What is built from a Go module, with the modules of @go_modules (//bazel:go.bzl).

    go_tools(
        name = "tools",
        srcs = ["go.mod", "go.sum"],
        cache = "tools.tar",
        packages = ["google.golang.org/grpc"],      # compiled once, for all that use them
        tools = ["google.golang.org/protobuf/cmd/protoc-gen-go"],
    )

    go_proto(name = "stubs", package = "example.com/a/v1", proto = ":a_proto", tools = ":tools")

    go_binaries(
        name = "binaries",
        srcs = glob(["**/*.go"]) + ["go.mod", "go.sum"],
        generated = {":stubs": "v1"},               # what the module has in that folder
        programs = {"server": "./cmd/server"},
        tests = {"a.test": "."},
        tools = ":tools",
    )

    go_module(
        name = "module",                            # a folder for GOPROXY=file://...
        srcs = glob(["**/*.go"]) + ["go.mod", "go.sum"],
        added = {":stubs": "v1"},
        module = "example.com/a",
        version = "v0.1.0",
    )

The compiler and the modules are read where they are, and not as inputs: an input says which they
are. Nothing is fetched by an action, and cgo is off.
"""

load("@rules_proto//proto:defs.bzl", "ProtoInfo")

# Sets up the go command, with a module in $work/main; $root is where outputs belong.
_PREPARE = """\
set -euo pipefail
root=$PWD
go=$(readlink -f {go})
modules=$(readlink -f {modules})
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/cache" "$work/main"
export HOME=$work GOCACHE=$work/cache GOMODCACHE=${{modules%/*}}/cache GOPATH=$work/path
export CGO_ENABLED=0 GOFLAGS='-mod=readonly -trimpath -buildvcs=false -gcflags=all=-dwarf=false -ldflags=-w'
export GOPROXY=off GOTOOLCHAIN=local GOWORK=off GOTELEMETRY=off
"""

GoToolsInfo = provider(
    doc = "What a go_tools has made.",
    fields = {"tools": "executables", "cache": "compiled packages, a tar file"},
)

_ATTRS = {
    "_go": attr.label(allow_single_file = True, default = "@go_modules//:go"),
    "_modules": attr.label(allow_single_file = True, default = "@go_modules//:modules.txt"),
}

def _run(ctx, command, inputs, outputs, progress_message):
    ctx.actions.run_shell(
        command = _PREPARE.format(go = ctx.file._go.path, modules = ctx.file._modules.path) + command,
        inputs = inputs + [ctx.file._go, ctx.file._modules],
        outputs = outputs,
        mnemonic = "Go",
        progress_message = progress_message,
        use_default_shell_env = True,
    )

def _go_tools_impl(ctx):
    tools = [
        ctx.actions.declare_file("%s/%s" % (ctx.label.name, package.split("/")[-1]))
        for package in ctx.attr.tools
    ]
    cache = ctx.outputs.cache
    command = """\
cp {srcs} "$work/main"
cd "$work/main"
"$go" build -o "$root/{folder}/" {tools}
"$go" build {packages}
tar --create --file="$root/{cache}" --directory="$GOCACHE" .
""".format(
        cache = cache.path,
        folder = tools[0].dirname,
        packages = " ".join(ctx.attr.packages),
        srcs = " ".join([file.path for file in ctx.files.srcs]),
        tools = " ".join(ctx.attr.tools),
    )
    _run(ctx, command, ctx.files.srcs, tools + [cache], "Compiling Go modules")
    return [DefaultInfo(files = depset(tools)), GoToolsInfo(tools = tools, cache = cache)]

go_tools = rule(
    implementation = _go_tools_impl,
    doc = "Builds programs of the modules, and compiles packages of theirs.",
    attrs = dict({
        "cache": attr.output(mandatory = True, doc = "The compiled packages: a GOCACHE."),
        "packages": attr.string_list(),
        "srcs": attr.label_list(allow_files = True, mandatory = True, doc = "go.mod and go.sum."),
        "tools": attr.string_list(mandatory = True),
    }, **_ATTRS),
)

def _go_proto_impl(ctx):
    proto_info = ctx.attr.proto[ProtoInfo]
    root = proto_info.proto_source_root + "/"
    tools = ctx.attr.tools[GoToolsInfo].tools
    folder = ctx.actions.declare_directory(ctx.label.name)
    args = ctx.actions.args()
    for tool in tools:
        language = tool.basename[len("protoc-gen-"):]
        args.add(tool, format = "--plugin=%s")
        args.add("--%s_out=%s" % (language, folder.path))
        args.add("--%s_opt=module=%s" % (language, ctx.attr.package))
    args.add_joined(
        "--descriptor_set_in",
        proto_info.transitive_descriptor_sets,
        join_with = ":",
    )
    for source in proto_info.direct_sources:
        args.add(source.path[len(root):] if source.path.startswith(root) else source.short_path)
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = proto_info.transitive_descriptor_sets,
        tools = tools,
        outputs = [folder],
        mnemonic = "Protoc",
        progress_message = "Generating %s" % ctx.label,
    )
    return [DefaultInfo(files = depset([folder]), runfiles = ctx.runfiles([folder]))]

go_proto = rule(
    implementation = _go_proto_impl,
    doc = "The Go package of a proto_library, as a folder.",
    attrs = {
        "package": attr.string(mandatory = True, doc = "Import path of the package."),
        "proto": attr.label(providers = [ProtoInfo], mandatory = True),
        "tools": attr.label(providers = [GoToolsInfo], mandatory = True),
        "_protoc": attr.label(
            executable = True,
            allow_single_file = True,
            cfg = "exec",
            default = "@com_google_protobuf//:protoc",
        ),
    },
)

def _go_binaries_impl(ctx):
    cache = ctx.attr.tools[GoToolsInfo].cache
    package = ctx.label.package + "/"
    command = 'tar --extract --file={} --directory="$GOCACHE"\n'.format(cache.path)
    for source in ctx.files.srcs:
        command += 'install -D --mode=644 {} "$work/main/{}"\n'.format(
            source.path,
            source.short_path[len(package):],
        )
    for target, folder in ctx.attr.generated.items():
        command += 'cp -RL {} "$work/main/{}"\n'.format(target.files.to_list()[0].path, folder)
    command += """\
cd "$work/main"
unformatted=$("${go%/*}/gofmt" -l .)
[[ -z $unformatted ]] || { echo "gofmt: $unformatted" && exit 1; }
"""
    for output in ctx.outputs.outs:
        build, path = ("build", ctx.attr.programs.get(output.basename))
        if path == None:
            build, path = ("test -c", ctx.attr.tests[output.basename])
        command += '"$go" {} -o "$root/{}" {}\n'.format(build, output.path, path)
    _run(
        ctx,
        command,
        ctx.files.srcs + ctx.files.generated + [cache],
        ctx.outputs.outs,
        "Compiling %s" % ctx.label,
    )

_go_binaries = rule(
    implementation = _go_binaries_impl,
    attrs = dict({
        "generated": attr.label_keyed_string_dict(),
        "outs": attr.output_list(),
        "programs": attr.string_dict(),
        "srcs": attr.label_list(allow_files = True, mandatory = True),
        "tests": attr.string_dict(),
        "tools": attr.label(providers = [GoToolsInfo], mandatory = True),
    }, **_ATTRS),
)

def go_binaries(name, srcs, tools, programs = {}, tests = {}, **kwargs):
    """Programs and test programs of the module in this package.

    Args:
        name: name of the target.
        srcs: the module's files.
        tools: a go_tools.
        programs: packages by the names of their programs, which are targets.
        tests: packages by the names of their test programs, which are targets.
        **kwargs: for the rule; `generated` are folders that are not in the source tree, by target.
    """
    _go_binaries(
        name = name,
        srcs = srcs,
        outs = programs.keys() + tests.keys(),
        programs = programs,
        tests = tests,
        tools = tools,
        **kwargs
    )

def _go_module_impl(ctx):
    outputs = [
        ctx.actions.declare_file("%s/%s/@v/%s" % (ctx.label.name, ctx.attr.module, name))
        for name in ["list"] + [ctx.attr.version + suffix for suffix in [".info", ".mod", ".zip"]]
    ]
    package = ctx.label.package + "/"
    args = ctx.actions.args()
    args.add_all([ctx.file._pack, outputs[0].dirname, ctx.attr.module, ctx.attr.version])
    for source in ctx.files.srcs:
        args.add("%s=%s" % (source.short_path[len(package):], source.path))
    for target, name in ctx.attr.added.items():
        args.add("%s=%s" % (name, target.files.to_list()[0].path))
    ctx.actions.run(
        executable = "/usr/bin/python3",
        arguments = [args],
        inputs = ctx.files.srcs + ctx.files.added + [ctx.file._pack],
        outputs = outputs,
        mnemonic = "GoModule",
        progress_message = "Packing %s" % ctx.label,
    )
    return [DefaultInfo(files = depset(outputs), runfiles = ctx.runfiles(outputs))]

go_module = rule(
    implementation = _go_module_impl,
    doc = "The module in this package, as GOPROXY=file://FOLDER takes it.",
    attrs = {
        "added": attr.label_keyed_string_dict(
            allow_files = True,
            doc = "Files and folders from elsewhere, and what they are called in the module.",
        ),
        "module": attr.string(mandatory = True),
        "srcs": attr.label_list(allow_files = True, mandatory = True),
        "version": attr.string(mandatory = True),
        "_pack": attr.label(allow_single_file = True, default = "//bazel:go_module.py"),
    },
)
