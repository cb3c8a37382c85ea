"""Errors of test runners, with the names of AWS's testing package.

    with pytest.raises(ResourceNotFoundException):
        runner.send_callback_success("unknown")

The service's errors are those of rehearse.errors.
"""

from rehearse.errors import CallbackTimeoutException
from rehearse.errors import DurableExecutionAlreadyStartedException
from rehearse.errors import InvalidParameterValueException
from rehearse.errors import InvalidRequestContentException
from rehearse.errors import RehearseError as DurableFunctionsLocalRunnerError
from rehearse.errors import RequestTooLargeException
from rehearse.errors import ResourceConflictException
from rehearse.errors import ResourceNotFoundException
from rehearse.errors import ServiceError as AwsApiException
from rehearse.errors import ServiceException
from rehearse.errors import TooManyRequestsException
from rehearse.errors import WaitTimedOut

# As AWS's testing package names them.
ExecutionAlreadyStartedException = DurableExecutionAlreadyStartedException
ExecutionConflictException = ResourceConflictException


class DurableFunctionsTestError(Exception):
    """What a test asked for is not there."""


__all__ = [
    "AwsApiException",
    "CallbackTimeoutException",
    "DurableExecutionAlreadyStartedException",
    "DurableFunctionsLocalRunnerError",
    "DurableFunctionsTestError",
    "ExecutionAlreadyStartedException",
    "ExecutionConflictException",
    "InvalidParameterValueException",
    "InvalidRequestContentException",
    "RequestTooLargeException",
    "ResourceConflictException",
    "ResourceNotFoundException",
    "ServiceException",
    "TooManyRequestsException",
    "WaitTimedOut",
]
