"""Where a WebRunner listens.

    config = WebRunnerConfig(WebServiceConfig(host="127.0.0.1", port=0))
"""

import logging
from dataclasses import dataclass


@dataclass(frozen=True)
class WebServiceConfig:
    host: str = "localhost"
    # 0: a free one; see WebRunner.http_address.
    port: int = 5000
    # Of no account: the service logs to a file of its own.
    log_level: int = logging.INFO
    max_request_size: int = 10 * 1024 * 1024
