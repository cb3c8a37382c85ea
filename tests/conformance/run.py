"""Runs requirements on a service: starts executions, moves time, acts from outside.

    for run in run_all(requirements):
        run.requirement, run.events, run.log_lines, run.errors
"""

import concurrent.futures
import contextlib
import json
import queue
import time

import grpc

from actions import Actions
from rehearse.v1 import test_sessions_pb2 as sessions_pb2
from rest_client import RestClient
from service import Handlers
from service import Service
from suite import Mode
from suite import validate_execution_result

# Executions that run at a time. Most of their time they wait for the service's timers and threads.
_CONCURRENCY = 16

# Of an execution that runs in real time.
_POLL_SECONDS = 0.1

_CONFIGS = {
    Mode.SKIP: sessions_pb2.SessionConfig(clock_mode="CLOCK_MODE_SKIP"),
    Mode.SKIP_DEADLINES: sessions_pb2.SessionConfig(
        clock_mode="CLOCK_MODE_SKIP", skip_deadlines=True),
    Mode.MANUAL: sessions_pb2.SessionConfig(clock_mode="CLOCK_MODE_MANUAL"),
}


class Run:
    """What is recorded of one execution of one requirement."""

    def __init__(self, requirement):
        self.requirement = requirement
        self.context = requirement.new_context()
        self.events = []
        self.log_lines = []
        # How status and result differ from what is expected, and what went wrong on the way.
        self.errors = []


def run_all(requirements, arguments=()):
    """A Run for each, in order, on a service of their own. `arguments` are for the handlers."""
    with _Runner(arguments) as runner, \
            concurrent.futures.ThreadPoolExecutor(_CONCURRENCY) as threads:
        return list(threads.map(runner.run, requirements))


def run_all_from_outside(requirements, arguments=()):
    """The same over the AWS API and in real time."""
    session = "real"
    with Service() as service:
        service.create_session(
            session, sessions_pb2.SessionConfig(clock_mode="CLOCK_MODE_REAL"))
        client = RestClient(service.http_address, session)
        with Handlers(service.address, [session], arguments) as handlers, \
                concurrent.futures.ThreadPoolExecutor(_CONCURRENCY) as threads:
            return list(threads.map(
                lambda requirement: _run_from_outside(requirement, client, handlers),
                requirements))


def _run_from_outside(requirement, client, handlers):
    run = Run(requirement)
    try:
        arn = client.invoke(requirement.id, json.dumps(requirement.input(run.context)),
                            requirement.is_async or bool(requirement.actions))
        _act_in_real_time(run, client, arn)
        if requirement.result:
            run.errors += validate_execution_result(arn, requirement.result, client, run.context)
        run.events = client.history(arn)
        run.log_lines = handlers.log_lines(arn)
    except RuntimeError as error:
        run.errors.append(str(error))
    return run


def _act_in_real_time(run, client, arn):
    """Until the execution is over, or what is expected of its history is there."""
    actions = Actions(run.requirement, run.context, client, arn)
    last_event = max((event["EventId"] for event in run.requirement.history), default=0)
    while not client.is_over(arn):
        events = client.history(arn)
        if not run.requirement.result and len(events) >= last_event:
            return
        actions.plan(events)
        while (moment := actions.next_moment()) is not None and moment <= time.time():
            actions.act()
        time.sleep(_POLL_SECONDS)


class _Runner:
    """A service and the handlers, with sessions in which requirements do not see each other."""

    def __init__(self, arguments):
        self._stack = contextlib.ExitStack()
        self._service = self._stack.enter_context(Service())
        sessions = {Mode.SKIP.value: Mode.SKIP, Mode.SKIP_DEADLINES.value: Mode.SKIP_DEADLINES}
        # Whoever moves time moves it for a whole session and needs one alone.
        self._manual_sessions = queue.SimpleQueue()
        for number in range(_CONCURRENCY):
            name = f"{Mode.MANUAL.value}-{number}"
            sessions[name] = Mode.MANUAL
            self._manual_sessions.put(name)
        for name, mode in sessions.items():
            self._service.create_session(name, _CONFIGS[mode])
        self._handlers = self._stack.enter_context(
            Handlers(self._service.address, sessions, arguments))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def run(self, requirement):
        run = Run(requirement)
        self._handlers.check_alive()
        with self._session_for(requirement.mode) as session:
            try:
                arn = self._service.start(
                    session, requirement.id, json.dumps(requirement.input(run.context)),
                    requirement.is_async)
                try:
                    self._finish(session, arn, run)
                finally:
                    run.events = self._service.history(arn)
                    run.log_lines = self._handlers.log_lines(arn)
            except grpc.RpcError as error:
                run.errors.append(error.details())
        return run

    @contextlib.contextmanager
    def _session_for(self, mode):
        if mode != Mode.MANUAL:
            yield mode.value
            return
        session = self._manual_sessions.get()
        try:
            yield session
        finally:
            self._manual_sessions.put(session)

    def _finish(self, session, arn, run):
        if run.requirement.mode == Mode.MANUAL:
            self._drive(session, arn, run)
        self._service.wait_for_end(arn)
        if run.requirement.result:
            run.errors += validate_execution_result(
                arn, run.requirement.result, self._service, run.context)

    def _drive(self, session, arn, run):
        """Moves time from action to action, or from timer to timer, until the execution is over."""
        actions = Actions(run.requirement, run.context, self._service, arn)
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
