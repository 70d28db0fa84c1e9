"""Build and deploy providers, where ministack takes something for another or none: the resource that IAM evaluates a
request on, and the key of a build project.

<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region

from . import protocol
from .protocol import ServiceError

SERVICES = {"codebuild", "ecs"}


def resource_arn(service: str, headers: Any, body: bytes, region: str, account: str) -> str | None:
    """The ARN, or None where ministack has it right."""
    operation = str(headers.get("x-amz-target", "")).rpartition(".")[2]
    try:
        request = protocol.parse(body)
    except ServiceError:
        return None
    first = _first(request, _NAMED.get((service, operation), ""))
    if first is None:
        return "*" if (service, operation) in _ON_NO_RESOURCE else None
    prefix = f"arn:aws:{service}:{region}:{account}"
    if service == "codebuild":
        # A build's id begins with its project.
        return f"{prefix}:project/{first.partition(':')[0]}"
    kind = "service" if operation == "DescribeServices" else "task"
    return first if first.startswith("arn:") else f"{prefix}:{kind}/{request.get('cluster', 'default')}/{first}"


# The member that names what an operation is on.
_NAMED = {
    ("codebuild", "BatchGetProjects"): "names",
    ("codebuild", "BatchGetBuilds"): "ids",
    ("codebuild", "UpdateProject"): "name",
    ("ecs", "DescribeServices"): "services",
    ("ecs", "DescribeTasks"): "tasks",
}
# ListTasks where it is asked for a service's tasks.
_ON_NO_RESOURCE = {("ecs", "ListTasks"), ("ecs", "DescribeTaskDefinition")}


def _first(request: Any, member: str) -> str | None:
    named = request.get(member) if isinstance(request, dict) else None
    named = [named] if isinstance(named, str) else named
    return named[0] if isinstance(named, list) and named and isinstance(named[0], str) else None


def wrap_create_project(original: Callable[..., Any]) -> Callable[..., Any]:
    """A project that is given no key encrypts under the AWS managed key of S3.

    <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html>
    """

    def create_project(data: dict[str, Any]) -> Any:
        return original({"encryptionKey": f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3", **data})

    return create_project
