"""Passes requests on to the service, and loses answers on demand.

    with LossyProxy(service.http_address) as proxy:
        proxy.lose_next_answer()
        lambda_client(proxy.url).invoke(...)
        proxy.attempts                       # [("POST", path), ("POST", path)]
"""

import http.client
import http.server
import threading

from loopback_server import LoopbackServer

_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding"}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        is_lost = self.server.count_attempt(self.command, self.path)
        connection = http.client.HTTPConnection(self.server.target)
        connection.request(self.command, self.path, body, dict(self.headers))
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if is_lost:
            self.close_connection = True
            return
        self.send_response(response.status)
        for header, value in response.getheaders():
            if header.lower() not in _HOP_BY_HOP:
                self.send_header(header, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_DELETE = _pass_on  # pylint: disable=invalid-name

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class LossyProxy(LoopbackServer):
    """Thread-safe."""

    def __init__(self, target):
        super().__init__(_Handler)
        self.target = target
        self._attempts = []
        self._lost = set()
        self._changed = threading.Condition()

    @property
    def attempts(self):
        with self._changed:
            return list(self._attempts)

    def lose_next_answer(self):
        """The next request arrives; instead of its answer the connection breaks."""
        with self._changed:
            self._lost.add(len(self._attempts) + 1)

    def wait_for_attempts(self, count, timeout):
        """Until `count` requests have arrived in all."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._attempts) >= count, timeout):
                raise TimeoutError(f"{len(self._attempts)} attempts, not {count}")

    def count_attempt(self, method, path):
        """Returns whether its answer is to be lost."""
        with self._changed:
            self._attempts.append((method, path))
            self._changed.notify_all()
            return len(self._attempts) in self._lost
