"""CodePipeline, protocol JSON 1.1: pipelines, executions, tags.

A pipeline is kept as it was sent, whatever members it has: what this emulation does not know is the caller's.
<https://docs.aws.amazon.com/codepipeline/latest/APIReference/Welcome.html>
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id

from .. import protocol
from ..protocol import Response, ServiceError
from . import executions, pipelines, runs, structure

TARGET_PREFIX = "CodePipeline_20150709"


async def handle_request(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> Response:
    """Answers one request; ministack has already checked its signature and its `codepipeline:` permission."""
    key = extract_access_key_id(headers, query)
    operations: dict[str, protocol.Operation] = {
        "CreatePipeline": lambda request: pipelines.create(request, key),
        "UpdatePipeline": lambda request: pipelines.update(request, key),
        "GetPipeline": pipelines.get,
        "DeletePipeline": pipelines.delete,
        "ListPipelines": pipelines.list_all,
        "ListTagsForResource": pipelines.list_tags,
        "TagResource": pipelines.tag,
        "UntagResource": pipelines.untag,
        "StartPipelineExecution": runs.start,
        "RetryStageExecution": runs.retry,
        "GetPipelineExecution": runs.get_execution,
        "ListPipelineExecutions": runs.list_executions,
        "ListActionExecutions": runs.list_actions,
        "ListRuleExecutions": runs.list_rules,
        "GetPipelineState": runs.state,
    }
    return protocol.answer(operations, headers, body)


def resource_arn(body: bytes) -> str:
    """The ARN that IAM evaluates a request on."""
    try:
        request = protocol.parse(body)
    except ServiceError:
        return "*"
    if not isinstance(request, dict):
        return "*"
    pipeline = request.get("pipeline")
    name = (
        request.get("name")
        or request.get("pipelineName")
        or (pipeline.get("name") if isinstance(pipeline, dict) else None)
    )
    if request.get("resourceArn"):
        return str(request["resourceArn"])
    if not name:
        return f"arn:aws:codepipeline:{get_region()}:{get_account_id()}:*"
    arn = structure.pipeline_arn(str(name))
    return f"{arn}/{request['stageName']}" if request.get("stageName") else arn


def reset() -> None:
    for store in (pipelines.PIPELINES, executions.EXECUTIONS, executions.SCRIPTED):
        store.clear()


def get_state() -> dict[str, Any]:
    return {}
