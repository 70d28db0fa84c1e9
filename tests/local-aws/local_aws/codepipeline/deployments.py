"""What CodePipeline asks of CodeDeploy, and what CodeDeploy's agent then does on instances: fetch the revision.

The agent works as the instance's own role, not as the action's. What it can't download fails the deployment in
DownloadBundle; the pipeline hears no more than that the deployment failed.
<https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-deployments.html>
"""

from __future__ import annotations

import secrets
import string
import time
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_region, request_scope

from .. import codedeploy, evaluation
from ..evaluation import Role
from .failures import Failure

INSTANCES = AccountRegionScopedDict()  # (application, deployment group) -> {"role", "instances"}

_OF_GROUP = ("CreateDeployment", "GetDeployment")
_OF_APPLICATION = ("GetApplicationRevision", "RegisterApplicationRevision")


def lacks_permission(action: dict[str, Any], role: Role) -> Failure | None:
    """The action's role, on the resources that IAM knows these operations by."""
    application, group = _names(action)
    region = action.get("region") or get_region()
    prefix = f"arn:aws:codedeploy:{region}:{role.account}"
    needs = [(name, f"{prefix}:deploymentgroup:{application}/{group}") for name in _OF_GROUP]
    needs += [(name, f"{prefix}:application:{application}") for name in _OF_APPLICATION]
    needs += [("GetDeploymentConfig", f"{prefix}:deploymentconfig:CodeDeployDefault.OneAtATime")]
    if all(evaluation.may(role, "codepipeline", f"codedeploy:{name}", resource).allowed for name, resource in needs):
        return None
    # CodePipeline says no more than that.
    return Failure("PermissionError", "The provided role does not have sufficient permissions to access CodeDeploy")


def deploy(action: dict[str, Any], role: Role, bucket: str, key: str | None, locations: list[str]) -> Failure | None:
    """Deploys to the instances that a test registered for the group, if it did."""
    application, group = _names(action)
    with request_scope(role.account, action.get("region") or get_region()):
        known = INSTANCES.get((application, group))
        if known is None:
            return None
        deployment = f"d-{''.join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))}"
        instance_role = Role(known["role"])
        denials = {instance: _download(instance_role, instance, bucket, key, locations) for instance in known["instances"]}
        failed = any(denials.values())
        codedeploy.register(
            {
                "deploymentInfo": {
                    "deploymentId": deployment,
                    "applicationName": application,
                    "deploymentGroupName": group,
                    "computePlatform": "Server",
                    "status": "Failed" if failed else "Succeeded",
                    **({"errorInformation": _HEALTH} if failed else {}),
                },
                "targets": [_target(deployment, instance, denial) for instance, denial in denials.items()],
            }
        )
    return Failure("JobFailed", f"Deployment {deployment} failed", deployment) if failed else None


_HEALTH = {
    "code": "HEALTH_CONSTRAINTS",
    "message": "The overall deployment failed because too many individual instances failed deployment, too few "
    "healthy instances are available for deployment, or some instances in your deployment group are "
    "experiencing problems.",
}


def _names(action: dict[str, Any]) -> tuple[str, str]:
    configuration = action.get("configuration") or {}
    return configuration.get("ApplicationName", ""), configuration.get("DeploymentGroupName", "")


def _download(role: Role, instance: str, bucket: str, key: str | None, locations: list[str]) -> str | None:
    """AWS's words for what is denied; none where the revision can be fetched."""
    for location in locations:
        needs = [("s3:GetObject", f"arn:aws:s3:::{bucket}/{location}"), *([("kms:Decrypt", key)] if key else [])]
        for need, resource in needs:
            verdict = evaluation.may(role, instance, need, resource)
            if not verdict.allowed:
                actor = role.session_arn(instance)
                return f"User: {actor} is not authorized to perform: {need} on resource: {resource} {verdict.reason}"
    return None


def _target(deployment: str, instance: str, denial: str | None) -> dict[str, Any]:
    now = time.time()
    names = ("ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart")
    failed_at = names.index("DownloadBundle") if denial else len(names)
    events: list[dict[str, Any]] = []
    for at, name in enumerate(names):
        status = "Succeeded" if at < failed_at else "Failed" if at == failed_at else "Skipped"
        event: dict[str, Any] = {"lifecycleEventName": name, "status": status, "startTime": now, "endTime": now}
        if status == "Failed":
            event["diagnostics"] = {"errorCode": "UnknownError", "scriptName": "", "message": denial, "logTail": ""}
        events.append(event)
    target = {
        "deploymentId": deployment,
        "targetId": instance,
        "targetArn": f"arn:aws:ec2:{get_region()}::instance/{instance}",
        "status": "Failed" if denial else "Succeeded",
        "lastUpdatedAt": now,
        "lifecycleEvents": events,
    }
    return {"deploymentTargetType": "InstanceTarget", "instanceTarget": target}
