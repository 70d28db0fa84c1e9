"""StackSets on the CloudFormation query API: each instance is a real stack in its account and Region.

Instances are deployed as their account's root; StackSets' own administration and execution roles are not looked at.
<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html>
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region, now_iso, request_scope
from ministack.services import cloudformation
from ministack.services.cloudformation import handlers
from ministack.services.cloudformation.helpers import _error, _extract_members, _extract_string_members, _p, _xml

Params = dict[str, Any]
Instance = tuple[str, str]  # account, Region
STACK_SETS = AccountRegionScopedDict()  # name -> stack set

_OF_THE_STACK = re.compile(r"(TemplateBody|TemplateURL|Parameters\..*|Capabilities\..*|Tags\..*)$")


class Refused(Exception):
    """A request that CloudFormation refuses."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def reset() -> None:
    STACK_SETS.clear()


def _create(params: Params) -> Any:
    name = _p(params, "StackSetName")
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise Refused(
            "ValidationError",
            f"Value '{name}' at 'stackSetName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*",
        )
    if name in STACK_SETS:
        raise Refused("NameAlreadyExistsException", f"StackSet {name} already exists")
    stack_set = {"name": name, "id": f"{name}:{uuid.uuid4()}", "instances": {}, "operations": {}}
    STACK_SETS[name] = {
        **stack_set,
        "params": _stack_params(params),
        "model": _p(params, "PermissionModel") or "SELF_MANAGED",
    }
    return _result("CreateStackSet", f"<StackSetId>{stack_set['id']}</StackSetId>")


def _update(params: Params) -> Any:
    stack_set = _find(params)
    given = _stack_params(params)
    if _p(params, "UsePreviousTemplate").lower() == "true":
        given |= {key: value for key, value in stack_set["params"].items() if key.startswith("Template")}
    stack_set["params"] = given
    for instance, details in stack_set["instances"].items():
        _change(handlers._update_stack, stack_set, instance, details)
    return _result("UpdateStackSet", _operation(stack_set, "UPDATE", list(stack_set["instances"])))


def _delete(params: Params) -> Any:
    stack_set = _find(params)
    if _live(stack_set):
        raise Refused("StackSetNotEmptyException", f"StackSet {stack_set['name']} is not empty")
    STACK_SETS.pop(stack_set["name"])
    return _result("DeleteStackSet", "")


def _create_instances(params: Params) -> Any:
    stack_set, wanted = _find(params), list(_targets(params))
    for instance in wanted:
        details = {
            "stack": f"StackSet-{stack_set['name']}-{uuid.uuid4()}",
            "overrides": _extract_members(params, "ParameterOverrides"),
        }
        stack_set["instances"][instance] = details
        _change(handlers._create_stack, stack_set, instance, details)
    return _result("CreateStackInstances", _operation(stack_set, "CREATE", wanted))


def _delete_instances(params: Params) -> Any:
    stack_set = _find(params)
    wanted = [instance for instance in _targets(params) if instance in stack_set["instances"]]
    for instance in wanted:
        details = stack_set["instances"][instance]
        details["deleting"] = True
        if _p(params, "RetainStacks").lower() != "true":
            _change(handlers._delete_stack, stack_set, instance, details)
    return _result("DeleteStackInstances", _operation(stack_set, "DELETE", wanted))


def _change(
    handler: Callable[[Params], Any], stack_set: dict[str, Any], instance: Instance, details: dict[str, Any]
) -> None:
    """Runs one of CloudFormation's own operations in the instance's account; its error is the instance's."""
    params = {**stack_set["params"], "StackName": [details["stack"]]}
    keys = [parameter["Key"] for parameter in _extract_members(params, "Parameters")]
    for override in details["overrides"]:
        if override["Key"] not in keys:
            keys.append(override["Key"])
        at = keys.index(override["Key"]) + 1
        params[f"Parameters.member.{at}.ParameterKey"] = [override["Key"]]
        params[f"Parameters.member.{at}.ParameterValue"] = [override["Value"]]
    with request_scope(*instance):
        status, _, body = handler(params)
    message = re.search(rb"<Message>(.*?)</Message>", body, re.DOTALL)
    text = message.group(1).decode() if message else ""
    details["error"] = text if status != 200 and "No updates are to be performed" not in text else ""


