"""What an outsider does to an execution, each action at its moment on the execution's clock.

    actions = Actions(requirement, context, service, arn)
    actions.plan(events)          # what is new in the history gets its actions
    actions.next_moment()         # seconds since the epoch, or None
    actions.act()
"""

import dataclasses
import functools
import heapq
import itertools

from suite import CallbackSender
from suite import find_matching_action


class Actions:
    """See above."""

    def __init__(self, requirement, context, service, arn):
        self._requirement = requirement
        self._context = context
        self._service = service
        self._arn = arn
        self._sender = CallbackSender(service)
        self._used_callback_actions = set()
        self._seen_events = 0
        self._order = itertools.count()
        # (moment, order, function)
        self._due = []

    def plan(self, events):
        for event in events[self._seen_events:]:
            match event["EventType"]:
                case "ExecutionStarted":
                    self._plan_actions(event, ("pause", "resume", "stop"), self._arn)
                case "ChainedInvokeStarted":
                    child = event["ChainedInvokeStartedDetails"]["DurableExecutionArn"]
                    self._plan_actions(event, ("stop-child",), child)
                case "CallbackStarted":
                    self._plan_callback(event)
        self._seen_events = len(events)

    def _plan_actions(self, event, operations, arn):
        for action in self._requirement.actions:
            if action["Operation"] in operations:
                self._add(event["EventTimestamp"] + action["Delay"], self._act_on_execution, arn,
                          action)

    def _plan_callback(self, event):
        moment = event["EventTimestamp"]
        callback_id = event["CallbackStartedDetails"]["CallbackId"]
        while True:
            action, index = find_matching_action(
                event, self._requirement.callback_actions, self._used_callback_actions,
                self._context)
            if action is None:
                return
            self._used_callback_actions.add(index)
            moment += action.delay_seconds
            self._add(moment, self._act_on_callback, callback_id, action)
            if action.operation != "heartbeat":
                return

    def _add(self, moment, function, *arguments):
        heapq.heappush(
            self._due, (moment, next(self._order), functools.partial(function, *arguments)))

    def next_moment(self):
        return self._due[0][0] if self._due else None

    def act(self):
        _, _, function = heapq.heappop(self._due)
        function()

    def _act_on_callback(self, callback_id, action):
        self._sender.send(callback_id, dataclasses.replace(
            action, payload=self._context.substitute(action.payload)))

    def _act_on_execution(self, arn, action):
        match action["Operation"]:
            case "pause":
                self._service.pause(arn, action["Reason"])
            case "resume":
                self._service.resume(arn)
            case "stop" | "stop-child":
                self._service.stop(arn, action["Error"])
