"""The service's errors as exceptions with AWS's names.

    try:
        runner.send_callback_success("unknown")
    except rehearse.errors.ResourceNotFoundException as error:
        print(error.name, error.message)        # ResourceNotFoundException Callback does not exist

A ServiceError whose name has no class here is a plain ServiceError: compare `name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearse.v1 import error_details_pb2 as pb

_ERROR_INFO_TYPE = "google.rpc.ErrorInfo"
_STATUS_DETAILS_KEY = "grpc-status-details-bin"
# gRPC's numbers for the codes that are told apart here.
_CODE_NAMES = {3: "INVALID_ARGUMENT", 4: "DEADLINE_EXCEEDED", 5: "NOT_FOUND", 6: "ALREADY_EXISTS",
               8: "RESOURCE_EXHAUSTED", 9: "FAILED_PRECONDITION", 11: "OUT_OF_RANGE",
               12: "UNIMPLEMENTED", 13: "INTERNAL", 14: "UNAVAILABLE"}


class RehearseError(Exception):
    """What this package raises."""


class ServiceError(RehearseError):
    """The service refused a call, or could not be reached."""

    # How AWS spells the text's member in JSON.
    _text_member = "message"
    http_status_code: int = 500

    def __init__(self, message: str, *, name: str = "", code: str = "UNKNOWN",
                 metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        # AWS's name of the error.
        self.name = name or type(self).__name__
        # Name of the gRPC status code.
        self.code = code
        self.metadata = dict(metadata or {})
        if "http_status" in self.metadata:
            self.http_status_code = int(self.metadata["http_status"])

    @property
    def Message(self) -> str:  # pylint: disable=invalid-name
        """The text, spelled as some of AWS's errors do."""
        return self.message

    def to_dict(self) -> dict[str, Any]:
        """AWS's JSON."""
        return {"Type": self.name, self._text_member: self.message}


class InvalidParameterValueException(ServiceError):
    """A value that the service does not accept."""

    http_status_code = 400


class InvalidRequestContentException(ServiceError):
    """What a function is to be invoked with is not JSON."""

    http_status_code = 400


class CallbackTimeoutException(ServiceError):
    """The callback has timed out or been completed, or its execution has ended."""

    http_status_code = 400


class ResourceNotFoundException(ServiceError):
    """There is no such execution, function, callback or session."""

    _text_member = "Message"
    http_status_code = 404


class DurableExecutionAlreadyStartedException(ServiceError):
    """The name is in use with another input."""

    http_status_code = 409


class ResourceConflictException(ServiceError):
    """What is asked for contradicts the state of things."""

    _text_member = "Message"
    http_status_code = 409


class RequestTooLargeException(ServiceError):
    """Over a limit on sizes."""

    http_status_code = 413


class TooManyRequestsException(ServiceError):
    """Over a limit on counts."""

    http_status_code = 429


class ServiceException(ServiceError):
    """The service failed, stops or cannot be reached."""

    _text_member = "Message"
    http_status_code = 500


class WaitTimedOut(ServiceError, TimeoutError):
    """What was waited for did not happen in time; the text says what the execution waits for."""

    http_status_code = 408


_BY_NAME = {cls.__name__: cls for cls in ServiceError.__subclasses__()}


def from_status(status: pb.Status) -> ServiceError:
    """The error of a status, with the class that its ErrorInfo names."""
    for detail in status.details:
        if detail.type_url.endswith(_ERROR_INFO_TYPE):
            info = pb.ErrorInfo.FromString(detail.value)
            return _BY_NAME.get(info.reason, ServiceError)(
                status.message, name=info.reason, code=_code_name(status.code),
                metadata=info.metadata)
    if _code_name(status.code) == "DEADLINE_EXCEEDED":
        return WaitTimedOut(status.message, code="DEADLINE_EXCEEDED")
    return ServiceException(status.message, code=_code_name(status.code))


def from_rpc_error(error: Any) -> ServiceError:
    """The error of a grpc.RpcError that is also a grpc.Call, or of a grpc.aio.AioRpcError."""
    for key, value in error.trailing_metadata() or ():
        if key == _STATUS_DETAILS_KEY:
            return from_status(pb.Status.FromString(value))
    code = error.code()
    text = error.details() or code.name
    if code.name in ("UNAVAILABLE", "CANCELLED"):
        # gRPC's own texts do not say who is unavailable; a service that stops cancels its calls.
        return ServiceException(f"the service cannot be reached: {text}", code="UNAVAILABLE")
    return from_status(pb.Status(code=code.value[0], message=text))


def _code_name(code: int) -> str:
    return _CODE_NAMES.get(code, "UNKNOWN")
