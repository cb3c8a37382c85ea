"""A Lambda-compatible endpoint: Python functions behind `POST .../NAME/invocations`.

    with LambdaEndpoint({"echo": lambda event, context: event}) as endpoint:
        Service(endpoint.flag("echo", ",plain"))
"""

import http.server
import json
import traceback
import uuid

from loopback_server import LoopbackServer


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
        except Exception as error:  # pylint: disable=broad-exception-caught
            self._answer(
                {"errorMessage": str(error), "errorType": type(error).__name__,
                 "stackTrace": traceback.format_tb(error.__traceback__)},
                {"X-Amz-Function-Error": "Unhandled"})
            return
        self._answer(answer, {})

    def _answer(self, answer, headers):
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class LambdaEndpoint(LoopbackServer):
    """`functions` by name."""

    def __init__(self, functions):
        super().__init__(_Handler)
        self.functions = functions

    def flag(self, name, options=""):
        """Of `rehearse up`, for the function."""
        return f"--function={name}{options}={self.url}/2015-03-31/functions/{name}/invocations"
