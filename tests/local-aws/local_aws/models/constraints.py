"""Values against the shapes of AWS's models: what is required, known, of which type, length, pattern, enumeration."""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass, field
from typing import Any

import regex
from botocore.model import Shape

_SHOWN = 80
# Enumerations that AWS's own answers exceed: the events of a stack itself have the stack's states
# (UPDATE_COMPLETE_CLEANUP_IN_PROGRESS).
_BEYOND_THE_MODEL = {"ResourceStatus"}


@dataclass
class Problems:
    """What is wrong, and where. `known` are members that AWS is taken to have got since the models were published."""

    known: frozenset[str] = frozenset()
    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, member: str, message: str) -> None:
        self.found.append((member or "(top level)", message))

    def unknown(self, path: str, name: str) -> None:
        if name not in self.known:
            self.add(_join(path, name), "no such member")


def check(shape: Shape, value: Any, problems: Problems, *, request: bool, path: str = "") -> None:
    """Checks a value. Lengths, ranges and patterns bind requests only: AWS keeps old values that break new rules."""
    kind = shape.type_name
    if kind == "structure" and shape.metadata.get("document"):
        return
    if not _is_of_type(kind, shape, value):
        problems.add(path, f"{_shown(value)} is no {kind}")
        return
    if kind == "structure":
        _check_structure(shape, value, problems, request, path)
    elif kind == "list":
        for at, one in enumerate(value):
            check(shape.member, one, problems, request=request, path=f"{path}[{at}]")
    elif kind == "map":
        for key, one in value.items():
            check(shape.key, key, problems, request=request, path=f"{path}.{key} (key)")
            check(shape.value, one, problems, request=request, path=_join(path, key))
    beyond = not request and shape.name in _BEYOND_THE_MODEL
    if "enum" in shape.metadata and isinstance(value, str) and value not in shape.metadata["enum"] and not beyond:
        problems.add(path, f"{_shown(value)} is none of {', '.join(shape.metadata['enum'])}")
    if request:
        _check_limits(shape, value, problems, path)


def _check_structure(shape: Any, value: dict[str, Any], problems: Problems, request: bool, path: str) -> None:
    names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    for name in shape.required_members:
        wire = shape.members[name].serialization.get("name", name)
        if value.get(wire) is None:
            problems.add(_join(path, name), "is required and missing")
    if shape.is_tagged_union and len([one for one in value.values() if one is not None]) != 1:
        problems.add(path, f"exactly one of {', '.join(shape.members)} is needed")
    for name, one in value.items():
        if name not in names:
            # Present in answers of services that say which type they are of.
            if name != "__type":
                problems.unknown(path, name)
        elif one is not None:
            check(shape.members[names[name]], one, problems, request=request, path=_join(path, name))


def _is_of_type(kind: str, shape: Shape, value: Any) -> bool:
    if kind in ("structure", "map"):
        return isinstance(value, dict)
    if kind == "list":
        return isinstance(value, list)
    if kind in ("integer", "long"):
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in ("float", "double"):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number or value in ("NaN", "Infinity", "-Infinity")
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "timestamp":
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        # In a body of JSON, time is a number unless the model says otherwise; elsewhere it is text.
        return number if shape.serialization.get("timestampFormat") == "unixTimestamp" else number or _is_time(value)
    if kind == "blob":
        return isinstance(value, bytes) or (isinstance(value, str) and _is_base64(value))
    return isinstance(value, str)


def _is_time(value: Any) -> bool:
    from botocore.utils import parse_timestamp

    try:
        return isinstance(value, str) and parse_timestamp(value) is not None
    except (ValueError, TypeError):
        return False


def _is_base64(value: str) -> bool:
    try:
        return base64.b64decode(value, validate=True) is not None
    except (ValueError, binascii.Error):
        return False


def _check_limits(shape: Shape, value: Any, problems: Problems, path: str) -> None:
    if shape.type_name == "timestamp":
        return
    if shape.type_name == "blob" and isinstance(value, str):
        value = base64.b64decode(value)
    numeric = isinstance(value, (int, float))
    size = value if numeric else len(value) if hasattr(value, "__len__") else 0
    what = "value" if numeric else "length"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        problems.add(path, f"{_shown(value)} has {what} {size}, at least {low} is needed")
    if high is not None and size > high:
        problems.add(path, f"{_shown(value)} has {what} {size}, at most {high} is allowed")
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not regex.fullmatch(pattern, value):
        problems.add(path, f"{_shown(value)} does not match {pattern}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
