"""The kinds of stores that a WebRunnerConfig may name.

    config = WebRunnerConfig(WebServiceConfig(), store_type=StoreType.MEMORY)
"""

import enum


class StoreType(enum.Enum):
    MEMORY = "memory"
    FILESYSTEM = "filesystem"
    SQLITE = "sqlite"
