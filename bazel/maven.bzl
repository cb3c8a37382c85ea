"""Artifacts of the Maven repository, pinned by their hashes, and a JDK to use them with.

    maven_packages(name = "left_pad")

The lock file //bazel/third_party:left_pad.maven.txt names every artifact: nothing else is fetched,
whatever the artifacts depend on. A line is `GROUP:ARTIFACT:VERSION[:TYPE[:CLASSIFIER]] SHA256`.
Debian's `mvn` fetches them, from where the machine's settings say, to ARTIFACT[-CLASSIFIER].TYPE in
one folder, which //bazel/third_party:left_pad.BUILD describes; the JDK's tools are in its bin. What
uses it says `target_compatible_with = REQUIREMENTS`, loaded from @left_pad//:status.bzl: when there
is no mvn or JDK, or the repository cannot be reached, Bazel skips those targets and says so. With
CI=true in the environment that is an error instead.
"""

_OLDEST_JDK = 17

_JDK_TOOLS = ["jar", "java", "javac", "javadoc"]

_DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"

# The repository is asked briefly: without a network nobody wants to wait. An earlier failure, which
# Maven remembers, is no reason not to ask ("--update-snapshots").
_MVN_OPTIONS = [
    "--batch-mode",
    "--quiet",
    "--strict-checksums",
    "--update-snapshots",
    "-Dstyle.color=never",
    "-Dmaven.wagon.http.retryHandler.count=1",
    "-Dmaven.wagon.rto=15000",
]

_POM = """<project>
    <modelVersion>4.0.0</modelVersion>
    <groupId>locked</groupId>
    <artifactId>locked</artifactId>
    <version>1</version>
    <packaging>pom</packaging>
    <dependencies>
%s
    </dependencies>
</project>
"""

_DEPENDENCY = """
        <dependency>
            <groupId>%s</groupId>
            <artifactId>%s</artifactId>
            <version>%s</version>
            <type>%s</type>%s
            <exclusions>
                <exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>
            </exclusions>
        </dependency>
"""

def _parse_lock(text):
    """Returns (group, artifact, version, type, classifier, hash) of each artifact."""
    artifacts = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinates, sha256 = line.split(" ")
            parts = coordinates.split(":")
            artifacts.append(tuple(parts + ["jar", ""][len(parts) - 3:] + [sha256]))
    return artifacts

def _file_of(artifact):
    _, name, _, type, classifier, _ = artifact
    return "%s%s.%s" % (name, "-" + classifier if classifier else "", type)

def _dependency(artifact):
    group, name, version, type, classifier, _ = artifact

    # An empty element is not an absent one to Maven.
    return _DEPENDENCY % (
        group,
        name,
        version,
        type,
        "<classifier>%s</classifier>" % classifier if classifier else "",
    )

def _link_jdk(ctx):
    """Returns what went wrong, or nothing."""
    for tool in _JDK_TOOLS:
        path = ctx.which(tool)
        if path == None:
            return "There is no %s." % tool
        ctx.symlink(path, "bin/" + tool)
    version = ctx.execute(["bin/javac", "-version"])  # javac 17.0.15
    if version.return_code != 0 or int(version.stdout.split(" ")[1].split(".")[0]) < _OLDEST_JDK:
        return "The JDK is older than %d." % _OLDEST_JDK
    return None

def _fetch(ctx, artifacts):
    """Returns what went wrong, or nothing."""
    mvn = ctx.which("mvn")
    if mvn == None:
        return "There is no mvn."
    ctx.file("pom.xml", _POM % "".join([_dependency(artifact) for artifact in artifacts]))
    result = ctx.execute([mvn] + _MVN_OPTIONS + [
        _DEPENDENCY_PLUGIN + ":copy-dependencies",
        "-DexcludeTransitive=true",
        "-Dmdep.stripVersion=true",
        "-DoutputDirectory=.",
    ], timeout = 300)
    if result.return_code == 0:
        return None

    # What is wrong comes first, general advice after it.
    errors = [line for line in result.stdout.splitlines() if "[ERROR]" in line]
    return (errors or [result.stderr.strip() or "mvn failed."])[0]

def _check_hashes(ctx, artifacts):
    """An artifact that is not the locked one is never skipped over."""
    ctx.file("SHA256SUMS", "".join([
        "%s  %s\n" % (artifact[5], _file_of(artifact))
        for artifact in artifacts
    ]))
    result = ctx.execute(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"])
    if result.return_code != 0:
        fail("@%s: not what the lock file says: %s" % (ctx.name, result.stdout + result.stderr))

def _maven_packages_impl(ctx):
    description = "//bazel/third_party:" + ctx.name
    artifacts = _parse_lock(ctx.read(Label(description + ".maven.txt")))
    error = _link_jdk(ctx) or _fetch(ctx, artifacts)
    if error == None:
        _check_hashes(ctx, artifacts)
        for artifact in artifacts:
            if artifact[3] == "exe":
                ctx.execute(["chmod", "+x", _file_of(artifact)])
    elif ctx.os.environ.get("CI") == "true":
        fail("@%s: %s" % (ctx.name, error))
    else:
        # Targets that are skipped name their files all the same.
        for file in [_file_of(artifact) for artifact in artifacts] + ["bin/" + tool for tool in _JDK_TOOLS]:
            if not ctx.path(file).exists:
                ctx.file(file)

        # buildifier: disable=print
        print("@%s cannot be fetched; what needs it is skipped. `bazel sync --only=%s` tries again. %s" % (
            ctx.name,
            ctx.name,
            error[:400],
        ))
    ctx.file("status.bzl", "REQUIREMENTS = %r\n" % (
        [] if error == None else ["@rehearse//bazel:unavailable"]
    ))
    ctx.symlink(Label(description + ".BUILD"), "BUILD.bazel")

maven_packages = repository_rule(
    implementation = _maven_packages_impl,
    environ = ["CI", "PATH"],
)
