"""CodeDeploy's look-ups, protocol JSON 1.1, on deployments that a test registers.

<https://docs.aws.amazon.com/codedeploy/latest/APIReference/Welcome.html>
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from . import protocol
from .protocol import Response, ServiceError

TARGET_PREFIX = "CodeDeploy_20141006"
DEPLOYMENTS = AccountRegionScopedDict()  # id -> {"deploymentInfo", "targets"}


async def handle_request(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> Response:
    operations: dict[str, protocol.Operation] = {
        "GetDeployment": lambda request: {"deploymentInfo": _deployment(request)["deploymentInfo"]},
        "BatchGetDeploymentTargets": _batch_targets,
        "ListDeploymentTargets": _list_targets,
    }
    return protocol.answer(operations, headers, body)


def register(deployment: dict[str, Any]) -> None:
    """Keeps `{"deploymentInfo": {...GetDeployment...}, "targets": [{...BatchGetDeploymentTargets...}]}`."""
    DEPLOYMENTS[deployment["deploymentInfo"]["deploymentId"]] = {"targets": [], **deployment}


def resource_arn(body: bytes) -> str:
    """The deployment group: that is the resource that IAM evaluates these operations on."""
    try:
        found = DEPLOYMENTS.get(protocol.parse(body).get("deploymentId"))
    except (ServiceError, AttributeError):
        found = None
    info = found["deploymentInfo"] if found else {}
    group = f"{info.get('applicationName', '*')}/{info.get('deploymentGroupName', '*')}"
    return f"arn:aws:codedeploy:{get_region()}:{get_account_id()}:deploymentgroup:{group}"


def reset() -> None:
    DEPLOYMENTS.clear()


def get_state() -> dict[str, Any]:
    return {}


def _deployment(request: dict[str, Any]) -> dict[str, Any]:
    wanted = request.get("deploymentId")
    if not wanted:
        raise ServiceError("DeploymentIdRequiredException", "A deployment ID was not specified")
    if wanted not in DEPLOYMENTS:
        raise ServiceError("DeploymentDoesNotExistException", f"The deployment {wanted} could not be found")
    return DEPLOYMENTS[wanted]


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
