"""One request against the input shape of its operation."""

from __future__ import annotations

from typing import Any

from botocore.model import OperationModel, ServiceModel, Shape

from . import wire
from .catalogue import Found, Request, protocol
from .constraints import Problems, check

# Headers of every request, and of uploads in chunks: no members of an operation.
_COMMON_HEADERS = {
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amz-security-token",
    "x-amz-user-agent",
    "x-amz-target",
    "x-amz-trailer",
    "x-amz-decoded-content-length",
    "x-amz-api-version",
    "x-amz-te",
}
# Parameters of a presigned address, and the name of the operation that newer SDKs add to S3's.
_COMMON_QUERY = {"x-id"}


def check_request(service: ServiceModel, found: Found, request: Request, problems: Problems) -> None:
    """Adds what AWS would refuse."""
    operation, speaks = found.operation, protocol(service, request)
    shape = operation.input_shape
    _check_head(service, operation, speaks, request, problems)
    if speaks.startswith("rest-"):
        value = _read_rest(operation, speaks, found, request, problems)
    elif speaks == "json":
        value = wire.read_json(request.body, problems)
    elif speaks == "smithy-rpc-v2-cbor":
        value = wire.read_cbor(request.body, problems)
    else:
        form = {key: one for key, one in request.form().items() if key not in ("Action", "Version")}
        value = wire.read_form(shape, form, problems) if shape is not None else {}
    if problems.found and value == {}:
        return
    if shape is not None:
        check(shape, value, problems, request=True)
    elif value:
        problems.add("", f"{operation.name} takes no members, {', '.join(map(str, value))} given")


def _check_head(
    service: ServiceModel, operation: OperationModel, speaks: str, request: Request, problems: Problems
) -> None:
    given = request.headers.get("content-type", "")
    if speaks == "json":
        wanted = f"application/x-amz-json-{service.metadata['jsonVersion']}"
        if request.method != "POST" or request.path != "/":
            problems.add("", f"{request.method} {request.path}, where POST / is expected")
        if given != wanted:
            problems.add("Content-Type", f"{given!r}, where {wanted} is expected")
    elif speaks in ("query", "ec2"):
        if request.method == "POST" and not given.startswith("application/x-www-form-urlencoded"):
            problems.add("Content-Type", f"{given!r}, where application/x-www-form-urlencoded is expected")
        version = request.form().get("Version", "")
        if version != service.api_version:
            problems.add("Version", f"{version!r}, where {service.api_version} is expected")
    elif speaks == "rest-json" and request.body and _payload(operation.input_shape) is None:
        # A client may leave the content type out.
        if given and given.partition(";")[0] not in ("application/json", "application/x-amz-json-1.1"):
            problems.add("Content-Type", f"{given!r}, where application/json is expected")
    named = (request.query.get("x-id") or [operation.name])[0]
    if named != operation.name:
        problems.add("x-id", f"{named!r}, where the request is {operation.name}")


def _payload(shape: Any) -> str | None:
    return shape.serialization.get("payload") if shape is not None else None


def _read_rest(
    operation: OperationModel, speaks: str, found: Found, request: Request, problems: Problems
) -> dict[str, Any]:
    shape: Any = operation.input_shape
    members = shape.members if shape is not None else {}
    fixed = operation.http["requestUri"].partition("?")[2]
    query = {
        name: values
        for name, values in request.query.items()
        if name not in _COMMON_QUERY and not name.startswith("X-Amz-") and name not in _names(fixed)
    }
    headers = dict(request.headers)
    value: dict[str, Any] = {}
    query_map = None
    for name, member in members.items():
        place, key = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri" and key in found.labels:
            value[key] = wire.read_text(member, found.labels[key], problems, key)
        elif place == "querystring" and member.type_name == "map":
            query_map = key
        elif place == "querystring" and key in query:
            value[key] = _read_values(member, query.pop(key), problems, key)
        elif place == "header" and (text := headers.pop(key.lower(), None)) is not None:
            value[key] = read_header(member, text, problems, key)
        elif place == "headers":
            own = {one: text for one, text in headers.items() if one.startswith(key.lower())}
            value[key] = {one[len(key) :]: headers.pop(one) for one in own}
    if query_map is not None:
        value[query_map] = {name: values[0] for name, values in query.items()}
        query = {}
    for name in query:
        problems.unknown("", name)
    for name in headers:
        if name.startswith("x-amz-") and name not in _COMMON_HEADERS and not _is_checksum(operation, name):
            problems.unknown("", name)
    if shape is not None:
        value |= read_body(shape, speaks, request.body, problems, check_namespace=True)
    return value


def _is_checksum(operation: OperationModel, header: str) -> bool:
    """Whether the header holds the body's checksum, of an operation that takes one."""
    return bool(operation.http_checksum) and header.startswith(("x-amz-checksum-", "x-amz-sdk-checksum-"))


def _names(literal: str) -> set[str]:
    return {part.partition("=")[0] for part in literal.split("&") if part}


def _read_values(shape: Any, values: list[str], problems: Problems, path: str) -> Any:
    if shape.type_name == "list":
        return [wire.read_text(shape.member, one, problems, path) for one in values]
    return wire.read_text(shape, values[0], problems, path)


def read_header(shape: Any, text: str, problems: Problems, path: str) -> Any:
    if shape.type_name == "list":
        return [wire.read_text(shape.member, one.strip(), problems, path) for one in text.split(",")]
    return wire.read_text(shape, text, problems, path)


def read_body(
    shape: Any, speaks: str, body: bytes, problems: Problems, *, check_namespace: bool = False
) -> dict[str, Any]:
    """The members that the body holds: one as payload, or those that have no other place."""
    payload = _payload(shape)
    if payload is not None:
        member: Shape = shape.members[payload]
        name = member.serialization.get("name", payload)
        if member.type_name == "blob":
            return {name: b"" if member.serialization.get("streaming") else body}
        if member.type_name == "string":
            return {name: body.decode("utf-8", "replace")} if body else {}
        if not body or member.serialization.get("eventstream"):
            return {}
        return {name: _read_document(member, name, speaks, body, problems, check_namespace, path=name)}
    in_body = [one for one in shape.members.values() if not one.serialization.get("location")]
    if not in_body:
        return {}
    if not body:
        return {}
    read = _read_document(shape, shape.serialization.get("name", ""), speaks, body, problems, check_namespace)
    return read if isinstance(read, dict) else {}


def _read_document(
    shape: Any, root: str, speaks: str, body: bytes, problems: Problems, check_namespace: bool, path: str = ""
) -> Any:
    if speaks == "rest-json":
        return wire.read_json(body, problems)
    element = wire.parse_xml(body, problems)
    if element is None:
        return {}
    if check_namespace:
        wanted = (shape.serialization.get("xmlNamespace") or {}).get("uri")
        if wanted and wire.namespace(element) not in ("", wanted):
            problems.add(root, f"namespace {wire.namespace(element)!r}, where {wanted} is expected")
        if root and wire.local_name(element) != root:
            problems.add(root, f"the body is <{wire.local_name(element)}>, where <{root}> is expected")
    return wire.read_xml(shape, element, problems, path)
