"""CloudFormation custom resources, where ministack is kinder than CloudFormation.

- A failed Create is followed by a Delete with the PhysicalResourceId that the failure answered.
- DescribeStackResource knows a custom resource while its request is under way.
- A response over 4,096 bytes, without a PhysicalResourceId or for another request is a failure.
<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ministack.core.concurrency import run_reentrant
from ministack.core.responses import now_iso
from ministack.services.cloudformation import custom_resource, handlers, stacks

RESPONSE_BYTES = 4_096
PHYSICAL_ID_BYTES = 1_024


@dataclass(frozen=True)
class FailedCreate:
    """A custom resource whose Create failed with an answer."""

    logical_id: str
    resource_type: str
    physical_id: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class Described:
    """A custom resource as DescribeStackResource shows it."""

    stack_name: str
    resource_type: str
    status: str
    physical_id: str


_described: dict[tuple[str, str], Described] = {}  # (stack id, logical id)
_answered: dict[tuple[str, str], str] = {}  # (stack id, logical id) -> physical id of the failed answer
_failed: dict[str, list[FailedCreate]] = {}  # stack id -> what rollback has to delete


def reset() -> None:
    _described.clear()
    _answered.clear()
    _failed.clear()


def wrap_deliver_response(original: Callable[..., bool]) -> Callable[..., bool]:
    def deliver_response(token: str, response: dict[str, Any]) -> bool:
        checked = (
            {**response, **_invalid(response)}
            if isinstance(response, dict)
            else {"Status": "FAILED", "Reason": "Invalid response"}
        )
        if checked.get("Status") != "SUCCESS" and checked.get("PhysicalResourceId"):
            _answered[(checked.get("StackId", ""), checked.get("LogicalResourceId", ""))] = checked[
                "PhysicalResourceId"
            ]
        return original(token, checked)

    return deliver_response


def _invalid(response: dict[str, Any]) -> dict[str, str]:
    reason = ""
    if len(json.dumps(response, separators=(",", ":"), ensure_ascii=False).encode()) > RESPONSE_BYTES:
        reason = "Response object is too long."
    elif response.get("Status") not in ("SUCCESS", "FAILED"):
        reason = f"Invalid response status {response.get('Status')!r}"
    elif not response.get("PhysicalResourceId"):
        reason = "Invalid PhysicalResourceId"
    elif len(str(response["PhysicalResourceId"]).encode()) > PHYSICAL_ID_BYTES:
        reason = "PhysicalResourceId exceeds 1024 bytes"
    elif any(not response.get(member) for member in ("StackId", "RequestId", "LogicalResourceId")):
        reason = "Response is missing StackId, RequestId or LogicalResourceId"
    return {"Status": "FAILED", "Reason": reason} if reason else {}


def wrap_invoke(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke_custom_resource(
        request_type: str,
        logical_id: str,
        props: dict[str, Any],
        stack_name: str,
        stack_id: str,
        resource_type: str,
        physical_id: str | None = None,
        old_props: dict[str, Any] | None = None,
    ) -> Any:
        _answered.pop((stack_id, logical_id), None)
        verb, known = request_type.upper(), physical_id or ""

        def describe(status: str, physical_id: str) -> None:
            _described[(stack_id, logical_id)] = Described(stack_name, resource_type, f"{verb}_{status}", physical_id)

        describe("IN_PROGRESS", known)
        try:
            answered_id, attributes = original(
                request_type, logical_id, props, stack_name, stack_id, resource_type, physical_id, old_props
            )
            describe("COMPLETE", answered_id)
            return answered_id, attributes
        except RuntimeError:
            describe("FAILED", known)
            # The reason that CloudFormation shows is the answer's; ministack raises it as it is.
            answered = _answered.pop((stack_id, logical_id), None)
            if request_type == "Create" and answered:
                _failed.setdefault(stack_id, []).append(FailedCreate(logical_id, resource_type, answered, props))
            raise

    return invoke_custom_resource


def wrap_describe(original: Callable[..., Any]) -> Callable[..., Any]:
    """ministack shows the resources of a stack only when the whole operation is done."""

    def describe_stack_resource(params: dict[str, Any]) -> Any:
        stack = handlers._resolve_stack(handlers._p(params, "StackName"))
        logical_id = handlers._p(params, "LogicalResourceId")
        found = _described.get((stack["StackId"], logical_id)) if stack else None
        if stack is None or found is None:
            return original(params)
        members = {
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": found.physical_id,
            "ResourceType": found.resource_type,
            "ResourceStatus": found.status,
            "LastUpdatedTimestamp": now_iso(),
            "StackName": found.stack_name,
            "StackId": stack["StackId"],
        }
        detail = "".join(f"<{name}>{handlers._esc(value)}</{name}>" for name, value in members.items() if value)
        return handlers._xml(
            200,
            "DescribeStackResourceResponse",
            f"<DescribeStackResourceResult><StackResourceDetail>{detail}</StackResourceDetail></DescribeStackResourceResult>",
        )

    return describe_stack_resource


def wrap_roll_back(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def roll_back_operation(stack_name: str, stack_id: str, *rest: Any, **named: Any) -> Any:
        await _delete_failed(stack_name, stack_id)
        return await original(stack_name, stack_id, *rest, **named)

    return roll_back_operation


def wrap_delete_stack(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """For a stack whose rollback was disabled."""

    async def delete_stack(stack_name: str, stack_id: str, *rest: Any, **named: Any) -> Any:
        await _delete_failed(stack_name, stack_id)
        return await original(stack_name, stack_id, *rest, **named)

    return delete_stack


async def _delete_failed(stack_name: str, stack_id: str) -> None:
    for one in reversed(_failed.pop(stack_id, [])):
        event = (stack_id, stack_name, one.logical_id, one.resource_type)
        stacks._add_event(*event, "DELETE_IN_PROGRESS", physical_id=one.physical_id)
        try:
            await run_reentrant(
                custom_resource.invoke_custom_resource,
                "Delete",
                one.logical_id,
                one.properties,
                stack_name,
                stack_id,
                one.resource_type,
                one.physical_id,
            )
        except Exception as error:  # whatever went wrong is the stack's event, as for any resource
            stacks._add_event(*event, "DELETE_FAILED", str(error), one.physical_id)
        else:
            stacks._add_event(*event, "DELETE_COMPLETE", physical_id=one.physical_id)
