"""The jar as a user gets it: alone in an empty folder, without the repository and without a network.

    package_test.py REHEARSE_JAR LOCK JAVA JAVAC README QUICK_START EXAMPLES JAR...

Runs the quick start of the document QUICK_START, which README shows, too, with the jar and its
dependencies (the JARs, JUnit among them), and looks at the POM in the jar: its dependencies have to be
those that the lock file names. What else QUICK_START shows of Java has to stand in EXAMPLES, a source.
"""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
import zipfile

_ARTIFACT = "dev.rehearse", "rehearse"
_NAMESPACE = "{http://maven.apache.org/POM/4.0.0}"


def blocks_of(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)


def dependencies_of(pom):
    """Yields (group, artifact, version)."""
    for dependency in ElementTree.fromstring(pom).iter(_NAMESPACE + "dependency"):
        yield tuple(dependency.findtext(_NAMESPACE + name) for name in ("groupId", "artifactId", "version"))


def version_of(pom):
    return ElementTree.fromstring(pom).findtext(_NAMESPACE + "version")


def check_pom(pom, lock):
    locked = {tuple(line.split(" ")[0].split(":")[:3]) for line in lock.splitlines() if not line.startswith("#")}
    dependencies = set(dependencies_of(pom))
    assert len(dependencies) >= 7, dependencies
    # JUnit's console brings the API of the same release with it: 1.14.4 that of 5.14.4.
    dependencies = {
        ("org.junit.platform", "junit-platform-console-standalone", version.replace("5.", "1.", 1))
        if group == "org.junit.jupiter" else (group, name, version)
        for group, name, version in dependencies
    }
    assert dependencies <= locked, dependencies - locked


def check_quick_start_pom(pom, jar_version):
    assert (*_ARTIFACT, jar_version) in set(dependencies_of(pom)), pom


def check_examples(blocks, source):
    assert blocks
    for block in blocks:
        # However far it is indented.
        assert " ".join(block.split()) in " ".join(source.split()), block


def run_quick_start(source, java, javac, class_path, folder):
    with open(os.path.join(folder, "QuickStartTest.java"), "w", encoding="utf-8") as file:
        file.write(source)
    # Nothing of the repository, and no variable that names a service.
    environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "TMPDIR": folder}

    def run(*command):
        result = subprocess.run(command, cwd=folder, env=environment, text=True, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        print(result.stdout)
        assert result.returncode == 0, command
        return result.stdout

    run(javac, "-encoding", "UTF-8", "-d", "classes", "-cp", class_path, "QuickStartTest.java")
    output = run(
        java, f"-Djava.io.tmpdir={folder}", "-cp", f"{class_path}:classes",
        "org.junit.platform.console.ConsoleLauncher", "execute",
        "--scan-classpath=classes", "--disable-banner", "--fail-if-no-tests")
    assert "1 tests successful" in output, output
    left = set(os.listdir(folder)) - {"classes", "QuickStartTest.java", "jars"}
    assert not left, left


def main():
    jar, lock, java, javac, readme, quick_start, examples, *jars = sys.argv[1:]
    with zipfile.ZipFile(jar) as content:
        pom = content.read("META-INF/maven/{}/{}/pom.xml".format(*_ARTIFACT)).decode()
        programs = [name for name in content.namelist() if name.startswith("rehearse/bin/")]
        assert programs == ["rehearse/bin/rehearse-linux-" + os.uname().machine], programs
    with open(lock, encoding="utf-8") as file:
        check_pom(pom, file.read())
    with open(quick_start, encoding="utf-8") as file:
        document = file.read()
    with open(readme, encoding="utf-8") as file:
        assert blocks_of(file.read(), "java") == blocks_of(document, "java")[:1]
    with open(examples, encoding="utf-8") as file:
        check_examples(blocks_of(document, "java")[1:], file.read())
    check_quick_start_pom(blocks_of(document, "xml")[0], version_of(pom))
    with tempfile.TemporaryDirectory(prefix="rehearse-package-") as folder:
        os.mkdir(os.path.join(folder, "jars"))
        class_path = []
        for number, file in enumerate([jar, *jars]):
            copy = os.path.join(folder, "jars", f"{number}.jar")
            with open(file, "rb") as source, open(copy, "wb") as target:
                target.write(source.read())
            class_path.append(copy)
        run_quick_start(blocks_of(document, "java")[0], os.path.realpath(java), os.path.realpath(javac),
                        ":".join(class_path), folder)


if __name__ == "__main__":
    main()
