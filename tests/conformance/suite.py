"""The requirements: those of the published suite and our own, and the suite's own matcher.

    requirement = load_requirements(["1-1"])[0]
    requirement.mode                                  # Mode.SKIP
    context = requirement.new_context()               # PlaceholderContext
    EventHistoryMatcher(context).match(requirement.history, events)

Of the published package only what compares is used. Its client of AWS stays out, so the AWS SDK
that it imports is replaced by empty modules.
"""

import enum
import pathlib
import sys
import types

import yaml


def _stand_in_for_aws_sdk():
    """Makes the package importable without boto3, none of whose functions we reach."""
    exceptions = types.ModuleType("botocore.exceptions")
    exceptions.BotoCoreError = type("BotoCoreError", (Exception,), {})
    exceptions.ClientError = type("ClientError", (Exception,), {})
    config = types.ModuleType("botocore.config")
    config.Config = dict
    for name, module in {
        "boto3": types.ModuleType("boto3"),
        "botocore": types.ModuleType("botocore"),
        "botocore.config": config,
        "botocore.exceptions": exceptions,
    }.items():
        sys.modules.setdefault(name, module)


_stand_in_for_aws_sdk()

# What the other modules need of the package they import from here.
# pylint: disable=wrong-import-position,unused-import
import aws_durable_execution_conformance_tests as published
from aws_durable_execution_conformance_tests.callback import CallbackAction, CallbackSender
from aws_durable_execution_conformance_tests.cloudwatch import CloudWatchLogValidator
from aws_durable_execution_conformance_tests.history import EventHistoryMatcher
from aws_durable_execution_conformance_tests.validate import (
    _validate_execution_result as validate_execution_result,
)
from aws_durable_execution_conformance_tests.validate import find_matching_action
from aws_durable_execution_conformance_tests.variables import PlaceholderContext

_PUBLISHED = pathlib.Path(published.__file__).parent / "test_requirements"
_OWN = pathlib.Path("tests/conformance/requirements")


class Mode(enum.Enum):
    """How time goes for a requirement."""

    # Waits and retries take no time.
    SKIP = "skip"
    # Neither do timeouts: nobody answers.
    SKIP_DEADLINES = "skip-deadlines"
    # It stands still between the actions from outside.
    MANUAL = "manual"


class Requirement:
    """One requirement file. Members are named as in the suite's documentation."""

    def __init__(self, path):
        self.id = path.stem
        self.suite = path.parent.name
        with open(path, encoding="utf-8") as file:
            self._data = yaml.safe_load(file)
        self.description = self._data["description"].strip()
        self.history = self._data["ExpectedExecutionHistory"]
        self.logs = self._data.get("ExpectedLogs", [])
        # None: only the history counts.
        self.result = self._data.get("ExpectedResult")
        self.is_async = self._data.get("AsyncInvoke", False)
        # Of our own requirements: what happens to the execution, or to the one that it invoked,
        # Delay seconds after its start.
        self.actions = self._data.get("Actions", [])
        self.callback_actions = [
            CallbackAction.from_dict(action) for action in self._data.get("CallbackActions", [])
        ]

    @property
    def mode(self):
        if self.callback_actions or self.actions:
            return Mode.MANUAL
        if any(event["EventType"].endswith("TimedOut") for event in self.history):
            return Mode.SKIP_DEADLINES
        return Mode.SKIP

    def new_context(self):
        """The requirement's variables, with fresh values."""
        context = PlaceholderContext()
        context.resolve_variables(self._data.get("Variables"))
        return context

    def input(self, context):
        return context.substitute(self._data.get("Input"))

    def order(self):
        return [int(number) for number in self.id.split("-")]


def load_requirements(names=()):
    """Requirements in order: all, or those whose id or suite is named.

    One of our own replaces a published one of the same id.
    """
    paths = {path.stem: path for folder in (_PUBLISHED, _OWN) for path in folder.rglob("*.yaml")}
    return sorted((Requirement(path) for path in paths.values()
                   if not names or path.stem in names or path.parent.name in names),
                  key=Requirement.order)
