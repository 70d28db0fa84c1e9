"""What S3, KMS and IAM check in a policy before they take it.

Quotas: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>,
<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>,
<https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam, kms, s3

from . import evaluation, principals

BUCKET_POLICY_BYTES = 20 * 1024
KEY_POLICY_BYTES = 32_768
INLINE_POLICY_CHARACTERS = 10_240
TRUST_POLICY_CHARACTERS = 2_048

Refusal = tuple[str, str]  # code, message


# ------------------------------------------------------------------ IAM


def inline_policy_error(role_name: str, policy_name: str, document: str) -> str | None:
    """The role's inline policies together, whitespace not counted."""
    role = iam._roles.get(role_name)
    if role is None:
        return None
    policies = {**role["InlinePolicies"], policy_name: document}
    size = sum(len("".join(_text(one).split())) for one in policies.values())
    if size > INLINE_POLICY_CHARACTERS:
        return f"Maximum policy size of {INLINE_POLICY_CHARACTERS} bytes exceeded for role {role_name}"
    return None


def _text(document: str | dict[str, Any]) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def wrap_put_role_policy(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_role_policy(params: dict[str, Any]) -> Any:
        given = [iam._p(params, member) for member in ("RoleName", "PolicyName", "PolicyDocument")]
        if message := inline_policy_error(*given):
            return iam._error(409, "LimitExceeded", message, ns="iam")
        return original(params)

    return put_role_policy


def trust_policy_error(document: str | dict[str, Any]) -> Refusal | None:
    text = _text(document)
    if len("".join(text.split())) > TRUST_POLICY_CHARACTERS:
        return "LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY_CHARACTERS}"
    parsed = _parsed(text)
    if parsed is not None and (dead := principals.dead_principal(parsed)):
        return "MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{dead}"'
    return None


def wrap_trust_policy(original: Callable[..., Any], member: str) -> Callable[..., Any]:
    """CreateRole and UpdateAssumeRolePolicy."""

    def put_trust_policy(params: dict[str, Any]) -> Any:
        if refusal := trust_policy_error(iam._p(params, member)):
            return iam._error(409 if refusal[0] == "LimitExceeded" else 400, *refusal, ns="iam")
        return original(params)

    return put_trust_policy


# ------------------------------------------------------------------ S3


def bucket_policy_error(name: str, document: dict[str, Any] | None) -> Refusal | None:
    if document is None:
        return "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'"
    if principals.dead_principal(document):
        return "MalformedPolicy", "Invalid principal in policy"
    if error := _bucket_resource_error(name, document):
        return "MalformedPolicy", error
    if len(_compact(principals.rewritten(document))) > BUCKET_POLICY_BYTES:
        return "PolicyTooLarge", "Policy exceeds the maximum allowed document size."
    return None


def public_policy_error(name: str, document: dict[str, Any] | None) -> Refusal | None:
    """What a stack meets where S3's own operation would refuse; ministack checks the operation itself.

    <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
    """
    blocked = name in s3._buckets and s3._public_access_blocked(get_account_id(), name, "BlockPublicPolicy")
    if blocked and s3._policy_is_public(json.dumps(document)):
        return "AccessDenied", "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
    return None


def wrap_put_bucket_policy(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_bucket_policy(name: str, body: bytes) -> Any:
        if name not in s3._buckets:
            return original(name, body)
        document = _parsed(body.decode("utf-8", "replace"))
        if refusal := bucket_policy_error(name, document):
            return s3._error(*refusal, 400, f"/{name}")
        return original(name, _compact(principals.rewritten(document or {})))

    return put_bucket_policy


def _bucket_resource_error(name: str, document: dict[str, Any]) -> str | None:
    statements = evaluation.statements(document)
    if not statements:
        return "Missing required field Statement"
    for statement in statements:
        if "Principal" not in statement and "NotPrincipal" not in statement:
            return "Missing required field Principal"
        resources = statement.get("Resource", statement.get("NotResource"))
        for resource in [resources] if isinstance(resources, str) else resources or []:
            bucket = resource.split(":", 5)[-1].split("/", 1)[0]
            if bucket != name and "*" not in bucket and "?" not in bucket:
                return "Policy has invalid resource"
    return None


# ------------------------------------------------------------------ KMS


def key_policy_error(document: dict[str, Any] | None) -> Refusal | None:
    if document is None:
        return "MalformedPolicyDocumentException", "The policy is not valid JSON"
    if principals.dead_principal(document):
        return "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."
    if len(_compact(document)) > KEY_POLICY_BYTES:
        return "LimitExceededException", f"Policy size exceeds the quota of {KEY_POLICY_BYTES} bytes"
    return None


def wrap_put_key_policy(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_key_policy(request: dict[str, Any]) -> Any:
        record = kms._resolve_key(request.get("KeyId", ""))
        if record is None:
            return original(request)
        document = _parsed(request.get("Policy", ""))
        refusal = key_policy_error(document)
        bypassed = request.get("BypassPolicyLockoutSafetyCheck")
        if refusal is None and not bypassed and not _caller_keeps_control(record["Arn"], document or {}):
            refusal = (
                "MalformedPolicyDocumentException",
                "The new key policy will not allow you to update the key policy in the future.",
            )
        if refusal is not None:
            return kms.error_response_json(*refusal, 400)
        return original({**request, "Policy": json.dumps(principals.rewritten(document or {}))})

    return put_key_policy


def _caller_keeps_control(arn: str, document: dict[str, Any]) -> bool:
    """KMS's lockout check: the caller, or its whole account, may still put the policy."""
    caller = iam_evaluator.caller_arn()
    for principal in (caller, f"arn:aws:iam::{get_account_id()}:root"):
        ctx = iam_evaluator.EvalContext(
            principal_arn=principal,
            principal_type="Root",
            principal_account=get_account_id(),
            action="kms:PutKeyPolicy",
            resource_arn=arn,
            region=arn.split(":")[3],
        )
        if iam_evaluator.evaluate_resource_policy(document, ctx).decision == "Allow":
            return True
    return False


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _compact(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
