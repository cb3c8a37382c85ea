"""rehearse: a local, exact backend for AWS Lambda durable functions, and its client.

Tests of durable functions import rehearse.testing. This module is for everything else:

    import asyncio
    import rehearse

    async def main():
        with rehearse.Server() as server:                # `rehearse up`, on a free port
            async with rehearse.Client(server.grpc_address) as client:
                print(await client.list_executions())

    asyncio.run(main())

Importing this module imports neither gRPC nor an SDK: each name is loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rehearse.client import Client
    from rehearse.errors import ServiceError
    from rehearse.server import Server
    from rehearse.worker import Invocation, Worker

__version__ = "0.1.0"

__all__ = ["Client", "Invocation", "Server", "ServiceError", "Worker", "__version__"]

_HOMES = {
    "Client": "rehearse.client",
    "Invocation": "rehearse.worker",
    "Server": "rehearse.server",
    "ServiceError": "rehearse.errors",
    "Worker": "rehearse.worker",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
