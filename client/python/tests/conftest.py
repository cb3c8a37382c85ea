"""What all tests share."""

import os

# Tests start processes elsewhere.
if "REHEARSE_BINARY" in os.environ:
    os.environ["REHEARSE_BINARY"] = os.path.abspath(os.environ["REHEARSE_BINARY"])
os.environ["PYTHONPATH"] = os.pathsep.join(
    os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep))
