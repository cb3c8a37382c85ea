"""What an outsider does to an execution, each action at its moment on the execution's clock.

    actions = Actions(requirement.callback_actions, context, client)
    actions.plan(events)          # callbacks that are new get their actions
    actions.next_moment()         # seconds since the epoch, or None
    actions.act()
"""

import dataclasses
import heapq
import itertools

from suite import CallbackSender
from suite import find_matching_action


class Actions:
    """See above. `client` has the methods of a client of AWS Lambda."""

    def __init__(self, callback_actions, context, client):
        self._actions = callback_actions
        self._context = context
        self._sender = CallbackSender(client)
        self._used = set()
        self._seen = set()
        # (moment, order, callback id, action)
        self._due = []
        self._order = itertools.count()

    def plan(self, events):
        for event in events:
            if event["EventType"] == "CallbackStarted" and event["Id"] not in self._seen:
                self._seen.add(event["Id"])
                self._plan_callback(event)

    def _plan_callback(self, event):
        moment = event["EventTimestamp"]
        while True:
            action, index = find_matching_action(event, self._actions, self._used, self._context)
            if action is None:
                return
            self._used.add(index)
            moment += action.delay_seconds
            callback_id = event["CallbackStartedDetails"]["CallbackId"]
            heapq.heappush(self._due, (moment, next(self._order), callback_id, action))
            if action.operation != "heartbeat":
                return

    def next_moment(self):
        """Seconds since the epoch, or None."""
        return self._due[0][0] if self._due else None

    def act(self):
        _, _, callback_id, action = heapq.heappop(self._due)
        self._sender.send(callback_id, dataclasses.replace(
            action, payload=self._context.substitute(action.payload)))
