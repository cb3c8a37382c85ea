"""Messages of the contract as objects of AWS's SDK, and back.

    operation = operation_to_sdk(message)        # an Operation of the SDK
"""

from __future__ import annotations

from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python.lambda_service import Operation

from rehearse.aws_json import from_aws, to_aws
from rehearse.v1 import operation_pb2 as operations


def operation_to_sdk(message: operations.Operation) -> Operation:
    # The SDK takes details without members for something else than details.
    return Operation.from_dict({name: value for name, value in to_aws(message).items()
                                if value != {}})


def error_to_sdk(message: operations.ErrorObject) -> ErrorObject:
    return ErrorObject.from_dict(to_aws(message))


def error_from_sdk(error: ErrorObject | None) -> operations.ErrorObject | None:
    return None if error is None else from_aws(error.to_dict(), operations.ErrorObject())
