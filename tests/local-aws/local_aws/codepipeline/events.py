"""CodePipeline's EventBridge events, in the documented shapes: no role, no target account, no cause.

<https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import get_region
from ministack.services import eventbridge

from .structure import pipeline_arn


def pipeline_changed(execution: dict[str, Any], state: str) -> None:
    _emit("CodePipeline Pipeline Execution State Change", execution, {**_common(execution), "state": state})


def stage_changed(execution: dict[str, Any], stage: str, state: str) -> None:
    _emit(
        "CodePipeline Stage Execution State Change", execution, {**_common(execution), "stage": stage, "state": state}
    )


def action_changed(execution: dict[str, Any], record: dict[str, Any], state: str) -> None:
    """An action's change. `execution-result` is there once the action has ended."""
    detail = {
        **_common(execution),
        "stage": record["stageName"],
        "action-execution-id": record["actionExecutionId"],
        "action": record["actionName"],
        "state": state,
        "region": record["input"]["region"],
        "type": record["input"]["actionTypeId"],
    }
    result = record["output"].get("executionResult", {})
    if state != "STARTED" and (summary := _result(result)):
        detail["execution-result"] = summary
    _emit("CodePipeline Action Execution State Change", execution, detail)


def _result(result: dict[str, Any]) -> dict[str, Any]:
    members = {
        "external-execution-url": result.get("externalExecutionUrl"),
        "external-execution-summary": result.get("externalExecutionSummary"),
        "external-execution-id": result.get("externalExecutionId"),
        "error-code": result.get("errorDetails", {}).get("code"),
    }
    return {member: value for member, value in members.items() if value}


def _common(execution: dict[str, Any]) -> dict[str, Any]:
    started = datetime.fromtimestamp(execution["startTime"], UTC)
    return {
        "pipeline": execution["pipelineName"],
        "execution-id": execution["pipelineExecutionId"],
        "start-time": started.strftime("%Y-%m-%dT%H:%M:%S.") + f"{started.microsecond // 1000:03}Z",
        "version": float(execution["pipelineVersion"]),
        "pipeline-execution-attempt": float(execution["attempt"]),
    }


def _emit(detail_type: str, execution: dict[str, Any], detail: dict[str, Any]) -> None:
    # Only services publish `aws.*` sources; this one is a service.
    entry = {
        "Source": "aws.codepipeline",
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "Resources": [pipeline_arn(execution["pipelineName"])],
        "Region": get_region(),
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
