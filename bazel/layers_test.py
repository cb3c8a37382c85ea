"""Dependencies point one way: checks a dependency graph of Bazel's against the layers of the house.

    layers_test.py GRAPH     # of `bazel query --output=graph --nograph:factored`
"""

import re
import sys

# Which folders the code of a folder may use, besides itself and its own subfolders. "docs/architecture.md" has the picture.
_BASE = {"proto/rehearse/v1"}
_PURE = _BASE | {"service/base"}
_PIPELINE = _PURE | {"service/checkpoint", "service/history"}
_EXECUTOR = _PIPELINE | {"service/clock", "service/store", "service/invoker"}
_AWS = {"service/aws_json", "service/http", "service/sigv4"}
_SDK = _BASE | _AWS | {"service/worker"}
MAY_USE = {
    "proto/rehearse/v1": set(),
    "service/base": _BASE,
    "service/history": _PURE,
    "service/checkpoint": _PIPELINE,
    "service/clock": _PURE,
    "service/store": _PURE | {"service/checkpoint"},
    "service/store/memory": _PURE | {"service/checkpoint", "service/store"},
    "service/store/sqlite": _PURE | {"service/checkpoint", "service/store"},
    "service/store/postgres": _PURE | {"service/checkpoint", "service/store"},
    "service/store/open": _PURE | {"service/checkpoint", "service/store", "service/store/memory", "service/store/sqlite", "service/store/postgres"},
    "service/invoker": _PURE,
    "service/invoker/stream": _PURE | {"service/invoker"},
    "service/executor": _EXECUTOR,
    "service/peers": _PURE | {"service/executor", "service/worker"},
    "service/rpc": _EXECUTOR | {"service/executor", "service/invoker/stream"},
    "service/worker": _BASE,
    "service/http": set(),
    "service/aws_json": _BASE,
    "service/sigv4": {"service/http"},
    "service/invoker/http": _PURE | _AWS | {"service/invoker", "service/invoker/stream"},
    "service/gateway": _EXECUTOR | _AWS | {"service/executor", "service/invoker/http"},
    "service/lambda_host": _SDK,
    "service/cli": _SDK | {"service/base", "service/http", "service/lambda_host", "service/server"},
    "client/cpp/durable": _SDK,
    "client/cpp/testing": _SDK | {"client/cpp/durable", "service/server"},
    "client/cpp/examples": {"client/cpp/durable", "client/cpp/testing"},
}
# Wires everything, and is used by its owners only.
_SEES_EVERYTHING = "service/server"


def layer_of(label):
    """The longest known folder above the label; the label itself where there is none; None for what is not the house's."""
    match = re.match(r"//((?:proto|service|client)/[^:]*):", label)
    if not match:
        return None
    folder = match[1]
    while folder and folder not in MAY_USE and folder != _SEES_EVERYTHING:
        folder = folder.rpartition("/")[0]
    return folder or label


def breaches(graph):
    """Yields "user -> used" for each edge that no layer allows."""
    for user, used in re.findall(r'"([^"]+)" -> "([^"]+)"', graph):
        above, below = layer_of(user), layer_of(used)
        if above is None or below is None or above in (below, _SEES_EVERYTHING):
            continue
        if below not in MAY_USE.get(above, ()):
            yield f"{user} -> {used}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        graph = file.read()
    found = sorted(breaches(graph))
    for line in found:
        print(f"{line}: not allowed by MAY_USE of bazel/layers_test.py")
    # The check itself can fail, and has something to look at.
    bad = '"//service/executor:executor" -> "//client/cpp/durable:durable"'
    assert list(breaches(bad)) and '"//service/server:server" -> "//service/rpc:rpc"' in graph
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
