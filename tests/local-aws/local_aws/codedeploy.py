"""CodeDeploy's look-ups, protocol JSON 1.1, on deployments and deployment groups that a test registers.

<https://docs.aws.amazon.com/codedeploy/latest/APIReference/Welcome.html>
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from . import protocol
from .protocol import Response, ServiceError

TARGET_PREFIX = "CodeDeploy_20141006"
DEPLOYMENTS = AccountRegionScopedDict()  # id -> {"deploymentInfo", "targets"}
GROUPS = AccountRegionScopedDict()  # application/group -> deploymentGroupInfo


async def handle_request(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> Response:
    operations: dict[str, protocol.Operation] = {
        "GetDeployment": lambda request: {"deploymentInfo": _deployment(request)["deploymentInfo"]},
        "GetDeploymentGroup": lambda request: {"deploymentGroupInfo": _group(request)},
        "BatchGetDeploymentTargets": _batch_targets,
        "ListDeploymentTargets": _list_targets,
    }
    return protocol.answer(operations, headers, body)


def register(deployment: dict[str, Any]) -> None:
    """Keeps `{"deploymentInfo": {...GetDeployment...}, "targets": [{...BatchGetDeploymentTargets...}]}`."""
    DEPLOYMENTS[deployment["deploymentInfo"]["deploymentId"]] = {"targets": [], **deployment}


def register_group(info: dict[str, Any]) -> None:
    """Keeps `{...GetDeploymentGroup's deploymentGroupInfo...}`."""
    GROUPS[f"{info['applicationName']}/{info['deploymentGroupName']}"] = info


# IAM knows no resource for these.
_ON_NO_RESOURCE = {"BatchGetDeploymentTargets", "ListDeploymentTargets"}


def resource_arn(headers: Any, body: bytes) -> str:
    """The deployment group, where IAM evaluates an operation on one."""
    if str(headers.get("x-amz-target", "")).rpartition(".")[2] in _ON_NO_RESOURCE:
        return "*"
    try:
        request = protocol.parse(body)
        found = DEPLOYMENTS.get(request.get("deploymentId"))
    except (ServiceError, AttributeError):
        request, found = {}, None
    info = found["deploymentInfo"] if found else request
    group = f"{info.get('applicationName', '*')}/{info.get('deploymentGroupName', '*')}"
    return f"arn:aws:codedeploy:{get_region()}:{get_account_id()}:deploymentgroup:{group}"


def reset() -> None:
    DEPLOYMENTS.clear()
    GROUPS.clear()


def get_state() -> dict[str, Any]:
    return {}


def _deployment(request: dict[str, Any]) -> dict[str, Any]:
    wanted = request.get("deploymentId")
    if not wanted:
        raise ServiceError("DeploymentIdRequiredException", "A deployment ID was not specified")
    if wanted not in DEPLOYMENTS:
        raise ServiceError("DeploymentDoesNotExistException", f"The deployment {wanted} could not be found")
    return DEPLOYMENTS[wanted]


def _group(request: dict[str, Any]) -> dict[str, Any]:
    name = f"{request.get('applicationName')}/{request.get('deploymentGroupName')}"
    if name not in GROUPS:
        raise ServiceError(
            "DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name.rpartition('/')[2]}"
        )
    return GROUPS[name]


def _target_id(target: dict[str, Any]) -> str:
    return next(value["targetId"] for member, value in target.items() if member.endswith("Target"))


def _status(target: dict[str, Any]) -> str:
    return next(value.get("status", "") for member, value in target.items() if member.endswith("Target"))


def _batch_targets(request: dict[str, Any]) -> dict[str, Any]:
    found, wanted = _deployment(request), request.get("targetIds") or []
    if not wanted:
        raise ServiceError("DeploymentTargetIdRequiredException", "A deployment target ID was not provided")
    return {"deploymentTargets": [target for target in found["targets"] if _target_id(target) in wanted]}


def _list_targets(request: dict[str, Any]) -> dict[str, Any]:
    found, statuses = _deployment(request), (request.get("targetFilters") or {}).get("TargetStatus")
    ids = [_target_id(target) for target in found["targets"] if not statuses or _status(target) in statuses]
    members, more = protocol.page(ids, request, 100)
    return {"targetIds": members, **more}
