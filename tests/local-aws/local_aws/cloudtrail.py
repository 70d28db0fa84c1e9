"""CloudTrail's records of calls that change something, as EventBridge gets them from an account with a trail.

<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge


TRAILS: set[str] = set()  # accounts; without a trail EventBridge gets no records
# Reading calls are not sent by default, and secrets are in others.
_SERVICES = {"s3", "kms", "iam", "codepipeline"}
_CHANGES = re.compile(r"Attach|Cancel|Create|Delete|Detach|Disable|Enable|Put|Retire|Revoke|Schedule|Update")
# Data events, which need a trail of their own.
_DATA = {"PutObject", "DeleteObject"}
# IAM's records are made in one Region, wherever the call came from.
_GLOBAL_REGION = "us-east-1"


def record(service: str, operation: str, path: str, params: dict[str, Any], body: bytes, response: Any) -> None:
    """Sends the record of a call, if the account has a trail and the call changes something."""
    account = get_account_id()
    watched = account in TRAILS and service in _SERVICES and operation not in _DATA
    if not watched or not _CHANGES.match(operation):
        return
    region = _GLOBAL_REGION if service == "iam" else get_region()
    parameters = _parameters(service, path, params, body)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    detail = {
        "eventVersion": "1.10",
        "userIdentity": _identity(iam_evaluator.caller_arn(), account),
        "eventTime": now,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": operation,
        "awsRegion": region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": "local-aws",
        "requestParameters": parameters,
        "responseElements": None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "resources": _resources(service, parameters, account),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if response[0] >= 400:
        detail["errorCode"] = _error_code(response[2])
    entry = {
        "Source": f"aws.{service}",
        "DetailType": "AWS API Call via CloudTrail",
        "Detail": json.dumps(detail),
        "Resources": [],
    }
    with request_scope(account, region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _parameters(service: str, path: str, params: dict[str, Any], body: bytes) -> dict[str, Any]:
    if service == "s3":
        parameters: dict[str, Any] = {"bucketName": path.lstrip("/").split("/", 1)[0], "Host": "127.0.0.1"}
        if "policy" in params and body:
            parameters |= {"policy": "", "bucketPolicy": _json(body)}
        return parameters
    if service == "iam":
        given = {name: value[0] if isinstance(value, list) else value for name, value in params.items()}
        members = {name: value for name, value in given.items() if name not in ("Action", "Version")}
    else:
        members = _json(body)
    return {name[:1].lower() + name[1:]: value for name, value in members.items()}


def _resources(service: str, parameters: dict[str, Any], account: str) -> list[dict[str, str]]:
    if service == "s3":
        arn = f"arn:aws:s3:::{parameters['bucketName']}"
        return [{"accountId": account, "type": "AWS::S3::Bucket", "ARN": arn}]
    if service == "kms" and (key := parameters.get("keyId")):
        arn = key if key.startswith("arn:") else f"arn:aws:kms:{get_region()}:{account}:key/{key}"
        return [{"accountId": account, "type": "AWS::KMS::Key", "ARN": arn}]
    return []


def _identity(arn: str, account: str) -> dict[str, Any]:
    if ":assumed-role/" in arn:
        role = arn.split(":assumed-role/")[1].split("/")[0]
        issuer = {"type": "Role", "arn": f"arn:aws:iam::{account}:role/{role}", "accountId": account, "userName": role}
        return {"type": "AssumedRole", "arn": arn, "accountId": account, "sessionContext": {"sessionIssuer": issuer}}
    return {"type": "Root" if arn.endswith(":root") else "IAMUser", "arn": arn, "accountId": account}


def _error_code(answer: Any) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
    found = re.search(r"<Code>([^<]+)|\"__type\": ?\"(?:[^\"#]*#)?([^\"]+)", text)
    return (found.group(1) or found.group(2)) if found else "InternalFailure"


def _json(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
