"""One session of a service from outside: over the AWS API, as the suite's own driver sees the cloud.

    client = RestClient(service.http_address, "real")
    arn = client.invoke("1-1", '"World"', is_async=False)
    client.history(arn)
"""

import http.client
import json
import urllib.parse


class RestClient:
    """Thread-safe. Errors of the API are RuntimeErrors."""

    def __init__(self, address, session):
        self._address = address
        self._prefix = f"/sessions/{session}"

    def invoke(self, function, payload, is_async):
        """Returns the ARN; unless `is_async`, once the execution is over."""
        _, headers = self._call(
            "POST", f"/2015-03-31/functions/{function}/invocations?Qualifier=$LATEST", payload,
            {"X-Amz-Invocation-Type": "Event" if is_async else "RequestResponse"})
        return headers["X-Amz-Durable-Execution-Arn"]

    def history(self, arn):
        events = []
        query = "?IncludeExecutionData=true&MaxItems=1000"
        marker = ""
        while True:
            body, _ = self._call("GET", _execution(arn, f"/history{query}{marker}"))
            events += body["Events"]
            if "NextMarker" not in body:
                return events
            marker = "&Marker=" + urllib.parse.quote(body["NextMarker"], safe="")

    def is_over(self, arn):
        return "EndTimestamp" in self.get_durable_execution(arn)

    def pause(self, arn, reason):
        self._call("POST", _execution(arn, "/pause"), json.dumps({"Reason": reason}))

    def resume(self, arn):
        self._call("POST", _execution(arn, "/resume"), "{}")

    def stop(self, arn, error):
        self._call("POST", _execution(arn, "/stop"), json.dumps(error))

    # What the suite calls on a client of AWS Lambda.
    # pylint: disable=invalid-name

    def get_durable_execution(self, DurableExecutionArn):
        return self._call("GET", _execution(DurableExecutionArn))[0]

    def send_durable_execution_callback_success(self, CallbackId, Result=None):
        self._call("POST", _callback(CallbackId, "succeed"), Result)

    def send_durable_execution_callback_failure(self, CallbackId, Error):
        self._call("POST", _callback(CallbackId, "fail"), json.dumps(Error))

    def send_durable_execution_callback_heartbeat(self, CallbackId):
        self._call("POST", _callback(CallbackId, "heartbeat"))

    def _call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self._address)
        connection.request(method, self._prefix + path, body, headers or {})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {text.decode()}")
        return json.loads(text) if text else None, response.headers


def _execution(arn, suffix=""):
    return f"/2025-12-01/durable-executions/{urllib.parse.quote(arn, safe='')}{suffix}"


def _callback(callback_id, action):
    quoted = urllib.parse.quote(callback_id, safe="")
    return f"/2025-12-01/durable-execution-callbacks/{quoted}/{action}"
