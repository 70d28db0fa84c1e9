"""Every place where ministack is extended or replaced.

ministack offers no extension points, so private names are replaced. That is why its version is pinned
exactly; each name is checked when it is replaced, so that an upgrade fails at start and says where.
"""

from __future__ import annotations

import importlib.metadata
import types
from collections.abc import Callable
from typing import Any

from ministack import app as ministack_app
from ministack.core import iam_actions, iam_evaluator, router
from ministack.core.responses import get_account_id, get_region
from ministack.services import codebuild, eventbridge, iam, kms, lambda_svc, s3
from ministack.services.cloudformation import changesets, custom_resource, engine, handlers, provisioners, stacks

from . import (
    buckets,
    codedeploy,
    codepipeline,
    condition_keys,
    control,
    custom_resources,
    event_targets,
    keys,
    models,
    policies,
    principals,
    providers,
    resource_types,
    stack_sets,
)

MINISTACK = "1.5.33"


class HookMissing(RuntimeError):
    """ministack has no longer what a hook replaces."""


def install() -> None:
    """Installs everything; to be called once, before the server starts."""
    found = importlib.metadata.version("ministack")
    if found != MINISTACK:
        raise HookMissing(f"ministack {found} is installed, the hooks are written for {MINISTACK}")
    _add_service("codepipeline", codepipeline)
    _add_service("codedeploy", codedeploy)
    _wrap_requests()
    _wrap_cloudformation()
    _wrap_policies()


def _add_service(name: str, service: Any) -> None:
    """A service is known to the router, to IAM and to the registry that dispatches and resets."""
    module = types.ModuleType(f"ministack.services.{name}")
    for member in ("handle_request", "reset", "get_state"):
        setattr(module, member, getattr(service, member))
    _entry(ministack_app, "SERVICE_REGISTRY")[name] = {"module": name}
    _entry(ministack_app, "SERVICE_HANDLERS")[name] = service.handle_request
    _entry(ministack_app, "_loaded_modules")[name] = module
    _entry(router, "SERVICE_PATTERNS")[name] = {
        "target_prefixes": [service.TARGET_PREFIX],
        "host_patterns": [rf"{name}\."],
    }
    _entry(iam_actions, "SERVICE_TO_IAM_NAMESPACE")[name] = name


def _wrap_requests() -> None:
    # The ASGI application; the launcher serves `ministack.app.app`, read after this.
    _replace(ministack_app, "app", control.wrap_app)
    # Authorization and dispatch of one request to its service.
    _replace(ministack_app, "_dispatch_service_request", control.wrap_dispatch)
    # In front of that: what AWS's service models say of the request, and of the answer.
    _replace(ministack_app, "_dispatch_service_request", models.wrap_dispatch)
    # Whether the request came over TLS, for aws:SecureTransport.
    _replace(ministack_app, "pin_request_origin", condition_keys.wrap_pin_origin)
    # The resource that a request is evaluated on. app.py imports it within the function, so the module is enough.
    _replace(iam_actions, "extract_resource_arn", _wrap_extract_resource_arn)
    # The decision on a request, its combination with the resource's policy, and the answer to a denied one.
    _replace(iam_evaluator, "enforce", condition_keys.wrap_enforce)
    _replace(iam_evaluator, "combine_resource_policy", condition_keys.wrap_combine)
    _replace(iam_actions, "access_denied_response", condition_keys.wrap_access_denied)
    # The value of a condition key.
    _replace(iam_evaluator, "_resolve_condition_key", condition_keys.wrap_resolve)
    # Delivery of an event to one target of a rule, and its Lambda part.
    _replace(eventbridge, "_invoke_target", event_targets.wrap_invoke_target)
    _replace(eventbridge, "_dispatch_to_lambda", event_targets.wrap_dispatch_to_lambda)
    # The key of a project that is given none.
    _replace(codebuild, "_create_project", providers.wrap_create_project)
    # The end of a deleted function's processes.
    _replace(lambda_svc, "invalidate_worker", _wrap_invalidate_worker)


