"""Pipelines: stored as sent, checked, tagged."""

from __future__ import annotations

import copy
import time
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from .. import protocol
from ..protocol import ServiceError
from . import structure, tags
from .executions import EXECUTIONS

PIPELINES = AccountRegionScopedDict()  # name -> {"pipeline", "metadata", "tags"}
VERSIONS = AccountRegionScopedDict()  # (name, version) -> pipeline
EDITS = AccountRegionScopedDict()  # name -> a structure that somebody else writes just before the next UpdatePipeline


def create(request: dict[str, Any], access_key: str) -> dict[str, Any]:
    pipeline = protocol.require(request, "pipeline")
    structure.check(pipeline)
    if pipeline["name"] in PIPELINES:
        raise ServiceError(
            "PipelineNameInUseException",
            f"A pipeline with the name '{pipeline['name']}' in account '{get_account_id()}' already exists",
        )
    _check_pass_role(access_key, pipeline["roleArn"])
    own = tags.checked(request.get("tags") or [], {})
    return {"pipeline": put(pipeline, own), "tags": tags.listed(own)}


def update(request: dict[str, Any], access_key: str) -> dict[str, Any]:
    for member in request:
        if member != "pipeline":
            raise ServiceError(
                "ValidationException", f'Unknown parameter in input: "{member}", must be one of: pipeline'
            )
    pipeline = protocol.require(request, "pipeline")
    structure.check(pipeline)
    find(pipeline["name"])
    _check_pass_role(access_key, pipeline["roleArn"])
    if edit := EDITS.pop(pipeline["name"], None):
        put(edit)
    return {"pipeline": put(pipeline)}


def _check_pass_role(access_key: str, role_arn: str) -> None:
    denied = iam_evaluator.enforce(
        access_key,
        "iam:PassRole",
        "iam",
        get_region(),
        resource_arn=role_arn,
        service_context={"iam:PassedToService": structure.SERVICE},
    )
    if denied is not None:
        reason = (
            "with an explicit deny in an identity-based policy"
            if getattr(denied, "decision", "") == "Deny"
            else "because no identity-based policy allows the iam:PassRole action"
        )
        raise ServiceError(
            "AccessDeniedException",
            f"User: {iam_evaluator.caller_arn()} is not authorized to perform: iam:PassRole on resource: {role_arn} {reason}",
        )


def get(request: dict[str, Any]) -> dict[str, Any]:
    found = find(protocol.require(request, "name"))
    asked = request.get("version")
    if asked is not None:
        if (found["pipeline"]["name"], asked) not in VERSIONS:
            raise ServiceError("PipelineVersionNotFoundException", f"Pipeline version {asked} not found")
        return {"pipeline": VERSIONS[found["pipeline"]["name"], asked], "metadata": found["metadata"]}
    return {"pipeline": found["pipeline"], "metadata": found["metadata"]}


def delete(request: dict[str, Any]) -> dict[str, Any]:
    # Deleting what is not there succeeds, as on AWS.
    name = protocol.require(request, "name")
    PIPELINES.pop(name, None)
    EXECUTIONS.pop(name, None)
    return {}


def list_all(request: dict[str, Any]) -> dict[str, Any]:
    summaries = [
        {
            "name": name,
            "version": found["pipeline"]["version"],
            "created": found["metadata"]["created"],
            "updated": found["metadata"]["updated"],
        }
        for name, found in sorted(PIPELINES.items())
    ]
    members, more = protocol.page(summaries, request, 1000)
    return {"pipelines": members, **more}


def put(pipeline: dict[str, Any], own_tags: dict[str, str] | None = None) -> dict[str, Any]:
    """Stores the checked pipeline as its next version and answers it as stored."""
    structure.check(pipeline)
    structure.check_roles(pipeline)
    stored, old, now = structure.normalised(copy.deepcopy(pipeline)), PIPELINES.get(pipeline["name"]), time.time()
    stored["version"] = old["pipeline"]["version"] + 1 if old else 1
    created = old["metadata"]["created"] if old else now
    PIPELINES[stored["name"]] = {
        "pipeline": stored,
        "metadata": {"pipelineArn": structure.pipeline_arn(stored["name"]), "created": created, "updated": now},
        "tags": (old["tags"] if old else {}) if own_tags is None else own_tags,
    }
    VERSIONS[stored["name"], stored["version"]] = copy.deepcopy(stored)
    return copy.deepcopy(stored)


def list_tags(request: dict[str, Any]) -> dict[str, Any]:
    members, more = protocol.page(tags.listed(_tagged(request)["tags"]), request, 100)
    return {"tags": members, **more}


def tag(request: dict[str, Any]) -> dict[str, Any]:
    found = _tagged(request)
    found["tags"] = tags.checked(protocol.require(request, "tags"), found["tags"])
    return {}


def untag(request: dict[str, Any]) -> dict[str, Any]:
    found = _tagged(request)
    for key in protocol.require(request, "tagKeys"):
        if not key.startswith("aws:"):
            found["tags"].pop(key, None)
    return {}


def _tagged(request: dict[str, Any]) -> dict[str, Any]:
    arn = protocol.require(request, "resourceArn")
    name = arn.rpartition(":")[2]
    if arn != structure.pipeline_arn(name):
        raise ServiceError("InvalidArnException", f"Invalid ARN: {arn}")
    if name not in PIPELINES:
        raise ServiceError("ResourceNotFoundException", f"The resource {arn} was not found")
    return PIPELINES[name]


def find(name: str) -> dict[str, Any]:
    found = PIPELINES.get(name)
    if found is None:
        raise ServiceError(
            "PipelineNotFoundException", f"Account '{get_account_id()}' does not have a pipeline with name '{name}'"
        )
    return found
