"""KMS keys used from another account.

ministack resolves keys in the caller's account only. AWS lets other accounts use a key by its ARN for
some operations, if the key policy and the caller's own policies allow it.
<https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html>
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id

from . import evaluation

CROSS_ACCOUNT = frozenset(
    {
        "CreateGrant",
        "Decrypt",
        "DescribeKey",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListGrants",
        "RetireGrant",
        "RevokeGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    }
)
_operation: contextvars.ContextVar[str] = contextvars.ContextVar("local_aws_kms_operation", default="")


def wrap_handle_request(original: Callable[..., Any]) -> Callable[..., Any]:
    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        _operation.set(headers.get("x-amz-target", "").rpartition(".")[2])
        return await original(method, path, headers, body, query)

    return handle_request


def wrap_resolve_key(original: Callable[..., Any]) -> Callable[..., Any]:
    def resolve_key(given: str) -> Any:
        if not _foreign(given):
            return original(given)
        if _operation.get() not in CROSS_ACCOUNT:
            return None
        record = evaluation.key_record(given)
        return record if record is not None and _admitted(given, record) else None

    return resolve_key


def _admitted(arn: str, record: dict[str, Any]) -> bool:
    """Roles and users have been evaluated; an account's root is evaluated on the key policy alone."""
    caller = iam_evaluator.caller_arn()
    if not caller.endswith(":root"):
        return True
    ctx = iam_evaluator.EvalContext(
        principal_arn=caller,
        principal_type="Root",
        principal_account=get_account_id(),
        action=f"kms:{_operation.get()}",
        resource_arn=arn,
        region=arn.split(":")[3],
        secure_transport=True,
    )
    return iam_evaluator.evaluate_resource_policy(record.get("Policy") or "", ctx).decision == "Allow"


def wrap_key_policy_for_arn(original: Callable[..., Any]) -> Callable[..., Any]:
    """So that a request on a foreign key is evaluated on that key's policy."""

    def key_policy_for_arn(arn: str) -> tuple[str, str] | None:
        return evaluation.resource_policy(arn) if _foreign(arn) else original(arn)

    return key_policy_for_arn


def _foreign(given: str) -> bool:
    parts = (given or "").split(":", 5)
    return len(parts) == 6 and parts[0] == "arn" and parts[5].startswith("key/") and parts[4] != get_account_id()
