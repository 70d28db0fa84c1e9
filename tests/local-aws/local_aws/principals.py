"""Principals in policies: dead ones, deleted ones, and how S3 and KMS rewrite them.

<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import iam, kms, s3

from . import evaluation

_UNIQUE_ID = re.compile(r"A(RO|ID)A[A-Z0-9]+")
_ENTITY = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):(role|user)/(.+)")
_ACCOUNT = re.compile(r"\d{12}")


def dead_principal(document: dict[str, Any]) -> str | None:
    """A principal that no longer exists, or does not exist in an account whose entities are known here."""
    for statement in evaluation.statements(document):
        for element in ("Principal", "NotPrincipal"):
            for principal in _aws_principals(statement.get(element)):
                if _UNIQUE_ID.fullmatch(principal) or _missing(principal):
                    return principal
    return None


def _aws_principals(element: Any) -> Iterator[str]:
    values = element.get("AWS", []) if isinstance(element, dict) else []
    yield from [values] if isinstance(values, str) else values


def _missing(principal: str) -> bool:
    match = _ENTITY.fullmatch(principal)
    if match is None:
        return False
    account, kind, path = match.groups()
    store = iam._roles if kind == "role" else iam._users
    if not any(owner == account for owner, _ in list(store._data)):
        return False
    found = store.get_scoped(account, None, path.rpartition("/")[2])
    return found is None or found["Arn"] != principal


def rewritten(document: dict[str, Any]) -> dict[str, Any]:
    """The document as S3 and KMS answer it later: accounts as root ARNs, one-element lists as their element."""
    copied = json.loads(json.dumps(document))
    for statement in evaluation.statements(copied):
        for element in ("Action", "NotAction", "Resource", "NotResource"):
            if element in statement:
                statement[element] = _collapsed(statement[element])
        for element in ("Principal", "NotPrincipal"):
            if isinstance(statement.get(element), dict):
                statement[element] = {
                    kind: _collapsed(_map(_as_root, value) if kind == "AWS" else value)
                    for kind, value in statement[element].items()
                }
    return copied


def _collapsed(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _as_root(principal: str) -> str:
    return f"arn:aws:iam::{principal}:root" if _ACCOUNT.fullmatch(principal) else principal


def _map(change: Callable[[str], str], value: Any) -> Any:
    return [change(one) for one in value] if isinstance(value, list) else change(value)


def wrap_delete_role(original: Callable[..., Any]) -> Callable[..., Any]:
    """A deleted role's ARN turns into its unique id wherever a policy names it."""

    def delete_role(params: dict[str, Any]) -> Any:
        role = iam._roles.get(iam._p(params, "RoleName"))
        answer = original(params)
        if role is not None and answer[0] == 200:
            forget_role(role)
        return answer

    return delete_role


def forget_role(role: dict[str, Any]) -> None:
    arn, unique_id = json.dumps(role["Arn"]), json.dumps(role["RoleId"])
    for name, text in list(s3._bucket_policies._data.items()):
        s3._bucket_policies._data[name] = text.replace(arn, unique_id)
    for key in list(kms._keys._data.values()):
        if isinstance(key.get("Policy"), str):
            key["Policy"] = key["Policy"].replace(arn, unique_id)
    for other in list(iam._roles._data.values()):
        trust = other["AssumeRolePolicyDocument"]
        text = trust if isinstance(trust, str) else json.dumps(trust)
        other["AssumeRolePolicyDocument"] = text.replace(arn, unique_id)