def _wrap_extract_resource_arn(original: Callable[..., str]) -> Callable[..., str]:
    def extract(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        if service == "codepipeline":
            return codepipeline.resource_arn(body)
        if service == "codedeploy":
            return codedeploy.resource_arn(headers, body)
        if service in providers.SERVICES and (arn := providers.resource_arn(service, headers, body, region, account)):
            return arn
        if service == "events" and (arn := event_targets.resource_arn(headers, body, region, account)):
            return arn
        if service == "cloudformation" and (arn := stack_sets.resource_arn(query)):
            return arn
        arn = original(service, method, path, headers, body, query, region, account)
        if service == "iam" and ":role/" in arn:
            # Requests name a role without its path; its ARN has it.
            return condition_keys.role_arn(account, arn.rpartition("/")[2])
        return arn

    return extract


def _wrap_invalidate_worker(original: Callable[..., None]) -> Callable[..., None]:
    """CloudFormation's deletion of a function leaves out the account, and would end those of its name in all others."""

    def invalidate(
        name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None
    ) -> None:
        original(name, qualifier, account or get_account_id(), region or get_region())

    return invalidate


def _wrap_cloudformation() -> None:
    # Operations by name, and resource types with their create, update and delete.
    operations = _entry(handlers, "_ACTION_HANDLERS")
    operations.update(stack_sets.OPERATIONS)
    operations["DescribeStackResource"] = custom_resources.wrap_describe(operations["DescribeStackResource"])
    types_known = _entry(provisioners, "_RESOURCE_HANDLERS")
    types_known.update(resource_types.HANDLERS)
    _entry(provisioners, "_STACK_TAG_PROPERTY").update(resource_types.TAG_PROPERTIES)
    for name, check in resource_types.POLICY_CHECKS.items():
        handler = types_known[name]
        handler["create"] = resource_types.checked(handler["create"], 1, check)
        handler["update"] = resource_types.checked(handler["update"], 2, check)
    bucket, role = types_known["AWS::S3::Bucket"], types_known["AWS::IAM::Role"]
    bucket["create"] = resource_types.with_bucket_tags(bucket["create"], properties_at=1)
    bucket["update"] = resource_types.with_bucket_tags(bucket["update"], properties_at=2)
    role["create"] = resource_types.refusing_existing(role["create"])
    role["delete"] = resource_types.forgetting(role["delete"])
    # Which conditions of a template hold.
    _replace(engine, "_evaluate_conditions", resource_types.wrap_evaluate_conditions, changesets, handlers, stacks)
    # The answer to a custom resource's request, and the request itself.
    _replace(custom_resource, "deliver_response", custom_resources.wrap_deliver_response)
    _replace(custom_resource, "invoke_custom_resource", custom_resources.wrap_invoke)
    # The rollback of a failed operation and the deletion of a stack, which handlers.py imported by name.
    _replace(stacks, "_roll_back_operation", custom_resources.wrap_roll_back, handlers)
    _replace(stacks, "_delete_stack_async", custom_resources.wrap_delete_stack, handlers)


def _wrap_policies() -> None:
    iam_operations = _entry(iam, "_IAM_HANDLERS")
    for name, wrap in {
        "PutRolePolicy": policies.wrap_put_role_policy,
        "CreateRole": lambda original: policies.wrap_trust_policy(original, "AssumeRolePolicyDocument"),
        "UpdateAssumeRolePolicy": lambda original: policies.wrap_trust_policy(original, "PolicyDocument"),
        "DeleteRole": principals.wrap_delete_role,
    }.items():
        iam_operations[name] = wrap(iam_operations[name])
    _replace(s3, "_put_bucket_policy", policies.wrap_put_bucket_policy)
    # Whether a policy is public and public ones are blocked, for policies that a stack puts.
    _entry(s3, "_policy_is_public")
    _entry(s3, "_public_access_blocked")
    _replace(s3, "handle_request", buckets.wrap_handle_request)
    # Whether a bucket's policy lets another account in.
    _replace(s3, "_foreign_bucket_allows", buckets.wrap_foreign_bucket_allows)
    _replace(kms, "_put_key_policy", policies.wrap_put_key_policy)
    # A key by its id, ARN or alias, and the policy that a request on it is evaluated on.
    _replace(kms, "handle_request", keys.wrap_handle_request)
    _replace(kms, "_resolve_key", keys.wrap_resolve_key)
    _replace(kms, "key_policy_for_arn", keys.wrap_key_policy_for_arn)


def _replace(module: Any, name: str, wrap: Callable[[Any], Any], *importers: Any) -> None:
    """Replaces a function in its module and in the modules that imported it by name."""
    original = _entry(module, name)
    if not callable(original):
        raise HookMissing(f"{module.__name__}.{name} is no function")
    wrapped = wrap(original)
    setattr(module, name, wrapped)
    for importer in importers:
        if _entry(importer, name) is not original:
            raise HookMissing(f"{importer.__name__}.{name} is not {module.__name__}'s")
        setattr(importer, name, wrapped)


def _entry(module: Any, name: str) -> Any:
    if not hasattr(module, name):
        raise HookMissing(f"ministack has no {module.__name__}.{name}")
    return getattr(module, name)