def _list_instances(params: Params) -> Any:
    stack_set = _find(params)
    account, region = _p(params, "StackInstanceAccount"), _p(params, "StackInstanceRegion")
    shown = "".join(
        f"<member><StackSetId>{stack_set['id']}</StackSetId><Account>{instance[0]}</Account><Region>{instance[1]}</Region>"
        f"<StackId>{escape(_stack(instance, details).get('StackId', ''))}</StackId><Status>{_status(instance, details)}</Status>"
        f"<StatusReason>{escape(details['error'] or _stack(instance, details).get('StackStatusReason', ''))}</StatusReason>"
        f"<StackInstanceStatus><DetailedStatus>{_detailed(instance, details)}</DetailedStatus></StackInstanceStatus></member>"
        for instance, details in _live(stack_set).items()
        if account in ("", instance[0]) and region in ("", instance[1])
    )
    return _result("ListStackInstances", f"<Summaries>{shown}</Summaries>")


def _describe(params: Params) -> Any:
    stack_set = _find(params)
    parameters = "".join(
        f"<member><ParameterKey>{escape(one['Key'])}</ParameterKey><ParameterValue>{escape(one['Value'])}</ParameterValue></member>"
        for one in _extract_members(stack_set["params"], "Parameters")
    )
    return _result(
        "DescribeStackSet",
        f"<StackSet><StackSetName>{stack_set['name']}</StackSetName><StackSetId>{stack_set['id']}</StackSetId>"
        f"<Status>ACTIVE</Status><PermissionModel>{stack_set['model']}</PermissionModel>"
        f"<TemplateBody>{escape(_p(stack_set['params'], 'TemplateBody'))}</TemplateBody><Parameters>{parameters}</Parameters>"
        f"<StackSetARN>{_arn(stack_set)}</StackSetARN></StackSet>",
    )


def _describe_operation(params: Params) -> Any:
    stack_set = _find(params)
    operation = stack_set["operations"].get(_p(params, "OperationId"))
    if operation is None:
        raise Refused("OperationNotFoundException", f"Operation {_p(params, 'OperationId')} not found")
    return _result(
        "DescribeStackSetOperation",
        f"<StackSetOperation><OperationId>{_p(params, 'OperationId')}</OperationId><StackSetId>{stack_set['id']}</StackSetId>"
        f"<Action>{operation['action']}</Action><Status>{_operation_status(stack_set, operation)}</Status></StackSetOperation>",
    )


def _operation_status(stack_set: dict[str, Any], operation: dict[str, Any]) -> str:
    states = {_detailed(instance, stack_set["instances"].get(instance)) for instance in operation["instances"]}
    return "RUNNING" if "RUNNING" in states else "FAILED" if "FAILED" in states else "SUCCEEDED"


def _list_operations(params: Params) -> Any:
    stack_set = _find(params)
    shown = "".join(
        f"<member><OperationId>{operation_id}</OperationId><Action>{operation['action']}</Action>"
        f"<Status>{_operation_status(stack_set, operation)}</Status>"
        f"<CreationTimestamp>{operation['created']}</CreationTimestamp></member>"
        for operation_id, operation in stack_set["operations"].items()
    )
    return _result("ListStackSetOperations", f"<Summaries>{shown}</Summaries>")


