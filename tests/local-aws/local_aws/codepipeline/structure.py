"""The structure of a pipeline: what CreatePipeline and UpdatePipeline refuse, in AWS's words where known.

<https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-requirements.html>
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import get_account_id, get_region

from .. import evaluation
from ..evaluation import Role
from ..protocol import ServiceError

SERVICE = "codepipeline.amazonaws.com"
_NAME = re.compile(r"[A-Za-z0-9.@\-_]{1,100}")
_ARTIFACT = re.compile(r"[a-zA-Z0-9_\-]{1,100}")
_ROLE = re.compile(r"arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*")
_CATEGORIES = ("Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute")
_OWNERS = ("AWS", "ThirdParty", "Custom")


def actions(pipeline: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each action with its stage, in order."""
    for stage in pipeline["stages"]:
        for action in stage["actions"]:
            yield stage, action


def normalised(pipeline: dict[str, Any]) -> dict[str, Any]:
    """The pipeline as GetPipeline answers it: defaults filled in, everything else as it was sent."""
    filled = dict(pipeline)
    filled["stages"] = [
        {**stage, "actions": [_with_defaults(action) for action in stage["actions"]]} for stage in pipeline["stages"]
    ]
    return filled


def _with_defaults(action: dict[str, Any]) -> dict[str, Any]:
    defaults = {"runOrder": 1, "configuration": {}, "outputArtifacts": [], "inputArtifacts": []}
    return {**action, **{member: value for member, value in defaults.items() if action.get(member) is None}}


def check(pipeline: Any) -> None:
    """Refuses what is wrong in the structure itself."""
    _check_shape(pipeline)
    _check_stages(pipeline["stages"])
    _check_stores(pipeline)
    _check_artifacts(pipeline)


def check_roles(pipeline: dict[str, Any]) -> None:
    """Refuses roles that CodePipeline, and then the service role, may not assume."""
    service_role = Role(pipeline["roleArn"])
    if not evaluation.service_may_assume(SERVICE, service_role):
        raise _invalid(f"CodePipeline is not authorized to perform AssumeRole on role {service_role.arn}")
    for _, action in actions(pipeline):
        arn = action.get("roleArn")
        if arn and arn != service_role.arn and not evaluation.may_assume(service_role, "codepipeline", Role(arn)):
            raise _invalid(f"{service_role.arn} is not authorized to perform AssumeRole on role {arn}")


def _check_shape(pipeline: Any) -> None:
    if not isinstance(pipeline, dict):
        raise _validation("pipeline", pipeline, "Member must not be null")
    _match(_NAME, "pipeline.name", pipeline.get("name"), r"[A-Za-z0-9.@\-_]+")
    _match(_ROLE, "pipeline.roleArn", pipeline.get("roleArn"), r"arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*")
    if not isinstance(pipeline.get("stages"), list):
        raise _validation("pipeline.stages", None, "Member must not be null")
    for stage_at, stage in enumerate(pipeline["stages"], 1):
        at = f"pipeline.stages.{stage_at}.member"
        _match(_NAME, f"{at}.name", stage.get("name"), r"[A-Za-z0-9.@\-_]+")
        if not isinstance(stage.get("actions"), list):
            raise _validation(f"{at}.actions", None, "Member must not be null")
        for action_at, action in enumerate(stage["actions"], 1):
            _check_action(f"{at}.actions.{action_at}.member", action)


def _check_action(at: str, action: dict[str, Any]) -> None:
    _match(_NAME, f"{at}.name", action.get("name"), r"[A-Za-z0-9.@\-_]+")
    if action.get("roleArn") is not None:
        _match(_ROLE, f"{at}.roleArn", action["roleArn"], r"arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*")
    kind = action.get("actionTypeId")
    if not isinstance(kind, dict):
        raise _validation(f"{at}.actionTypeId", None, "Member must not be null")
    for member, allowed in (("category", _CATEGORIES), ("owner", _OWNERS)):
        if kind.get(member) not in allowed:
            raise _validation(
                f"{at}.actionTypeId.{member}",
                kind.get(member),
                f"Member must satisfy enum value set: [{', '.join(allowed)}]",
            )
    order = action.get("runOrder")
    if order is not None and (not isinstance(order, int) or not 1 <= order <= 999):
        raise _validation(f"{at}.runOrder", order, "Member must have value between 1 and 999")
    for member in ("inputArtifacts", "outputArtifacts"):
        for artifact in action.get(member) or []:
            _match(_ARTIFACT, f"{at}.{member}.name", artifact.get("name"), r"[a-zA-Z0-9_\-]+")


