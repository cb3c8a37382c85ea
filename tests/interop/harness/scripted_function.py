"""A durable function whose invocations a test answers by hand.

    function = ScriptedFunction()
    with LambdaEndpoint({"orders": function}) as endpoint: ...
        invocation = function.next_of("order-17")          # by the execution's name
        invocation.answer({"Status": "SUCCEEDED", "Result": "1"})
"""

import queue
import threading

from service import PATIENCE_SECONDS


class Invocation:
    """One invocation; it ends with its answer."""

    def __init__(self, event, context):
        self.event = event
        self.context = context
        self._answers = queue.Queue()

    @property
    def arn(self):
        return self.event["DurableExecutionArn"]

    @property
    def execution_name(self):
        return self.arn.split("/")[-2]

    @property
    def token(self):
        return self.event["CheckpointToken"]

    def answer(self, answer):
        self._answers.put(answer)

    def succeed(self, result="null"):
        self.answer({"Status": "SUCCEEDED", "Result": result})

    def suspend(self):
        self.answer({"Status": "PENDING"})

    def await_answer(self):
        return self._answers.get(timeout=PATIENCE_SECONDS)


class ScriptedFunction:
    """Callable as a Lambda handler."""

    def __init__(self):
        self._changed = threading.Condition()
        self._invocations = []

    def __call__(self, event, context):
        invocation = Invocation(event, context)
        with self._changed:
            self._invocations.append(invocation)
            self._changed.notify_all()
        return invocation.await_answer()

    def next_of(self, execution_name):
        """The first invocation, not returned before, of an execution of this name."""
        return self._next(lambda invocation: invocation.execution_name == execution_name)

    def next(self):
        """The first invocation that has not been returned before."""
        return self._next(lambda invocation: True)

    def _next(self, is_meant):
        with self._changed:
            while not (meant := [*filter(is_meant, self._invocations)]):
                if not self._changed.wait(PATIENCE_SECONDS):
                    raise TimeoutError("no invocation")
            self._invocations.remove(meant[0])
            return meant[0]
