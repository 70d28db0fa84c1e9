"""CloudFormation resource types that ministack lacks, tags that it drops, and conditions on pseudo parameters.

<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html>
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, iam, s3

from . import policies, principals
from .codepipeline import pipelines, tags
from .codepipeline.executions import EXECUTIONS
from .protocol import ServiceError

Attributes = tuple[str, dict[str, str]]

# ------------------------------------------------------------------ pseudo parameters in conditions


def wrap_evaluate_conditions(original: Callable[..., dict[str, bool]]) -> Callable[..., dict[str, bool]]:
    """ministack takes the name of a pseudo parameter for its value."""

    def evaluate(template: dict[str, Any], params: dict[str, Any]) -> dict[str, bool]:
        own = {"AWS::Region": {"Value": get_region()}, "AWS::AccountId": {"Value": get_account_id()}}
        return original(template, {**params, **own})

    return evaluate


# ------------------------------------------------------------------ AWS::CodePipeline::Pipeline


def create_pipeline(logical_id: str, properties: dict[str, Any], stack_name: str) -> Attributes:
    name = properties.get("Name") or f"{stack_name}-{logical_id}"[:100]
    if name in pipelines.PIPELINES:
        raise ValueError(f"A pipeline with the name '{name}' already exists")
    return _put(name, properties)


def update_pipeline(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Attributes:
    # Tags that others put on the pipeline stay.
    found, mine = pipelines.PIPELINES.get(physical_id), tags.by_key(old.get("Tags"))
    foreign = {key: value for key, value in (found["tags"] if found else {}).items() if key not in mine}
    return _put(new.get("Name") or physical_id, new, foreign)


def delete_pipeline(physical_id: str, _properties: dict[str, Any]) -> None:
    pipelines.PIPELINES.pop(physical_id, None)
    EXECUTIONS.pop(physical_id, None)


def _put(name: str, properties: dict[str, Any], foreign_tags: dict[str, str] | None = None) -> Attributes:
    not_structure = ("Tags", "RestartExecutionOnUpdate", "DisableInboundStageTransitions")
    pipeline = _api_casing({member: value for member, value in properties.items() if member not in not_structure})
    pipeline["name"] = name
    if stores := pipeline.get("artifactStores"):
        pipeline["artifactStores"] = {store["region"]: store["artifactStore"] for store in stores}
    try:
        stored = pipelines.put(pipeline, {**(foreign_tags or {}), **tags.by_key(properties.get("Tags"))})
    except ServiceError as error:
        raise ValueError(f"{error.message} (Service: CodePipeline, Status Code: 400, {error.code})") from error
    return name, {"Version": str(stored["version"])}


def _api_casing(value: Any) -> Any:
    """CloudFormation's member names as the API's; a configuration's own keys are the provider's."""
    if isinstance(value, list):
        return [_api_casing(one) for one in value]
    if isinstance(value, dict):
        return {
            member[0].lower() + member[1:]: _typed(member, _texts(one) if member == "Configuration" else _api_casing(one))
            for member, one in value.items()
        }
    return value


def _texts(configuration: Any) -> Any:
    """CloudFormation makes text of an action's configuration, whose values are text in the API."""
    if not isinstance(configuration, dict):
        return configuration
    return {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in configuration.items()
    }


def _typed(member: str, value: Any) -> Any:
    return int(value) if member in ("RunOrder", "TimeoutInMinutes") and value is not None else value


# ------------------------------------------------------------------ AWS::IAM::RolePolicy


def create_role_policy(_logical_id: str, properties: dict[str, Any], _stack_name: str) -> Attributes:
    role_name, name = properties["RoleName"], properties["PolicyName"]
    role = iam._roles.get(role_name)
    if role is None:
        raise ValueError(f"The role with name {role_name} cannot be found. (Service: Iam, Status Code: 404)")
    document = json.dumps(properties["PolicyDocument"])
    if message := policies.inline_policy_error(role_name, name, document):
        raise ValueError(f"{message} (Service: Iam, Status Code: 409)")
    role["InlinePolicies"][name] = document
    return f"{name}|{role_name}", {}


