"""The AWS JSON 1.1 protocol, shared by CodePipeline and CodeDeploy.

<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response

CONTENT_TYPE = "application/x-amz-json-1.1"

Response = tuple[int, dict[str, str], bytes]
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class ServiceError(Exception):
    """An error that the service answers, as `code` and `message`."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


def answer(operations: dict[str, Operation], headers: dict[str, str], body: bytes) -> Response:
    """Runs the operation that the request's target header names."""
    name = headers.get("x-amz-target", "").rpartition(".")[2]
    operation = operations.get(name)
    try:
        if operation is None:
            raise ServiceError("UnknownOperationException", f"the local service has no operation {name}")
        request = parse(body)
        if not isinstance(request, dict):
            raise ServiceError("SerializationException", "Start of structure or map found where not expected.")
        return json_response(operation(request), content_type=CONTENT_TYPE)
    except ServiceError as error:
        return error_response_json(error.code, error.message, 400, content_type=CONTENT_TYPE)


def parse(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", "Unexpected token in the request body") from error


def require(request: dict[str, Any], member: str) -> Any:
    """A required member of the request."""
    value = request.get(member)
    if value is None:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: "
            "Member must not be null",
        )
    return value


def page(items: list[Any], request: dict[str, Any], limit: int) -> tuple[list[Any], dict[str, str]]:
    """One page of `items` and the member that leads to the next, empty on the last page."""
    size = request.get("maxResults") or limit
    if not isinstance(size, int) or not 1 <= size <= limit:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: "
            f"Member must have value less than or equal to {limit}",
        )
    start = 0
    if token := request.get("nextToken"):
        try:
            start = int(base64.b64decode(token, validate=True))
        except (ValueError, binascii.Error) as error:
            raise ServiceError(
                "InvalidNextTokenException", "The next token was specified in an invalid format"
            ) from error
    end = start + size
    more = {"nextToken": base64.b64encode(str(end).encode()).decode()} if end < len(items) else {}
    return items[start:end], more
