"""Jars, and tests with JUnit, made by the JDK's own tools: Bazel's java rules need tools from elsewhere.

    java_grpc_sources(
        name = "greeter_java",
        proto = ":greeter_proto",
    )

    jar_library(
        name = "greeter",
        srcs = glob(["*.java"]),
        deps = ["@java_packages//:grpc"],
    )

    junit_test(
        name = "greeter_test",
        srcs = ["GreeterTest.java"],
        deps = [":greeter"],
    )

Everything is for the Java version in JAVA_RELEASE, and for whoever has @java_packages (see
maven.bzl): say `target_compatible_with = REQUIREMENTS`.
"""

load("@rules_proto//proto:defs.bzl", "ProtoInfo")

JAVA_RELEASE = 17

ClassPathInfo = provider(
    "What a program needs that uses a library.",
    fields = {"jars": "depset of jars, the library's own among them"},
)

_JDK = {
    "_" + tool: attr.label(
        allow_single_file = True,
        cfg = "exec",
        default = "@java_packages//:bin/" + tool,
    )
    for tool in ["jar", "javac"]
}

def _class_path(deps, own = []):
    return depset(own, transitive = [
        dep[ClassPathInfo].jars if ClassPathInfo in dep else dep.files
        for dep in deps
    ])

def _java_grpc_sources_impl(ctx):
    proto_info = ctx.attr.proto[ProtoInfo]
    sources = ctx.actions.declare_directory(ctx.label.name)
    args = ctx.actions.args()
    args.add(ctx.executable._plugin, format = "--plugin=protoc-gen-grpc-java=%s")
    args.add("--java_out=" + sources.path)
    args.add("--grpc-java_out=" + sources.path)
    args.add_joined(
        "--descriptor_set_in",
        proto_info.transitive_descriptor_sets,
        join_with = ":",
    )
    prefix = proto_info.proto_source_root + "/"
    args.add_all([source.path[len(prefix):] for source in proto_info.direct_sources])
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = proto_info.transitive_descriptor_sets,
        tools = [ctx.executable._plugin],
        outputs = [sources],
        mnemonic = "JavaProtoc",
        progress_message = "Generating %s" % ctx.label,
    )
    return [DefaultInfo(files = depset([sources]))]

java_grpc_sources = rule(
    implementation = _java_grpc_sources_impl,
    doc = "Messages and service stubs of a proto_library with a strip_import_prefix, as a folder of sources.",
    attrs = {
        "proto": attr.label(providers = [ProtoInfo], mandatory = True),
        "_protoc": attr.label(
            executable = True,
            allow_single_file = True,
            cfg = "exec",
            default = "@java_packages//:protoc",
        ),
        "_plugin": attr.label(
            executable = True,
            allow_single_file = True,
            cfg = "exec",
            default = "@java_packages//:protoc_gen_grpc_java",
        ),
    },
)

# Makes a jar of a folder; the same input makes the same jar. `jar` is the JDK's tool.
_MAKE_JAR = """
make_jar() {  # FILE FOLDER OPTION...
    local file=$PWD/$1 tool=$PWD/$jar
    cd "$2"
    find . -type f | LC_ALL=C sort >"$file.files"
    "$tool" --create --file "$file" --date=1980-01-01T00:00:02Z "${@:3}" "@$file.files"
    cd "$OLDPWD"
}
"""

_JAVAC = "set -e" + _MAKE_JAR + """
javac=$1 jar=$2 out=$3
shift 3
mkdir "$out.classes"
"$javac" "$@"
make_jar "$out" "$out.classes"
"""

def _compile(ctx, jar):
    class_path = _class_path(ctx.attr.deps)
    args = ctx.actions.args()
    args.add("--release", JAVA_RELEASE)
    args.add_all(["-encoding", "UTF-8", "-proc:none", "-d", jar.path + ".classes"])
    args.add_all(ctx.attr.javacopts)
    args.add_joined("--class-path", class_path, join_with = ":")
    args.add_all(ctx.files.srcs)
    args.use_param_file("@%s", use_always = True)
    args.set_param_file_format("multiline")
    ctx.actions.run_shell(
        command = _JAVAC,
        arguments = [ctx.file._javac.path, ctx.file._jar.path, jar.path, args],
        inputs = depset(ctx.files.srcs, transitive = [class_path]),
        tools = [ctx.file._javac, ctx.file._jar],
        outputs = [jar],
        mnemonic = "Javac",
        progress_message = "Compiling %s" % ctx.label,
    )

def _jar_library_impl(ctx):
    jar = ctx.actions.declare_file("lib%s.jar" % ctx.label.name)
    _compile(ctx, jar)
    return [
        DefaultInfo(
            files = depset([jar]),
            runfiles = ctx.runfiles(transitive_files = _class_path(ctx.attr.deps, [jar])),
        ),
        ClassPathInfo(jars = _class_path(ctx.attr.deps, [jar])),
    ]

