"""Tags of pipelines: at most 50, checked as AWS checks them.

<https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_Tag.html>
"""

from __future__ import annotations

import unicodedata
from typing import Any

from ..protocol import ServiceError

_PUNCTUATION = set("_.:/=+-@")


def checked(tags: list[dict[str, str]], existing: dict[str, str]) -> dict[str, str]:
    """`existing` with `tags` added, if AWS would take them."""
    for tag in tags:
        key, value = tag.get("key") or "", tag.get("value")
        if not 1 <= len(key) <= 128:
            raise _length("key", key, "between 1 and 128")
        if value is None or len(value) > 256:
            raise _length("value", value or "", "less than or equal to 256")
        if not _plain(key) or not _plain(value) or key.lower().startswith("aws:"):
            raise ServiceError(
                "InvalidTagsException",
                f"The tag {key} is not valid: keys and values hold letters, numbers, spaces and _.:/=+-@, "
                "and keys do not begin with aws:",
            )
    merged = {**existing, **{tag["key"]: tag["value"] for tag in tags}}
    if sum(not key.startswith("aws:") for key in merged) > 50:
        raise ServiceError("TooManyTagsException", "The tags limit for a resource has been exceeded: 50")
    return merged


def listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _plain(text: str) -> bool:
    return all(char in _PUNCTUATION or unicodedata.category(char)[0] in "LZN" for char in text)


def _length(member: str, value: str, bounds: str) -> ServiceError:
    return ServiceError(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at 'tags.1.member.{member}' failed to satisfy constraint: "
        f"Member must have length {bounds}",
    )


def by_key(tags: Any) -> dict[str, str]:
    """CloudFormation's tag list as a map."""
    return {tag["Key"]: str(tag["Value"]) for tag in tags or []}
