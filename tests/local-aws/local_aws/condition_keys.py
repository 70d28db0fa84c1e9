"""Condition keys and messages of denials as AWS has them, where ministack does not.

<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
"""

from __future__ import annotations

import contextvars
import re
from collections.abc import Callable
from typing import Any

from ministack.core.iam_evaluator import EvalContext, EvalResult
from ministack.services import iam

from .control import ORGANIZATIONS

# Which side refused the request that is being evaluated, for the message of its denial.
_refused_by: contextvars.ContextVar[str] = contextvars.ContextVar("local_aws_refused_by", default="identity-based")
_SESSION = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.*")


def wrap_resolve(original: Callable[[str, EvalContext], Any]) -> Callable[[str, EvalContext], Any]:
    def resolve(key: str, ctx: EvalContext) -> Any:
        name = key.lower()
        organization = ORGANIZATIONS.get(ctx.principal_account)
        if name == "aws:principalorgid" and organization:
            return organization["id"]
        if name == "aws:principalorgpaths":
            return organization["paths"] if organization else None
        if name == "aws:resourceorgid":
            account = original("aws:ResourceAccount", ctx)
            return ORGANIZATIONS[account]["id"] if account in ORGANIZATIONS else None
        if name == "aws:principalarn" and (session := _SESSION.fullmatch(ctx.principal_arn)):
            return role_arn(*session.groups())  # never the session's
        return original(key, ctx)

    return resolve


def role_arn(account: str, role_name: str) -> str:
    """The role's ARN, path and all; a role that does not exist is taken to have no path."""
    role = iam._roles.get_scoped(account, None, role_name)
    return role["Arn"] if role else f"arn:aws:iam::{account}:role/{role_name}"


def wrap_pin_origin(original: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    """Every request counts as TLS: the SDKs speak plain HTTP to the local server, and TLS to AWS."""

    def pin(source_ip: str, _secure_transport: bool) -> None:
        original(source_ip, True)

    return pin


def wrap_combine(original: Callable[..., EvalResult]) -> Callable[..., EvalResult]:
    def combine(identity: EvalResult, *rest: Any, **named: Any) -> EvalResult:
        result = original(identity, *rest, **named)
        _refused_by.set("identity-based" if result is identity else "resource-based")
        return result

    return combine


def wrap_enforce(original: Callable[..., Any]) -> Callable[..., Any]:
    def enforce(*given: Any, **named: Any) -> Any:
        _refused_by.set("identity-based")
        return original(*given, **named)

    return enforce


def wrap_access_denied(original: Callable[..., Any]) -> Callable[..., Any]:
    """Denials name the resource and the side that did not allow, as AWS's do.

    <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
    """

    def access_denied(service: str, action: str, principal_arn: str, request_id: str, **named: Any) -> Any:
        resource, side = named.get("resource_arn", "*"), _refused_by.get()
        if principal_arn and not any(named.get(member) for member in ("error_code", "message", "resource_policy_arn")):
            shown = f'"{resource}"' if service == "s3" else resource
            why = (
                "with an explicit deny in an identity-based policy"
                if named.get("explicit_deny")
                else f"because no {side} policy allows the {action} action"
            )
            named["message"] = (
                f"User: {principal_arn} is not authorized to perform: {action} on resource: {shown} {why}"
            )
        return original(service, action, principal_arn, request_id, **named)

    return access_denied
