"""The grant of an artifact key as teams write it with crhelper and boto3: what the bench compares Crosspipe with.

It merges one statement for an account into the key policy, and takes it out again. It does less than Crosspipe: no check
of the request, no lease, no record, no verification.
"""

from __future__ import annotations

import json
import logging
from http.client import HTTPConnection
from typing import Any

import boto3
import crhelper.utils
from crhelper import CfnResource

# The bench answers on loopback, without TLS; its cost is not counted for anybody.
crhelper.utils.HTTPSConnection = lambda host, context: HTTPConnection(host)

helper = CfnResource(log_level="ERROR", boto_level="CRITICAL", sleep_on_delete=0)
kms = boto3.client("kms")
logging.getLogger().setLevel(logging.ERROR)

SID = "BenchGrant"


def _policy_without_own(key: str) -> dict[str, Any]:
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"] = [one for one in policy["Statement"] if one.get("Sid") != SID]
    return policy


def _put(key: str, policy: dict[str, Any]) -> None:
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))


@helper.create
@helper.update
def grant(event: dict[str, Any], _context: Any) -> str:
    properties = event["ResourceProperties"]
    policy = _policy_without_own(properties["KeyArn"])
    policy["Statement"].append(
        {
            "Sid": SID,
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{account}:root" for account in properties["TargetAccounts"]]},
            "Action": ["kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt", "kms:ReEncrypt*", "kms:Decrypt"],
            "Resource": "*",
        }
    )
    _put(properties["KeyArn"], policy)
    return f"grant:{properties['KeyArn']}"


@helper.delete
def revoke(event: dict[str, Any], _context: Any) -> None:
    key = event["ResourceProperties"]["KeyArn"]
    _put(key, _policy_without_own(key))


def handler(event: dict[str, Any], context: Any) -> None:
    helper(event, context)
