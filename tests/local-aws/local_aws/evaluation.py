"""Asks ministack's own IAM evaluator whether a role, or the caller of a request, may do something.

ministack evaluates a request as it comes in. CodePipeline's executions and its checks on UpdatePipeline
happen on the service's side, with no request by the role: the same policies are evaluated here for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext, PrincipalInfo
from ministack.services import iam, kms, s3


@dataclass(frozen=True)
class Verdict:
    """Whether a request is allowed and, if not, AWS's words for which side refused it."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True)
class Role:
    """A role by its ARN, with or without a path."""

    arn: str

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def record(self) -> dict[str, Any] | None:
        """The role as its account has it, if that is the role that the ARN names."""
        found = iam._roles.get_scoped(self.account, None, self.name)
        return found if found and found["Arn"] == self.arn else None

    def session_arn(self, session: str) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{session}"

    def principal(self, session: str) -> PrincipalInfo:
        return PrincipalInfo(
            arn=self.session_arn(session),
            type="AssumedRole",
            account=self.account,
            policies=iam_evaluator._gather_role_policies(self.name, self.account),
            limits=iam_evaluator._permissions_boundary(iam._roles, self.name, self.account),
        )


def context(principal: PrincipalInfo, action: str, resource: str, keys: dict[str, Any] | None = None) -> EvalContext:
    region = resource.split(":")[3] if resource.count(":") >= 5 else ""
    return EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=resource,
        region=region,
        secure_transport=True,
        service_context={"aws:tagkeys": None, **(keys or {})},
        principal_keys=principal.keys,
    )


def may(role: Role, session: str, action: str, resource: str, keys: dict[str, Any] | None = None) -> Verdict:
    """Whether a session of `role` may do `action`, both sides and all accounts considered."""
    principal = role.principal(session)
    return judge(principal, context(principal, action, resource, keys), resource_policy(resource))


def judge(principal: PrincipalInfo, ctx: EvalContext, policy: tuple[str, str] | None) -> Verdict:
    """Combines the principal's policies with the resource's `policy` and its owner, as a request would be."""
    identity = iam_evaluator.evaluate(ctx, principal.policies or [], *principal.limits)
    decision = identity
    if policy is not None:
        required = ctx.action.startswith("kms:")
        decision = iam_evaluator.combine_resource_policy(
            identity, ctx, *policy, required=required, limits=principal.limits
        )
    if decision.decision == "Allow":
        return Verdict(True)
    side = "identity-based" if decision is identity else "resource-based"
    if decision.decision == "Deny":
        return Verdict(False, f"with an explicit deny in {_article(side)} {side} policy")
    return Verdict(False, f"because no {side} policy allows the {ctx.action} action")


def resource_policy(resource: str) -> tuple[str, str] | None:
    """The policy and owner account of a bucket (or its object) or key, in whatever account it is."""
    service = resource.split(":")[2] if resource.startswith("arn:") else ""
    if service == "s3":
        bucket = resource.split(":", 5)[5].split("/", 1)[0]
        owner = s3._bucket_owner_account(bucket)
        return (s3._bucket_policies.get_scoped(owner, None, bucket) or "", owner) if owner else None
    if service == "kms":
        record = key_record(resource)
        return (record.get("Policy") or "", resource.split(":")[4]) if record else None
    return None


def key_record(arn: str) -> dict[str, Any] | None:
    """The key that the ARN names, in whatever account and Region it is."""
    _, _, _, region, account, resource = arn.split(":", 5)
    record = kms._keys.get_scoped(account, region, resource.removeprefix("key/"))
    return record if record and record.get("Arn") == arn else None


def may_assume(caller: Role, session: str, target: Role) -> bool:
    """sts:AssumeRole: the caller's identity policies and the target's trust policy; across accounts both."""
    record = target.record
    if record is None or caller.record is None:
        return False
    principal = caller.principal(session)
    ctx = context(principal, "sts:AssumeRole", target.arn)
    identity = iam_evaluator.evaluate(ctx, principal.policies or [], *principal.limits)
    trust = record["AssumeRolePolicyDocument"]
    if identity.decision == "Deny" or not iam_evaluator.evaluate_trust_policy(trust, principal.arn, ctx):
        return False
    if identity.decision == "Allow":
        return True
    # Within one account a trust policy that names the role itself is enough.
    return caller.account == target.account and any(
        iam_evaluator._names_caller(statement.get("Principal"), principal.arn) for statement in statements(trust)
    )


def service_may_assume(service: str, role: Role) -> bool:
    """Whether the role's trust policy lets the AWS service in."""
    record = role.record
    return record is not None and any(
        statement.get("Effect") == "Allow"
        and iam_evaluator._service_principal_matches(statement.get("Principal"), service)
        for statement in statements(record["AssumeRolePolicyDocument"])
    )


def statements(document: str | dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy document, single or listed."""
    parsed = json.loads(document) if isinstance(document, str) else document
    found = parsed.get("Statement", []) if isinstance(parsed, dict) else []
    return [found] if isinstance(found, dict) else [one for one in found if isinstance(one, dict)]


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
