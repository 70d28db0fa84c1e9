"""Pipeline executions: run stage by stage to their end within the call that starts them.

Real executions take minutes; callers poll the same operations either way.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_region

from . import events
from .attempts import attempt, store_of
from .failures import Failure

EXECUTIONS = AccountRegionScopedDict()  # pipeline name -> executions, newest first
SCRIPTED = AccountRegionScopedDict()  # (pipeline, stage, action) -> Failure


def start(pipeline: dict[str, Any], token: str | None) -> str:
    """Runs the pipeline; a `token` seen before answers the execution that it started."""
    known = EXECUTIONS.setdefault(pipeline["name"], [])
    for execution in known:
        if token and execution["token"] == token:
            return execution["pipelineExecutionId"]
    now = time.time()
    execution = {
        "pipelineName": pipeline["name"],
        "pipelineVersion": pipeline["version"],
        "pipelineExecutionId": str(uuid.uuid4()),
        "status": "InProgress",
        "startTime": now,
        "lastUpdateTime": now,
        "attempt": 1,
        "token": token,
        "actions": [],
        "rules": [],
        "stages": {},
    }
    known.insert(0, execution)
    events.pipeline_changed(execution, "STARTED")
    _run(pipeline, execution, 0, skip=set())
    return execution["pipelineExecutionId"]


def retry(pipeline: dict[str, Any], execution: dict[str, Any], stage: str, mode: str) -> None:
    """Runs the failed stage again, all its actions or the failed ones, and goes on from there."""
    names = [one["name"] for one in pipeline["stages"]]
    succeeded = {
        record["actionName"]
        for record in execution["actions"]
        if record["stageName"] == stage and record["status"] == "Succeeded"
    }
    execution["attempt"] += 1
    execution["status"] = "InProgress"
    events.pipeline_changed(execution, "RESUMED")
    _run(pipeline, execution, names.index(stage), skip=succeeded if mode == "FAILED_ACTIONS" else set())


def fail_again(pipeline: str, action_execution_id: str) -> str:
    """The failure of an action execution once more, as the newest one of its execution; answers its id."""
    for execution in EXECUTIONS.get(pipeline) or []:
        for record in execution["actions"]:
            if record["actionExecutionId"] == action_execution_id:
                now = time.time()
                again = {**record, "actionExecutionId": str(uuid.uuid4()), "startTime": now, "lastUpdateTime": now}
                execution["actions"].append(again)
                return again["actionExecutionId"]
    raise ValueError(f"pipeline {pipeline} has no action execution {action_execution_id}")


def fail_condition(pipeline: str, execution_id: str, stage: str, rule: str) -> None:
    """A rule of a stage's condition failed in this execution."""
    for execution in EXECUTIONS.get(pipeline) or []:
        if execution["pipelineExecutionId"] == execution_id:
            execution["rules"].insert(
                0,
                {
                    "pipelineExecutionId": execution_id,
                    "ruleExecutionId": str(uuid.uuid4()),
                    "pipelineVersion": execution["pipelineVersion"],
                    "stageName": stage,
                    "ruleName": rule,
                    "startTime": time.time(),
                    "lastUpdateTime": time.time(),
                    "status": "Failed",
                },
            )
            return
    raise ValueError(f"pipeline {pipeline} has no execution {execution_id}")


def _run(pipeline: dict[str, Any], execution: dict[str, Any], first: int, skip: set[str]) -> None:
    for stage in pipeline["stages"][first:]:
        events.stage_changed(execution, stage["name"], "STARTED")
        succeeded = _run_stage(pipeline, execution, stage, skip)
        skip = set()
        execution["stages"][stage["name"]] = "Succeeded" if succeeded else "Failed"
        if not succeeded:
            execution.update(status="Failed", lastUpdateTime=time.time())
            events.stage_changed(execution, stage["name"], "FAILED")
            events.pipeline_changed(execution, "FAILED")
            return
        events.stage_changed(execution, stage["name"], "SUCCEEDED")
    execution.update(status="Succeeded", lastUpdateTime=time.time())
    events.pipeline_changed(execution, "SUCCEEDED")


def _run_stage(pipeline: dict[str, Any], execution: dict[str, Any], stage: dict[str, Any], skip: set[str]) -> bool:
    waiting = [action for action in stage["actions"] if action["name"] not in skip]
    for order in sorted({action["runOrder"] for action in waiting}):
        results = [_run_action(pipeline, execution, stage, action) for action in waiting if action["runOrder"] == order]
        if not all(results):
            return False
    return True


def _run_action(
    pipeline: dict[str, Any], execution: dict[str, Any], stage: dict[str, Any], action: dict[str, Any]
) -> bool:
    record = _record(pipeline, execution, stage, action)
    execution["actions"].append(record)
    events.action_changed(execution, record, "STARTED")
    scripted: Failure | None = SCRIPTED.get((pipeline["name"], stage["name"], action["name"]))
    failure = attempt(pipeline, action) or scripted
    result = record["output"]["executionResult"]
    if failure is None:
        record["status"] = "Succeeded"
        result["externalExecutionId"] = str(uuid.uuid4())
    else:
        record["status"] = "Failed"
        result.update(
            externalExecutionId=failure.external_execution_id,
            externalExecutionSummary=failure.message,
            errorDetails={"code": failure.code, "message": failure.message},
        )
    if result["externalExecutionId"] and action["actionTypeId"]["provider"] == "CodeDeploy":
        result["externalExecutionUrl"] = (
            f"https://{record['input']['region']}.console.aws.amazon.com/codedeploy/home"
            f"?#/deployments/{result['externalExecutionId']}"
        )
    record["lastUpdateTime"] = time.time()
    events.action_changed(execution, record, "FAILED" if failure else "SUCCEEDED")
    return failure is None


def _record(
    pipeline: dict[str, Any], execution: dict[str, Any], stage: dict[str, Any], action: dict[str, Any]
) -> dict[str, Any]:
    now = time.time()
    location = {"bucket": store_of(pipeline, action)["location"]}
    artifacts = {
        member: [
            {
                "name": artifact["name"],
                "s3location": {**location, "key": f"{pipeline['name'][:20]}/{artifact['name'][:10]}"},
            }
            for artifact in action.get(member) or []
        ]
        for member in ("inputArtifacts", "outputArtifacts")
    }
    # Not answered for an action that has none: the service role is no action role.
    role = {"roleArn": action["roleArn"]} if action.get("roleArn") else {}
    namespace = {"namespace": action["namespace"]} if action.get("namespace") else {}
    return {
        "pipelineExecutionId": execution["pipelineExecutionId"],
        "actionExecutionId": str(uuid.uuid4()),
        "pipelineVersion": execution["pipelineVersion"],
        "stageName": stage["name"],
        "actionName": action["name"],
        "startTime": now,
        "lastUpdateTime": now,
        "status": "InProgress",
        "input": {
            "actionTypeId": action["actionTypeId"],
            "configuration": action["configuration"],
            "resolvedConfiguration": action["configuration"],
            **role,
            "region": action.get("region") or get_region(),
            "inputArtifacts": artifacts["inputArtifacts"],
            **namespace,
        },
        "output": {
            "outputArtifacts": artifacts["outputArtifacts"],
            "executionResult": {"externalExecutionId": "", "externalExecutionSummary": ""},
        },
    }