def _check_stages(stages: list[dict[str, Any]]) -> None:
    if len(stages) < 2:
        raise _invalid(f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline")
    _unique(
        [stage["name"] for stage in stages],
        "Stage names must be unique within a pipeline. Found duplicate stage name {}",
    )
    for at, stage in enumerate(stages):
        if not stage["actions"]:
            raise _invalid(f"Stage {stage['name']} has no actions. There should be a minimum of 1 action in a stage")
        _unique(
            [action["name"] for action in stage["actions"]],
            f"Action names must be unique within a stage. Stage {stage['name']} has more than one action named {{}}",
        )
        sources = [action for action in stage["actions"] if action["actionTypeId"]["category"] == "Source"]
        if at == 0 and len(sources) != len(stage["actions"]):
            raise _invalid("Pipeline should start with a stage that only contains source actions")
        if at > 0 and sources:
            raise _invalid(
                f"Source action {sources[0]['name']} in stage {stage['name']}: "
                "only the first stage can contain source actions"
            )


def _check_stores(pipeline: dict[str, Any]) -> None:
    regions = {action.get("region") or get_region() for _, action in actions(pipeline)}
    one, several = pipeline.get("artifactStore"), pipeline.get("artifactStores")
    if bool(one) == bool(several):
        raise _invalid("Pipeline must contain exactly one of artifactStore and artifactStores")
    if one and regions != {get_region()}:
        raise _invalid(
            "Your pipeline contains actions in more than one region. Use 'pipeline.artifactStores' to specify "
            "an artifact store for each region"
        )
    for region in sorted((regions | {get_region()}) - set(several or {})) if several else []:
        raise _invalid(
            f"No artifact store is specified for region {region}. "
            "'pipeline.artifactStores' must include an artifact store for each region with an action"
        )


def _check_artifacts(pipeline: dict[str, Any]) -> None:
    produced: set[str] = set()
    for stage in pipeline["stages"]:
        orders = sorted({action.get("runOrder") or 1 for action in stage["actions"]})
        for order in orders:
            batch = [action for action in stage["actions"] if (action.get("runOrder") or 1) == order]
            for action in batch:
                for artifact in action.get("inputArtifacts") or []:
                    if artifact["name"] not in produced:
                        raise _invalid(
                            f"Input Artifact Bundle {artifact['name']} in action {action['name']} is not declared as "
                            "Output Artifact Bundle in any of the preceding actions"
                        )
            for action in batch:
                for artifact in action.get("outputArtifacts") or []:
                    if artifact["name"] in produced:
                        raise _invalid(
                            "UniqueOutputArtifactNames: Output Artifact Bundle name must be unique within the "
                            f"pipeline. {artifact['name']} has been used more than once"
                        )
                    produced.add(artifact["name"])


def _unique(names: list[str], message: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise _invalid(message.format(name))


def _match(pattern: re.Pattern[str], member: str, value: Any, published: str) -> None:
    if value is None:
        raise _validation(member, None, "Member must not be null")
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _validation(member, value, f"Member must satisfy regular expression pattern: {published}")


def _validation(member: str, value: Any, constraint: str) -> ServiceError:
    shown = "null" if value is None else f"'{value}'"
    return ServiceError(
        "ValidationException",
        f"1 validation error detected: Value {shown} at '{member}' failed to satisfy constraint: {constraint}",
    )


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidStructureException", message)


def pipeline_arn(name: str) -> str:
    return f"arn:aws:codepipeline:{get_region()}:{get_account_id()}:{name}"
