"""AWS's service models, as botocore ships them, and which operation a request is of."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore.session
from botocore.model import OperationModel, ServiceModel

# Names in a signature's scope that are not the model's.
_BY_SCOPE = {"monitoring": "cloudwatch", "states": "stepfunctions", "tagging": "resourcegroupstaggingapi"}
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_PRESIGNED_SCOPE = re.compile(r"/\d{8}/[^/]+/([^/]+)/aws4_request$")

_session = botocore.session.Session()
_lock = threading.Lock()
_models: dict[str, ServiceModel | None] = {}


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names in lower case, the path decoded."""

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, list[str]]
    body: bytes

    def form(self) -> dict[str, str]:
        """What a request of the query protocol says, in its body or its query string."""
        pairs = {name: values[0] for name, values in self.query.items() if values}
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            pairs |= dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        return pairs


@dataclass(frozen=True)
class Found:
    """The operation of a request, with the labels that its path holds."""

    operation: OperationModel
    labels: dict[str, str] = field(default_factory=dict)


class NoSuchOperation(LookupError):
    """AWS has no such operation: the message says what was asked for."""


def service_of(request: Request) -> str | None:
    """The model's name by the service that the request is signed for; none for what is not signed."""
    signed = _SCOPE.search(request.headers.get("authorization", ""))
    presigned = _PRESIGNED_SCOPE.search((request.query.get("X-Amz-Credential") or [""])[0])
    scope = signed or presigned
    return _BY_SCOPE.get(scope.group(1), scope.group(1)) if scope else None


def model(service: str) -> ServiceModel | None:
    with _lock:
        if service not in _models:
            known = service in _session.get_available_services()
            _models[service] = _session.get_service_model(service) if known else None
        return _models[service]


def protocol(service: ServiceModel, request: Request) -> str:
    """The protocol that this request speaks: some services understand several."""
    spoken = service.metadata.get("protocols") or [service.metadata["protocol"]]
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    if "x-amz-target" in request.headers:
        return "json"
    without_marker = [one for one in spoken if one not in ("smithy-rpc-v2-cbor", "json")]
    return (without_marker or spoken)[0]


def find(service: ServiceModel, request: Request) -> Found:
    """The operation that AWS would take the request for."""
    speaks = protocol(service, request)
    if speaks.startswith("rest-"):
        return _find_by_path(service, request)
    if speaks == "json":
        name = request.headers.get("x-amz-target", "")
        prefix, _, operation = name.rpartition(".")
        if prefix != service.metadata["targetPrefix"]:
            raise NoSuchOperation(f"X-Amz-Target {name!r}, where {service.metadata['targetPrefix']} is expected")
    elif speaks == "smithy-rpc-v2-cbor":
        operation = name = request.path.rpartition("/")[2]
    else:
        operation = name = request.form().get("Action", "")
    if operation not in service.operation_names:
        raise NoSuchOperation(f"no operation {name!r}")
    return Found(service.operation_model(operation))


def _find_by_path(service: ServiceModel, request: Request) -> Found:
    found = []
    for name in service.operation_names:
        operation = service.operation_model(name)
        http = operation.http
        path, _, literal = http["requestUri"].partition("?")
        labels = _labels(path, request.path)
        fixed = dict(parse_qsl(literal, keep_blank_values=True))
        if http["method"] != request.method or labels is None or not _has_query(request, fixed):
            continue
        marks = _marks(operation)
        if all(request.query.get(mark) or request.headers.get(mark.lower()) for mark in marks):
            # The more of the path, then of the query and headers, an operation fixes, the more it is meant.
            found.append((path.count("/"), -path.count("{"), len(fixed), len(marks), name, labels))
    if not found:
        raise NoSuchOperation(f"no operation at {request.method} {request.path}")
    *_, name, labels = max(found, key=lambda one: one[:4])
    return Found(service.operation_model(name), labels)


def _has_query(request: Request, fixed: dict[str, str]) -> bool:
    return all(
        name in request.query and (not value or value in request.query[name]) for name, value in fixed.items()
    )


def _marks(operation: OperationModel) -> list[str]:
    """Query parameters and headers without which a request is of another operation: CopyObject has PutObject's path."""
    shape = operation.input_shape
    if shape is None or operation.service_model.service_name != "s3":
        return []
    places = [shape.members[name].serialization for name in shape.required_members]
    return [place["name"] for place in places if place.get("location") in ("querystring", "header")]


def _labels(template: str, path: str) -> dict[str, str] | None:
    wanted, given = template.strip("/").split("/"), path.strip("/").split("/")
    labels: dict[str, str] = {}
    for at, part in enumerate(wanted):
        if at >= len(given):
            return None
        if part.endswith("+}"):
            labels[part[1:-2]] = unquote("/".join(given[at:]))
            return labels if labels[part[1:-2]] else None
        if part.startswith("{"):
            if not given[at]:
                return None
            labels[part[1:-1]] = unquote(given[at])
        elif part != given[at]:
            return None
    return labels if len(given) == len(wanted) else None


def plain_query(query: dict[str, Any]) -> dict[str, list[str]]:
    return {name: value if isinstance(value, list) else [value] for name, value in query.items()}
