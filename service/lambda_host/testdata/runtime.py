"""A Lambda runtime that does as it is told: each payload is {"do": VERB, ...}, or that in a durable execution's input."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

API = "http://%s/2018-06-01/runtime/" % os.environ["AWS_LAMBDA_RUNTIME_API"]


def post(path, body, headers=None):
    """Posts JSON, or bytes as they are; returns status and body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data=data, headers=headers or {}, method="POST")
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def sleeper():
    """Starts a child that outlives its parent unless somebody ends it."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid


def answer(request_id, headers, event):
    """Returns what to respond with, or None when that has been done."""
    order = event
    if "InitialExecutionState" in event:
        order = json.loads(event["InitialExecutionState"]["Operations"][0]["ExecutionDetails"]["InputPayload"])
    verb = order["do"]
    if verb == "echo":
        return order
    if verb == "event":
        return event
    if verb == "headers":
        return {name.lower(): value for name, value in headers.items()}
    if verb == "environment":
        return {name: os.environ.get(name) for name in order["names"]}
    if verb == "pid":
        return os.getpid()
    if verb == "folder":
        return os.getcwd()
    if verb == "child":
        return sleeper()
    if verb == "print":
        sys.stdout.write(order.get("out", ""))
        sys.stderr.write(order.get("err", ""))
        sys.stdout.flush()
        sys.stderr.flush()
        return None if order.get("exit") is None else os._exit(order["exit"])
    if verb == "succeed":
        return {"Status": "SUCCEEDED", "Result": json.dumps(order.get("result"))}
    if verb == "exit":
        os._exit(order["status"])
    if verb == "die":
        os.kill(os.getpid(), order["signal"])
    if verb == "hang":
        print("hanging", sleeper() if order.get("child") else os.getpid(), flush=True)
        time.sleep(600)
    if verb == "read":
        # Goes on when somebody has written to the FIFO of that name.
        print("reading", flush=True)
        with open(order["path"], encoding="utf-8") as fifo:
            print("went on with", fifo.read(), flush=True)
        return {"Status": "SUCCEEDED"}
    if verb == "once":
        # Crashes the first time, at the file of that name.
        if not os.path.exists(order["path"]):
            open(order["path"], "w", encoding="utf-8").close()
            os._exit(7)
        return {"Status": "SUCCEEDED", "Result": json.dumps("second")}
    if verb == "bytes":
        post("invocation/%s/response" % request_id, bytes.fromhex(order["hex"]))
    elif verb == "large":
        post("invocation/%s/response" % request_id, b"x" * order["bytes"])
    elif verb == "error":
        post("invocation/%s/error" % request_id, order["body"], {"Lambda-Runtime-Function-Error-Type": "Header.Type"})
    elif verb == "misbehave":
        tried = [
            post("invocation/00000000-0000-0000-0000-000000000000/response", {}),
            post("invocation/%s/nothing" % request_id, {}),
            post("invocation/next", {}),
            post("init/error", {}),
        ]
        try:
            urllib.request.urlopen(API + "invocation/next")
        except urllib.error.HTTPError as error:
            tried.append((error.code, error.read().decode()))
        return tried
    else:
        raise ValueError(verb)
    return None


def main():
    if os.environ.get("STUBBORN"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    if mode == "init-error":
        post("init/error", {"errorMessage": "no such module", "errorType": "Runtime.ImportModuleError"})
        os._exit(1)
    if mode == "exit":
        os._exit(0)
    if mode == "slow":
        # Starts when somebody has written to the FIFO of that name.
        with open(sys.argv[2], encoding="utf-8") as fifo:
            fifo.read()
    while True:
        with urllib.request.urlopen(API + "invocation/next") as response:
            event = json.loads(response.read() or "null")
            request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
            result = answer(request_id, response.headers, event)
        if result is not None:
            post("invocation/%s/response" % request_id, result)


main()
