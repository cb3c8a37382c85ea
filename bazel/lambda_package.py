"""A program as a deployment package of Lambda: lambda_package.py PROGRAM PACKAGE.zip

The package brings the shared libraries that the program was linked with, and their loader: the C library of
provided.al2023 is older than Debian's, and refuses programs that were built here.
"""

import os
import re
import subprocess
import sys
import zipfile

# OpenSSL as it is on Debian looks for the certificates where provided.al2023 has none.
BOOTSTRAP = """#!/bin/sh
here=$(dirname "$0")
export SSL_CERT_FILE="${SSL_CERT_FILE:-/etc/pki/tls/certs/ca-bundle.crt}"
exec "$here/lib/%(loader)s" --library-path "$here/lib" "$here/%(program)s" "$@"
"""


def shared_libraries(program):
    """Paths of the libraries, and of the loader, which is the one that ldd shows without a name."""
    output = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    libraries = re.findall(r"=> (/\S+) \(", output)
    (loader,) = re.findall(r"^\s*(/\S+) \(", output, re.MULTILINE)
    return libraries, loader


def add(package, name, content):
    info = zipfile.ZipInfo(name)  # dated 1980, so that equal content makes an equal package
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o755 << 16
    package.writestr(info, content)


def add_file(package, name, path):
    with open(path, "rb") as file:
        add(package, name, file.read())


def main(program, destination):
    libraries, loader = shared_libraries(program)
    with zipfile.ZipFile(destination, "w") as package:
        names = {"loader": os.path.basename(loader), "program": os.path.basename(program)}
        add(package, "bootstrap", BOOTSTRAP % names)
        add_file(package, names["program"], program)
        for path in libraries + [loader]:
            add_file(package, "lib/" + os.path.basename(path), path)


if __name__ == "__main__":
    main(*sys.argv[1:])