def _list_operation_results(params: Params) -> Any:
    stack_set = _find(params)
    operation = stack_set["operations"].get(_p(params, "OperationId"))
    if operation is None:
        raise Refused("OperationNotFoundException", f"Operation {_p(params, 'OperationId')} not found")
    shown = ""
    for instance in operation["instances"]:
        details = stack_set["instances"].get(instance)
        reason = (details or {}).get("error") or _stack(instance, details or {"stack": ""}).get("StackStatusReason", "")
        shown += (
            f"<member><Account>{instance[0]}</Account><Region>{instance[1]}</Region>"
            f"<Status>{_detailed(instance, details)}</Status><StatusReason>{escape(reason)}</StatusReason></member>"
        )
    return _result("ListStackSetOperationResults", f"<Summaries>{shown}</Summaries>")


def _operation(stack_set: dict[str, Any], action: str, instances: list[Instance]) -> str:
    operation_id = str(uuid.uuid4())
    stack_set["operations"][operation_id] = {"action": action, "instances": instances, "created": now_iso()}
    return f"<OperationId>{operation_id}</OperationId>"


def _live(stack_set: dict[str, Any]) -> dict[Instance, dict[str, Any]]:
    """The instances without those whose deletion is complete."""
    for instance, details in list(stack_set["instances"].items()):
        gone = _stack(instance, details).get("StackStatus", "DELETE_COMPLETE") == "DELETE_COMPLETE"
        if details.get("deleting") and gone:
            del stack_set["instances"][instance]
    return stack_set["instances"]


def _detailed(instance: Instance, details: dict[str, Any] | None) -> str:
    if details is None:
        return "SUCCEEDED"
    if details["error"]:
        return "FAILED"
    status = _stack(instance, details).get("StackStatus", "DELETE_COMPLETE")
    if status.endswith("_IN_PROGRESS"):
        return "RUNNING"
    return "SUCCEEDED" if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE") else "FAILED"


def _status(instance: Instance, details: dict[str, Any]) -> str:
    return "CURRENT" if _detailed(instance, details) == "SUCCEEDED" else "OUTDATED"


def _stack(instance: Instance, details: dict[str, Any]) -> dict[str, Any]:
    return cloudformation._stacks.get_scoped(*instance, details["stack"]) or {}


def _targets(params: Params) -> Iterator[Instance]:
    accounts = _extract_string_members(params, "Accounts") or _extract_string_members(
        params, "DeploymentTargets.Accounts"
    )
    regions = _extract_string_members(params, "Regions")
    if not accounts or not regions:
        raise Refused("ValidationError", "Accounts (or DeploymentTargets.Accounts) and Regions are required")
    for account in accounts:
        for region in regions:
            yield account, region


def _stack_params(params: Params) -> Params:
    return {key: value for key, value in params.items() if _OF_THE_STACK.match(key)}


def _find(params: Params) -> dict[str, Any]:
    name = _p(params, "StackSetName").partition(":")[0]
    if name not in STACK_SETS:
        raise Refused("StackSetNotFoundException", f"StackSet {name} not found")
    return STACK_SETS[name]


def _arn(stack_set: dict[str, Any]) -> str:
    return f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stackset/{stack_set['id']}"


def resource_arn(params: Params) -> str | None:
    """The ARN that IAM evaluates a stack set's operation on."""
    name = _p(params, "StackSetName")
    return f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stackset/{name}:*" if name else None


def _result(action: str, inner: str) -> Any:
    return _xml(200, f"{action}Response", f"<{action}Result>{inner}</{action}Result>")


def _answering(operation: Callable[[Params], Any]) -> Callable[[Params], Any]:
    def answer(params: Params) -> Any:
        try:
            return operation(params)
        except Refused as refused:
            return _error(refused.code, str(refused))

    return answer


OPERATIONS = {
    name: _answering(operation)
    for name, operation in {
        "CreateStackSet": _create,
        "UpdateStackSet": _update,
        "DeleteStackSet": _delete,
        "CreateStackInstances": _create_instances,
        "DeleteStackInstances": _delete_instances,
        "ListStackInstances": _list_instances,
        "ListStackSetOperations": _list_operations,
        "ListStackSetOperationResults": _list_operation_results,
        "DescribeStackSet": _describe,
        "DescribeStackSetOperation": _describe_operation,
    }.items()
}
