"""Passes requests on to the service, and loses answers on demand.

    with LossyProxy(service.http_address) as proxy:
        proxy.lose_next_answer()
        lambda_client(proxy.url).invoke(...)
        proxy.attempts                       # [("POST", path), ("POST", path)]
"""

import http.client
import http.server
import sys
import threading

_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding"}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        number = self.server.count(self.command, self.path)
        connection = http.client.HTTPConnection(self.server.target)
        connection.request(self.command, self.path, body, dict(self.headers))
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if number in self.server.lost:
            self.close_connection = True
            return
        try:
            self.send_response(response.status)
            for header, value in response.getheaders():
                if header.lower() not in _HOP_BY_HOP:
                    self.send_header(header, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        except (BrokenPipeError, ConnectionResetError):
            # The client has timed out.
            self.close_connection = True

    do_GET = do_POST = do_DELETE = _pass_on  # pylint: disable=invalid-name

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class _Server(http.server.ThreadingHTTPServer):

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.attempts = []
        self.lost = set()
        self.changed = threading.Condition()

    def handle_error(self, request, client_address):
        # A client that has timed out resets its connection.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def count(self, method, path):
        with self.changed:
            self.attempts.append((method, path))
            self.changed.notify_all()
            return len(self.attempts)


class LossyProxy:
    """Serves until the `with` statement ends."""

    def __init__(self, target):
        self._server = _Server(target)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def attempts(self):
        with self._server.changed:
            return list(self._server.attempts)

    def lose_next_answer(self):
        """The next request arrives; instead of its answer the connection breaks."""
        with self._server.changed:
            self._server.lost.add(len(self._server.attempts) + 1)

    def wait_for_attempts(self, count, timeout):
        """Until `count` requests have arrived in all."""
        with self._server.changed:
            if not self._server.changed.wait_for(
                    lambda: len(self._server.attempts) >= count, timeout):
                raise TimeoutError(f"{len(self._server.attempts)} attempts, not {count}")
