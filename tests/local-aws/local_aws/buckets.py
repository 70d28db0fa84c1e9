"""S3 request checks that ministack leaves out, and buckets of other accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_region, request_scope
from ministack.services import s3


def wrap_handle_request(original: Callable[..., Any]) -> Callable[..., Any]:
    """`x-amz-expected-bucket-owner`: 403 if the bucket is another account's.

    <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>
    """

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        expected = headers.get("x-amz-expected-bucket-owner")
        bucket = path.lstrip("/").split("/", 1)[0]
        if expected and bucket:
            owner = s3._bucket_owner_account(bucket)
            if owner is not None and owner != expected:
                return s3._error("AccessDenied", "Access Denied", 403, path)
        return await original(method, path, headers, body, query)

    return handle_request


def wrap_foreign_bucket_allows(original: Callable[..., bool]) -> Callable[..., bool]:
    """A bucket's policy is evaluated for the role or user that calls; ministack takes its account's root for it."""

    def foreign_bucket_allows(
        owner: str,
        bucket: str,
        key: str,
        method: str,
        query: dict[str, Any],
        caller: str,
        headers: dict[str, str] | None = None,
    ) -> bool:
        arn, policy = iam_evaluator.caller_arn(), s3._bucket_policies.get_scoped(owner, None, bucket)
        if not caller or not policy or arn.endswith(":root"):
            return original(owner, bucket, key, method, query, caller, headers)
        path = f"/{bucket}/{key}" if key else f"/{bucket}"
        action = f"s3:{iam_actions._s3_action(method, path, query) or 'GetObject'}"
        with request_scope(owner, get_region()):
            keys = iam_actions.s3_service_context(action, query, path, headers or {})
        ctx = iam_evaluator.EvalContext(
            principal_arn=arn,
            principal_type="AssumedRole",
            principal_account=caller,
            action=action,
            resource_arn=f"arn:aws:s3:::{path[1:]}",
            region=get_region(),
            service_context={name.lower(): value for name, value in keys.items()},
        )
        decision = iam_evaluator.evaluate_resource_policy(policy, ctx).decision
        return decision == "Allow"

    return foreign_bucket_allows
