"""One answer of the local AWS against the output shape of its operation."""

from __future__ import annotations

from typing import Any

from botocore.model import OperationModel, ServiceModel

from . import wire
from .catalogue import Request, protocol
from .constraints import Problems, check
from .requests import read_body, read_header

Response = tuple[int, dict[str, Any], Any]


def check_answer(
    service: ServiceModel, operation: OperationModel, request: Request, response: Response, problems: Problems
) -> None:
    """Adds what an SDK would not understand, or quietly leave out."""
    status, given, body = response
    if not isinstance(body, (bytes, str)):
        return  # a stream
    body = body.encode() if isinstance(body, str) else body
    headers = {name.lower(): str(value) for name, value in given.items()}
    speaks = protocol(service, request)
    if status >= 300:
        _check_error(speaks, request, status, headers, body, problems)
        return
    shape = operation.output_shape
    value = _read(shape, operation, speaks, headers, status, body, problems)
    if shape is not None and not (problems.found and value == {}):
        check(shape, value, problems, request=False)


def _read(
    shape: Any,
    operation: OperationModel,
    speaks: str,
    headers: dict[str, str],
    status: int,
    body: bytes,
    problems: Problems,
) -> Any:
    if speaks == "json":
        return wire.read_json(body, problems)
    if speaks == "smithy-rpc-v2-cbor":
        return wire.read_cbor(body, problems)
    if speaks in ("query", "ec2"):
        return _read_query(shape, operation, body, problems)
    if shape is None:
        return {}
    value: dict[str, Any] = {}
    for name, member in shape.members.items():
        place, key = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "header" and (text := headers.get(key.lower())) is not None:
            value[key] = read_header(member, text, problems, key)
        elif place == "headers":
            value[key] = {one[len(key) :]: text for one, text in headers.items() if one.startswith(key.lower())}
        elif place == "statusCode":
            value[key] = status
    if operation.name == "GetBucketLocation":
        # The one answer whose root is the member itself, as the model's s3UnwrappedXmlOutput says.
        element = wire.parse_xml(body, problems)
        return {"LocationConstraint": element.text} if element is not None and element.text else {}
    return value | read_body(shape, speaks, body, problems)


def _read_query(shape: Any, operation: OperationModel, body: bytes, problems: Problems) -> Any:
    root = wire.parse_xml(body, problems)
    if root is None:
        return {}
    if wire.local_name(root) != f"{operation.name}Response":
        problems.add("", f"<{wire.local_name(root)}>, where <{operation.name}Response> is expected")
    wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
    result = None
    for child in root:
        name = wire.local_name(child)
        if name == wrapper:
            result = child
        elif name not in ("ResponseMetadata", f"{operation.name}Result"):
            problems.unknown("", name)
    if shape is None or not shape.members:
        return {}
    if result is None:
        problems.add("", f"no <{wrapper}>")
        return {}
    return wire.read_xml(shape, result, problems)


def _check_error(
    speaks: str, request: Request, status: int, headers: dict[str, str], body: bytes, problems: Problems
) -> None:
    """An error says its code where the protocol has it."""
    if status < 400 or request.method == "HEAD":
        return
    if "json" in speaks or "cbor" in speaks:
        content = wire.read_cbor(body, problems) if "cbor" in speaks else wire.read_json(body, problems)
        named = isinstance(content, dict) and (content.get("__type") or content.get("code"))
        if not named and "x-amzn-errortype" not in headers:
            problems.add("__type", "the error has no code")
        return
    root = wire.parse_xml(body, problems)
    if root is not None and not any(wire.local_name(one) == "Code" and one.text for one in root.iter()):
        problems.add("Code", "the error has no code")
