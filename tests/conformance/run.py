"""Runs requirements on a service: starts executions, moves time, acts from outside.

    with Runner(concurrency=8) as runner:
        run = runner.run(requirement)    # from up to 8 threads
        run.events, run.errors
"""

import contextlib
import json
import queue

from actions import Actions
from rehearse.v1 import test_sessions_pb2 as sessions_pb2
from service import Handlers
from service import Service
from suite import Mode
from suite import validate_execution_result

_CONFIGS = {
    Mode.SKIP: sessions_pb2.SessionConfig(clock_mode="CLOCK_MODE_SKIP"),
    Mode.SKIP_DEADLINES: sessions_pb2.SessionConfig(
        clock_mode="CLOCK_MODE_SKIP", skip_deadlines=True),
    Mode.MANUAL: sessions_pb2.SessionConfig(clock_mode="CLOCK_MODE_MANUAL"),
}


class Run:
    """What is recorded of one execution of one requirement."""

    def __init__(self, requirement, context, events, log_lines, result_errors):
        self.requirement = requirement
        self.context = context
        self.events = events
        self.log_lines = log_lines
        # How status and result differ from what is expected.
        self.result_errors = result_errors


class Runner:
    """A service and the handlers, with sessions in which requirements do not see each other."""

    def __init__(self, concurrency, arguments=()):
        """`arguments` are for the handlers."""
        self._stack = contextlib.ExitStack()
        self._service = self._stack.enter_context(Service())
        # Whoever moves time moves it for a whole session and needs one alone.
        self._manual_sessions = queue.SimpleQueue()
        for number in range(concurrency):
            self._manual_sessions.put(f"{Mode.MANUAL.value}-{number}")
        sessions = {Mode.SKIP.value: Mode.SKIP, Mode.SKIP_DEADLINES.value: Mode.SKIP_DEADLINES}
        sessions |= {f"{Mode.MANUAL.value}-{number}": Mode.MANUAL for number in range(concurrency)}
        for name, mode in sessions.items():
            self._service.create_session(name, _CONFIGS[mode])
        self._handlers = self._stack.enter_context(
            Handlers(self._service.address, sessions, [f"--concurrency={concurrency}", *arguments]))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def run(self, requirement):
        with self._session_for(requirement.mode) as session:
            context = requirement.new_context()
            arn = self._service.start(session, requirement.id,
                                      json.dumps(requirement.input(context)), requirement.is_async)
            if requirement.mode == Mode.MANUAL:
                self._drive(session, arn, requirement, context)
            self._service.wait_for_end(arn)
            return self._read(arn, requirement, context)

    @contextlib.contextmanager
    def _session_for(self, mode):
        if mode != Mode.MANUAL:
            yield mode.value
            return
        session = self._manual_sessions.get()
        yield session
        self._manual_sessions.put(session)

    def _drive(self, session, arn, requirement, context):
        """Moves time from action to action, then from timer to timer, until the execution is over."""
        actions = Actions(requirement.callback_actions, context, self._service)
        while not self._service.settle(arn):
            actions.plan(self._service.history(arn))
            moment = actions.next_moment()
            if moment is None:
                if self._service.advance_to_next_timer(session) == 0:
                    return
                continue
            self._service.advance_until(session, moment)
            if not self._service.settle(arn):
                actions.act()

    def _read(self, arn, requirement, context):
        result_errors = validate_execution_result(
            arn, requirement.result, self._service, context) if requirement.result else []
        return Run(requirement, context, self._service.history(arn),
                   self._handlers.log_lines(arn), result_errors)
