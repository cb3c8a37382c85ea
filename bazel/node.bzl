"""TypeScript from .proto files, and tests of the npm package.

    es_proto_library(
        name = "v1_es_proto",
        proto = "//proto/rehearse/v1:v1_proto",
    )

    node_test(
        name = "steps_test",
        srcs = ["steps.test.ts"],
    )

What uses them needs the packages of @client_node, and is skipped where those cannot be fetched.
"""

load("@client_node//:status.bzl", "REQUIREMENTS")
load("@rules_proto//proto:defs.bzl", "ProtoInfo")

def _import_path(source, proto_info):
    prefix = proto_info.proto_source_root + "/"
    return source.path[len(prefix):] if source.path.startswith(prefix) else source.short_path

def _es_proto_library_impl(ctx):
    proto_info = ctx.attr.proto[ProtoInfo]
    node_modules = ctx.files._node_modules[0]
    folder = ctx.actions.declare_directory(ctx.label.name)
    plugin = ctx.actions.declare_file(ctx.label.name + ".plugin.sh")
    ctx.actions.write(
        plugin,
        "#!/bin/sh\nexec %s %s/@bufbuild/protoc-gen-es/bin/protoc-gen-es \"$@\"\n" % (
            ctx.file._node.path,
            node_modules.path,
        ),
        is_executable = True,
    )
    args = ctx.actions.args()
    args.add(plugin, format = "--plugin=protoc-gen-es=%s")
    args.add_all([folder], format_each = "--es_out=%s", expand_directories = False)
    args.add("--es_opt=target=ts,import_extension=none")
    args.add_joined(
        "--descriptor_set_in",
        proto_info.transitive_descriptor_sets,
        join_with = ":",
    )
    args.add_all([_import_path(source, proto_info) for source in proto_info.direct_sources])
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = depset(
            [node_modules],
            transitive = [proto_info.transitive_descriptor_sets],
        ),
        tools = [ctx.file._node, plugin],
        outputs = [folder],
        mnemonic = "ProtocEs",
        progress_message = "Generating %s" % ctx.label,
    )
    return [DefaultInfo(files = depset([folder]))]

_es_proto_library = rule(
    implementation = _es_proto_library_impl,
    attrs = {
        "proto": attr.label(providers = [ProtoInfo], mandatory = True),
        "_node": attr.label(allow_single_file = True, default = "@client_node//:bin/node"),
        # One folder, or none where the packages cannot be fetched.
        "_node_modules": attr.label(
            allow_files = True,
            default = "@client_node//:packages",
        ),
        "_protoc": attr.label(
            executable = True,
            allow_single_file = True,
            cfg = "exec",
            default = "@com_google_protobuf//:protoc",
        ),
    },
)

def es_proto_library(name, proto, **kwargs):
    """A folder of TypeScript modules, which run on @bufbuild/protobuf.

    Args:
        name: name of the target, and of the folder.
        proto: the proto_library.
        **kwargs: for the target.
    """
    _es_proto_library(
        name = name,
        proto = proto,
        target_compatible_with = REQUIREMENTS,
        **kwargs
    )

def node_test(name, srcs, framework = "jest", node = "", data = [], env = {}, **kwargs):
    """Tests in TypeScript, in a project that has the npm package installed.

    Args:
        name: name of the target.
        srcs: the files *.test.ts, and those who help.
        framework: jest or vitest.
        node: major version of Node.js; empty: that of the machine.
        data: what the tests read.
        env: environment of the tests.
        **kwargs: for the sh_test.
    """
    native.sh_test(
        name = name,
        srcs = ["run_tests.sh"],
        args = [
            framework,
            "external/client_node/bin/node" + node,
        ] + ["$(location %s)" % src for src in srcs],
        data = srcs + data + [
            "project.sh",
            ":rehearse_js",
            "//service/cli:rehearse",
            "@client_node//:bin/node" + node,
            "@client_node//:packages",
        ],
        env = env,
        target_compatible_with = REQUIREMENTS,
        **kwargs
    )
