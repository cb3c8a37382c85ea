"""A Lambda-compatible endpoint: Python functions behind `POST .../NAME/invocations`.

    with LambdaEndpoint({"echo": lambda event, context: event}) as endpoint:
        Service(endpoint.flag("echo", ",plain"))
"""

import http.server
import json
import threading
import traceback
import uuid


class Crash(BaseException):
    """Raised by a function, it ends the invocation as the death of its process would."""


class LambdaContext:
    """What a Lambda runtime gives a function besides the event."""

    function_version = "$LATEST"
    memory_limit_in_mb = "128"
    client_context = None
    identity = None

    def __init__(self, name, tenant_id):
        self.function_name = name
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        self.aws_request_id = str(uuid.uuid4())
        self.log_group_name = f"/aws/lambda/{name}"
        self.log_stream_name = "local"
        self.tenant_id = tenant_id

    def get_remaining_time_in_millis(self):
        return 60_000


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # pylint: disable=invalid-name
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = self.path.split("/")[-2]
        context = LambdaContext(name, self.headers["X-Amz-Tenant-Id"])
        try:
            answer = self.server.functions[name](event, context)
        except Crash:
            self.close_connection = True
            return
        except Exception as error:  # pylint: disable=broad-exception-caught
            self._answer(
                {"errorMessage": str(error), "errorType": type(error).__name__,
                 "stackTrace": traceback.format_tb(error.__traceback__)},
                {"X-Amz-Function-Error": "Unhandled"})
            return
        self._answer(answer, {})

    def _answer(self, answer, headers):
        body = json.dumps(answer).encode()
        try:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            for header, value in headers.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            # Whoever invoked us has given up.
            self.close_connection = True

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class LambdaEndpoint:
    """Serves until the `with` statement ends; every invocation has a thread of its own."""

    def __init__(self, functions):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.functions = functions

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def flag(self, name, options=""):
        """Of `rehearse up`, for the function."""
        return f"--function={name}{options}={self.url}/2015-03-31/functions/{name}/invocations"
