"""A server on a free port of this machine; every connection has a thread of its own.

    with LoopbackServer(handler_class) as server:
        server.url                       # "http://127.0.0.1:41234"
"""

import http.server
import sys
import threading


class LoopbackServer(http.server.ThreadingHTTPServer):
    """Serves until the `with` statement ends."""

    def __init__(self, handler_class):
        super().__init__(("127.0.0.1", 0), handler_class)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        # A client that has given up resets its connection.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)