def update_role_policy(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Attributes:
    # A changed name or role is a new physical id, so CloudFormation deletes the old policy afterwards.
    return create_role_policy(physical_id, new, stack_name)


def delete_role_policy(physical_id: str, _properties: dict[str, Any]) -> None:
    name, _, role_name = physical_id.partition("|")
    if role := iam._roles.get(role_name):
        role["InlinePolicies"].pop(name, None)


# ------------------------------------------------------------------ AWS::Events::EventBusPolicy


def create_bus_policy(_logical_id: str, properties: dict[str, Any], _stack_name: str) -> Attributes:
    bus, statement_id = properties.get("EventBusName") or "default", properties["StatementId"]
    statement = _document(properties["Statement"])
    own = f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{bus}"
    if statement.get("Resource") != own:
        raise ValueError(f"The policy's resource is not {own} (Service: EventBridge, Status Code: 400)")
    eventbridge._ensure_default_bus()
    if bus not in eventbridge._event_buses:
        raise ValueError(f"Event bus {bus} does not exist. (Service: EventBridge, Status Code: 400)")
    _bus_statements(bus).append({**statement, "Sid": statement_id})
    return f"{bus}|{statement_id}", {}


def update_bus_policy(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Attributes:
    delete_bus_policy(physical_id, old)
    return create_bus_policy(physical_id, new, stack_name)


def delete_bus_policy(physical_id: str, _properties: dict[str, Any]) -> None:
    bus, _, statement_id = physical_id.partition("|")
    kept = [one for one in _bus_statements(bus) if one["Sid"] != statement_id]
    _bus_statements(bus)[:] = kept
    if not kept:
        eventbridge._event_bus_policies.pop(bus, None)


def _bus_statements(bus: str) -> list[dict[str, Any]]:
    policy = eventbridge._event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})
    return policy["Statement"]


# ------------------------------------------------------------------ tags of AWS::S3::Bucket


def with_bucket_tags(handler: Callable[..., Attributes], properties_at: int) -> Callable[..., Attributes]:
    """ministack provisions buckets without their tags."""

    def provision(*args: Any) -> Attributes:
        name, attributes = handler(*args)
        s3._bucket_tags[name] = tags.by_key(args[properties_at].get("Tags"))
        return name, attributes

    return provision


# ------------------------------------------------------------------ policies of roles, buckets and keys


def checked(
    handler: Callable[..., Attributes], properties_at: int, check: Callable[[dict[str, Any]], Any]
) -> Callable[..., Attributes]:
    """A policy that its service would refuse fails the resource; ministack's provisioning stores any."""

    def provision(*args: Any) -> Attributes:
        if refusal := check(args[properties_at]):
            code, message = refusal
            raise ValueError(f"{message} (Status Code: 400; Error Code: {code})")
        return handler(*args)

    return provision


def role_error(properties: dict[str, Any]) -> policies.Refusal | None:
    return policies.trust_policy_error(properties.get("AssumeRolePolicyDocument") or {})


def bucket_policy_error(properties: dict[str, Any]) -> policies.Refusal | None:
    name, document = properties.get("Bucket", ""), _document(properties.get("PolicyDocument"))
    return policies.bucket_policy_error(name, document) or policies.public_policy_error(name, document)


def key_error(properties: dict[str, Any]) -> policies.Refusal | None:
    given = properties.get("KeyPolicy")
    return None if given is None else policies.key_policy_error(_document(given))


def _document(given: Any) -> Any:
    return json.loads(given) if isinstance(given, str) else given


POLICY_CHECKS = {
    "AWS::IAM::Role": role_error,
    "AWS::S3::BucketPolicy": bucket_policy_error,
    "AWS::KMS::Key": key_error,
}

# ------------------------------------------------------------------ roles that a stack creates and deletes


def refusing_existing(handler: Callable[..., Attributes]) -> Callable[..., Attributes]:
    """A stack does not take over a role that somebody has made; ministack overwrites it."""

    def create(logical_id: str, properties: dict[str, Any], stack_name: str) -> Attributes:
        name = properties.get("RoleName")
        if name in iam._roles:
            raise ValueError(f"Resource of type 'AWS::IAM::Role' with identifier '{name}' already exists.")
        return handler(logical_id, properties, stack_name)

    return create


def forgetting(handler: Callable[..., None]) -> Callable[..., None]:
    """A role that goes with its stack leaves its unique id in policies, as one deleted by hand does."""

    def delete(physical_id: str, properties: dict[str, Any]) -> None:
        role = iam._roles.get(physical_id)
        handler(physical_id, properties)
        if role is not None and iam._roles.get(physical_id) is None:
            principals.forget_role(role)

    return delete


HANDLERS: dict[str, dict[str, Callable[..., Any]]] = {
    "AWS::CodePipeline::Pipeline": {"create": create_pipeline, "update": update_pipeline, "delete": delete_pipeline},
    "AWS::Events::EventBusPolicy": {
        "create": create_bus_policy,
        "update": update_bus_policy,
        "delete": delete_bus_policy,
    },
    "AWS::IAM::RolePolicy": {"create": create_role_policy, "update": update_role_policy, "delete": delete_role_policy},
}
TAG_PROPERTIES = {"AWS::CodePipeline::Pipeline": ("Tags", "list"), "AWS::S3::Bucket": ("Tags", "list")}
