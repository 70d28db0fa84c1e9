"""The operations on executions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .. import protocol
from ..protocol import ServiceError
from . import executions, pipelines
from .executions import EXECUTIONS

Found = dict[str, Any]


def start(request: dict[str, Any]) -> dict[str, Any]:
    found = pipelines.find(protocol.require(request, "name"))
    return {"pipelineExecutionId": executions.start(found["pipeline"], request.get("clientRequestToken"))}


def retry(request: dict[str, Any]) -> dict[str, Any]:
    found = pipelines.find(protocol.require(request, "pipelineName"))
    stage, mode = protocol.require(request, "stageName"), protocol.require(request, "retryMode")
    execution = _execution(found, protocol.require(request, "pipelineExecutionId"))
    if stage not in [one["name"] for one in found["pipeline"]["stages"]]:
        raise ServiceError("StageNotFoundException", f"Stage {stage} not found in pipeline {found['pipeline']['name']}")
    if mode not in ("FAILED_ACTIONS", "ALL_ACTIONS"):
        raise ServiceError("ValidationException", f"Value '{mode}' at 'retryMode' failed to satisfy constraint")
    last = next(one for one in _executions(found) if one is execution or stage in one["stages"])
    if last is not execution and last["stages"][stage] == "Failed":
        raise ServiceError(
            "NotLatestPipelineExecutionException",
            f"Unable to retry. The stage {stage} has failed in a later execution than {execution['pipelineExecutionId']}",
        )
    changed = last is not execution or execution["pipelineVersion"] != found["pipeline"]["version"]
    if changed or execution["stages"].get(stage) != "Failed":
        raise ServiceError(
            "StageNotRetryableException",
            f"Unable to retry stage {stage}. The pipeline structure or the stage state changed after the stage failed, "
            "or the stage contains no failed actions",
        )
    executions.retry(found["pipeline"], execution, stage, mode)
    return {"pipelineExecutionId": execution["pipelineExecutionId"]}


def get_execution(request: dict[str, Any]) -> dict[str, Any]:
    found = pipelines.find(protocol.require(request, "pipelineName"))
    execution = _execution(found, protocol.require(request, "pipelineExecutionId"))
    members = ("pipelineName", "pipelineVersion", "pipelineExecutionId", "status")
    return {"pipelineExecution": {member: execution[member] for member in members}}


def list_executions(request: dict[str, Any]) -> dict[str, Any]:
    found = pipelines.find(protocol.require(request, "pipelineName"))
    members = ("pipelineExecutionId", "status", "startTime", "lastUpdateTime")
    summaries = [{member: execution[member] for member in members} for execution in _executions(found)]
    part, more = protocol.page(summaries, request, 100)
    return {"pipelineExecutionSummaries": part, **more}


def list_actions(request: dict[str, Any]) -> dict[str, Any]:
    part, more = _details(request, lambda execution: reversed(execution["actions"]))
    return {"actionExecutionDetails": part, **more}


def list_rules(request: dict[str, Any]) -> dict[str, Any]:
    """What a test says of conditions: none is evaluated here."""
    part, more = _details(request, lambda execution: execution["rules"])
    return {"ruleExecutionDetails": part, **more}


def _details(
    request: dict[str, Any], of_execution: Callable[[dict[str, Any]], Iterable[Any]]
) -> tuple[list[Any], dict[str, str]]:
    """A page of what the pipeline's executions have, or the one that the request's filter names."""
    found = pipelines.find(protocol.require(request, "pipelineName"))
    wanted = (request.get("filter") or {}).get("pipelineExecutionId")
    if wanted:
        _execution(found, wanted)
    details = [
        detail
        for execution in _executions(found)
        if not wanted or execution["pipelineExecutionId"] == wanted
        for detail in of_execution(execution)
    ]
    return protocol.page(details, request, 100)


def state(request: dict[str, Any]) -> dict[str, Any]:
    found = pipelines.find(protocol.require(request, "name"))
    pipeline = found["pipeline"]
    latest = {
        (record["stageName"], record["actionName"]): record
        for execution in reversed(_executions(found))
        for record in execution["actions"]
    }
    return {
        "pipelineName": pipeline["name"],
        "pipelineVersion": pipeline["version"],
        "created": found["metadata"]["created"],
        "updated": found["metadata"]["updated"],
        "stageStates": [_stage_state(found, stage, latest) for stage in pipeline["stages"]],
    }


def _stage_state(
    found: dict[str, Any], stage: dict[str, Any], latest: dict[tuple[str, str], dict[str, Any]]
) -> dict[str, Any]:
    state: dict[str, Any] = {
        "stageName": stage["name"],
        "inboundTransitionState": {"enabled": True},
        "actionStates": [],
    }
    for action in stage["actions"]:
        shown: dict[str, Any] = {"actionName": action["name"]}
        if record := latest.get((stage["name"], action["name"])):
            result = record["output"]["executionResult"]
            shown["latestExecution"] = {
                "actionExecutionId": record["actionExecutionId"],
                "status": record["status"],
                "lastStatusChange": record["lastUpdateTime"],
                "externalExecutionId": result["externalExecutionId"],
                **({"summary": result["externalExecutionSummary"]} if result["externalExecutionSummary"] else {}),
                **({"errorDetails": result["errorDetails"]} if "errorDetails" in result else {}),
            }
        state["actionStates"].append(shown)
    for execution in _executions(found):
        if status := execution["stages"].get(stage["name"]):
            state["latestExecution"] = {"pipelineExecutionId": execution["pipelineExecutionId"], "status": status}
            break
    return state


def _executions(found: dict[str, Any]) -> list[dict[str, Any]]:
    return EXECUTIONS.get(found["pipeline"]["name"]) or []


def _execution(found: dict[str, Any], execution_id: str) -> dict[str, Any]:
    for execution in _executions(found):
        if execution["pipelineExecutionId"] == execution_id:
            return execution
    raise ServiceError("PipelineExecutionNotFoundException", f"Pipeline execution {execution_id} not found")
