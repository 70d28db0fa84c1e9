"""Bodies, query strings and headers of AWS's protocols, read into values by their shapes.

<https://smithy.io/2.0/aws/protocols/index.html>. What does not belong there is a problem, named by its member.
"""

from __future__ import annotations

import io
import json
from typing import Any
from xml.etree import ElementTree

from botocore.model import Shape
from botocore.parsers import RpcV2CBORParser

from .constraints import Problems

Element = ElementTree.Element


def read_json(body: bytes, problems: Problems) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        problems.add("", f"the body is not JSON: {error}")
        return {}


def read_cbor(body: bytes, problems: Problems) -> Any:
    parser = RpcV2CBORParser()
    try:
        return parser.parse_data_item(io.BufferedReader(io.BytesIO(body))) if body else {}  # type: ignore[arg-type]
    except Exception as error:  # whatever the parser raises at what it can't read
        problems.add("", f"the body is not CBOR: {error}")
        return {}


def read_text(shape: Shape, text: str, problems: Problems, path: str) -> Any:
    """A scalar as it is written in XML, a form, a header or a query string."""
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
    except ValueError:
        problems.add(path, f"{text!r} is no {kind}")
        return None
    if kind == "boolean":
        if text not in ("true", "false"):
            problems.add(path, f"{text!r} is no boolean")
            return None
        return text == "true"
    if kind == "timestamp" and text.replace(".", "", 1).isdigit():
        return float(text)
    return text


# ------------------------------------------------------------------ XML


def parse_xml(body: bytes, problems: Problems) -> Element | None:
    try:
        return ElementTree.fromstring(body)  # noqa: S314 (what tests send)
    except ElementTree.ParseError as error:
        problems.add("", f"the body is not XML: {error}")
        return None


def local_name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def namespace(element: Element) -> str:
    return element.tag[1:].partition("}")[0] if element.tag.startswith("{") else ""


def read_xml(shape: Any, element: Element, problems: Problems, path: str = "") -> Any:
    """An element as its shape has it; `path` names it in problems."""
    if shape.type_name == "structure":
        return _read_xml_structure(shape, list(element), element, problems, path)
    if shape.type_name == "list":
        return _read_xml_list(shape, list(element), problems, path)
    if shape.type_name == "map":
        return _read_xml_map(shape, list(element), problems, path)
    return read_text(shape, element.text or "", problems, path)


def _read_xml_structure(
    shape: Any, children: list[Element], element: Element, problems: Problems, path: str
) -> dict[str, Any]:
    members = {}
    for name, member in shape.members.items():
        if member.serialization.get("location"):
            continue
        wire = member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            attributes = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
            if (found := attributes.get(wire.rpartition(":")[2])) is not None:
                members[wire] = found
            continue
        flattened = member.serialization.get("flattened") and member.type_name in ("list", "map")
        if flattened and member.type_name == "list":
            wire_on_the_wire = member.member.serialization.get("name", wire)
            own = [child for child in children if local_name(child) in (wire, wire_on_the_wire)]
        else:
            own = [child for child in children if local_name(child) == wire]
        if not own:
            continue
        children = [child for child in children if child not in own]
        here = f"{path}.{wire}" if path else wire
        if flattened and member.type_name == "list":
            members[wire] = [read_xml(member.member, one, problems, f"{here}[{at}]") for at, one in enumerate(own)]
        elif flattened:
            members[wire] = _read_xml_map(member, own, problems, here)
        else:
            members[wire] = read_xml(member, own[0], problems, here)
            if len(own) > 1:
                problems.add(here, "is there more than once")
    for child in children:
        problems.unknown(path, local_name(child))
    return members


def _read_xml_list(shape: Any, children: list[Element], problems: Problems, path: str) -> list[Any]:
    wire = shape.member.serialization.get("name", "member")
    for child in children:
        if local_name(child) != wire:
            problems.unknown(path, local_name(child))
    own = [child for child in children if local_name(child) == wire]
    return [read_xml(shape.member, one, problems, f"{path}[{at}]") for at, one in enumerate(own)]


def _read_xml_map(shape: Any, entries: list[Element], problems: Problems, path: str) -> dict[str, Any]:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    read = {}
    for entry in entries:
        parts = {local_name(part): part for part in entry}
        for name in parts.keys() - {key_name, value_name}:
            problems.unknown(path, name)
        if key_name not in parts or value_name not in parts:
            problems.add(path, f"an entry is no pair of {key_name} and {value_name}")
            continue
        key = parts[key_name].text or ""
        read[key] = read_xml(shape.value, parts[value_name], problems, f"{path}.{key}")
    return read


# ------------------------------------------------------------------ form


def read_form(shape: Any, pairs: dict[str, str], problems: Problems, prefix: str = "") -> Any:
    """The part of a form below `prefix`, as its shape has it."""
    if shape.type_name == "structure":
        members = {}
        rest = dict(pairs)
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            if member.type_name == "list" and member.serialization.get("flattened"):
                wire = member.member.serialization.get("name", wire)
            own = _below(rest, wire)
            if own:
                rest = {key: value for key, value in rest.items() if key != wire and not key.startswith(f"{wire}.")}
                key = member.serialization.get("name", name)
                members[key] = read_form(member, own, problems, f"{prefix}.{wire}" if prefix else wire)
        for key in sorted(rest):
            problems.unknown(prefix, key)
        return members
    if shape.type_name == "list":
        item = "" if shape.serialization.get("flattened") else shape.member.serialization.get("name", "member")
        items = _below(pairs, item) if item else {key: value for key, value in pairs.items() if key}
        _say_unread(pairs, item, problems, prefix)
        return [read_form(shape.member, one, problems, f"{prefix}[{at}]") for at, one in _numbered(items, problems, prefix)]
    if shape.type_name == "map":
        items = pairs if shape.serialization.get("flattened") else _below(pairs, "entry")
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        entries = [one for _, one in _numbered(items, problems, prefix)]
        return {
            one.get(key_name, ""): read_form(shape.value, _below(one, value_name), problems, prefix) for one in entries
        }
    for key in pairs:
        if key:
            problems.unknown(prefix, key)
    return read_text(shape, pairs.get("", ""), problems, prefix)


def _below(pairs: dict[str, str], name: str) -> dict[str, str]:
    """What is at a name and below it, without the name."""
    found = {key[len(name) + 1 :]: value for key, value in pairs.items() if key.startswith(f"{name}.")}
    return found | ({"": pairs[name]} if name in pairs else {})


def _say_unread(pairs: dict[str, str], item: str, problems: Problems, prefix: str) -> None:
    for key in pairs:
        # An empty list is sent as the bare name.
        if item and key and key != item and not key.startswith(f"{item}."):
            problems.unknown(prefix, key)


def _numbered(pairs: dict[str, str], problems: Problems, prefix: str) -> list[tuple[int, dict[str, str]]]:
    numbers = {key.partition(".")[0] for key in pairs if key}
    for number in numbers:
        if not number.isdigit():
            problems.unknown(prefix, number)
    return [(at, _below(pairs, str(at))) for at in sorted(int(number) for number in numbers if number.isdigit())]