_COMPILED = dict(_JDK, **{
    "srcs": attr.label_list(allow_files = True, mandatory = True, doc = "Java files, or folders of them."),
    "deps": attr.label_list(allow_files = [".jar"]),
    # Warnings are errors.
    "javacopts": attr.string_list(default = ["-Xlint:all,-processing", "-Werror"]),
})

jar_library = rule(
    implementation = _jar_library_impl,
    doc = "Java classes in a jar.",
    attrs = _COMPILED,
)

_DISTRIBUTE = "set -e" + _MAKE_JAR + """
jar=$1 out=$2 binary=$3 pom=$4 artifact=$5
shift 5
content=$out.content
mkdir -p "$content/rehearse/bin" "$content/META-INF/maven/$artifact"
for library in "$@"; do
    (cd "$content" && "$OLDPWD/$jar" --extract --file "$OLDPWD/$library")
done
rm -f "$content/META-INF/MANIFEST.MF"
cp -L "$binary" "$content/rehearse/bin/rehearse-linux-$(uname -m)"
cp -L "$pom" "$content/META-INF/maven/$artifact/pom.xml"
echo 'Automatic-Module-Name: rehearse' >"$out.manifest"
make_jar "$out" "$content" --manifest "$PWD/$out.manifest"
"""

def _jar_distribution_impl(ctx):
    jar = ctx.actions.declare_file(ctx.label.name + ".jar")
    args = ctx.actions.args()
    args.add_all([ctx.file._jar, jar, ctx.file.binary, ctx.file.pom])
    args.add(ctx.attr.artifact.replace(":", "/"))
    args.add_all(ctx.files.libraries)
    ctx.actions.run_shell(
        command = _DISTRIBUTE,
        arguments = [args],
        inputs = [ctx.file.binary, ctx.file.pom] + ctx.files.libraries,
        tools = [ctx.file._jar],
        outputs = [jar],
        mnemonic = "Jar",
        progress_message = "Packing %s" % ctx.label,
    )
    return [DefaultInfo(files = depset([jar]), runfiles = ctx.runfiles([jar]))]

jar_distribution = rule(
    implementation = _jar_distribution_impl,
    doc = "What users install: libraries in one jar, with a POM and the program for Linux.",
    attrs = {
        "libraries": attr.label_list(allow_files = [".jar"], mandatory = True),
        "binary": attr.label(allow_single_file = True, mandatory = True),
        "pom": attr.label(allow_single_file = [".xml"], mandatory = True),
        "artifact": attr.string(mandatory = True, doc = "GROUP:ARTIFACT of the POM."),
        "_jar": _JDK["_jar"],
    },
)

_RUN_TESTS = """#!/bin/bash
set -euo pipefail
%s
exec {java} -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8 -cp {class_path} \\
    org.junit.platform.console.ConsoleLauncher execute \\
    --disable-banner --disable-ansi-colors --details=tree --fail-if-no-tests \\
    --config=junit.jupiter.execution.parallel.enabled=true \\
    --config=junit.jupiter.execution.parallel.mode.default=concurrent \\
    --config=junit.jupiter.execution.timeout.default=4m \\
    --scan-classpath={tests} --include-classname='.*' "$@"
"""

def _junit_test_impl(ctx):
    jar = ctx.actions.declare_file(ctx.label.name + ".jar")
    _compile(ctx, jar)
    class_path = _class_path(ctx.attr.deps, [jar])
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(script, _RUN_TESTS.format(
        java = ctx.file._java.short_path.replace("../", "external/", 1),
        class_path = ":".join([
            file.short_path.replace("../", "external/", 1)
            for file in class_path.to_list()
        ]),
        tests = jar.short_path,
    ) % "\n".join([
        "export %s=\"%s\"" % (name, ctx.expand_location(value, ctx.attr.data))
        for name, value in ctx.attr.env.items()
    ]), is_executable = True)
    return [DefaultInfo(
        executable = script,
        runfiles = ctx.runfiles(
            files = ctx.files.data + [ctx.file._java],
            transitive_files = class_path,
            collect_data = True,
        ),
    )]

junit_test = rule(
    implementation = _junit_test_impl,
    doc = "Runs the JUnit tests in srcs, at the same time.",
    test = True,
    attrs = dict(_COMPILED, **{
        "data": attr.label_list(allow_files = True),
        "env": attr.string_dict(doc = "For the environment; $(location) is expanded, $PWD is the runfiles' folder."),
        "_java": attr.label(
            allow_single_file = True,
            cfg = "target",
            default = "@java_packages//:bin/java",
        ),
    }),
)
