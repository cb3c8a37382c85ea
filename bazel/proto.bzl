"""C++ and Python code from .proto files, made by the installed protoc.

    proto_library(
        name = "greeter_proto",
        srcs = ["greeter.proto"],
        strip_import_prefix = "/proto",
    )

    cc_proto_library(
        name = "greeter_cc_proto",
        proto = ":greeter_proto",
    )

    cc_grpc_library(
        name = "greeter_cc_grpc",
        proto = ":greeter_proto",
        deps = [":greeter_cc_proto"],
    )

A generated header is included by the import path of its .proto file. py_proto_library and
py_grpc_library make Python modules in the same way; each target's folder goes into PYTHONPATH.
"""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("@rules_proto//proto:defs.bzl", "ProtoInfo")

def _import_path(source, proto_info):
    prefix = proto_info.proto_source_root + "/"
    return source.path[len(prefix):] if source.path.startswith(prefix) else source.short_path

def _protoc_impl(ctx):
    proto_info = ctx.attr.proto[ProtoInfo]
    imports = [_import_path(source, proto_info) for source in proto_info.direct_sources]

    # Below a folder of the target's own name, which the cc_library makes an include folder.
    outputs = [
        ctx.actions.declare_file("%s/%s%s" % (ctx.label.name, path[:-len(".proto")], suffix))
        for path in imports
        for suffix in ctx.attr.suffixes
    ]
    out_dir = "/".join([
        part
        for part in [ctx.bin_dir.path, ctx.label.workspace_root, ctx.label.package, ctx.label.name]
        if part
    ])

    args = ctx.actions.args()
    if ctx.executable.plugin:
        args.add(ctx.executable.plugin, format = "--plugin=protoc-gen-%s=%%s" % ctx.attr.language)
    args.add("--%s_out=%s" % (ctx.attr.language, out_dir))
    args.add_joined(
        "--descriptor_set_in",
        proto_info.transitive_descriptor_sets,
        join_with = ":",
    )
    args.add_all(imports)
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = proto_info.transitive_descriptor_sets,
        tools = [ctx.executable.plugin] if ctx.executable.plugin else [],
        outputs = outputs,
        mnemonic = "Protoc",
        progress_message = "Generating %s" % ctx.label,
    )
    return [DefaultInfo(files = depset(outputs))]

_protoc = rule(
    implementation = _protoc_impl,
    attrs = {
        "proto": attr.label(providers = [ProtoInfo], mandatory = True),
        "language": attr.string(mandatory = True, doc = "X of protoc's --X_out."),
        "suffixes": attr.string_list(mandatory = True, doc = "One output per source and suffix."),
        "plugin": attr.label(executable = True, allow_single_file = True, cfg = "exec"),
        "_protoc": attr.label(
            executable = True,
            allow_single_file = True,
            cfg = "exec",
            default = "@com_google_protobuf//:protoc",
        ),
    },
)

def _cc_generated_library(name, proto, language, suffixes, deps, plugin = None, **kwargs):
    generated = name + ".gen"
    _protoc(
        name = generated,
        proto = proto,
        language = language,
        plugin = plugin,
        suffixes = suffixes,
        tags = ["manual"],
    )
    cc_library(
        name = name,
        srcs = [generated],
        hdrs = [generated],
        includes = [generated],
        deps = deps,
        **kwargs
    )

def cc_proto_library(name, proto, deps = [], **kwargs):
    """The messages of a proto_library.

    Args:
      name: name of the cc_library.
      proto: the proto_library.
      deps: cc_proto_library targets of the files it imports (none for google/protobuf/*).
      **kwargs: for the cc_library.
    """
    _cc_generated_library(
        name = name,
        proto = proto,
        language = "cpp",
        suffixes = [".pb.h", ".pb.cc"],
        deps = deps + ["@com_google_protobuf//:protobuf"],
        **kwargs
    )

def cc_grpc_library(name, proto, deps, **kwargs):
    """The service stubs of a proto_library; its files may define none.

    Args:
      name: name of the cc_library.
      proto: the proto_library.
      deps: the cc_proto_library of the same proto_library.
      **kwargs: for the cc_library.
    """
    _cc_generated_library(
        name = name,
        proto = proto,
        language = "grpc",
        plugin = "@com_github_grpc_grpc//:grpc_cpp_plugin",
        suffixes = [".grpc.pb.h", ".grpc.pb.cc"],
        deps = deps + ["@com_github_grpc_grpc//:grpc++"],
        **kwargs
    )

def py_proto_library(name, proto, **kwargs):
    """The messages of a proto_library as Python modules; python3-protobuf runs them.

    Args:
      name: name of the target, and of the folder that goes into PYTHONPATH.
      proto: the proto_library.
      **kwargs: for the target.
    """
    _protoc(
        name = name,
        proto = proto,
        language = "python",
        suffixes = ["_pb2.py"],
        **kwargs
    )

def py_grpc_library(name, proto, **kwargs):
    """The service stubs of a proto_library as Python modules; python3-grpcio runs them.

    Args:
      name: name of the target, and of the folder that goes into PYTHONPATH.
      proto: the proto_library.
      **kwargs: for the target.
    """
    _protoc(
        name = name,
        proto = proto,
        language = "grpc_python",
        plugin = "@com_github_grpc_grpc//:grpc_python_plugin",
        suffixes = ["_pb2_grpc.py"],
        **kwargs
    )
