"""What `sam build` and `aws cloudformation package` do to a template: code to S3, `CodeUri` to where it is.

The rest of the text stays byte for byte, so what is deployed is the template that is shipped.
"""

from __future__ import annotations

import hashlib
import io
import pathlib
import zipfile
from typing import Any

import yaml

_EXECUTABLE = 0o100755


def package_template(s3: Any, template: str, code: dict[str, str], bucket: str) -> str:
    """The text of the template at path `template`, with the `CodeUri` of each function in `code`
    (logical id -> directory that holds a `bootstrap`) pointing into `bucket`, which is made if need be."""
    text = pathlib.Path(template).read_text(encoding="utf-8")
    s3_bucket(s3, bucket)
    replacements = []
    for logical_id, directory in code.items():
        archive = zipped(pathlib.Path(directory) / "bootstrap")
        key = hashlib.sha256(archive).hexdigest()
        s3.put_object(Bucket=bucket, Key=key, Body=archive)
        replacements.append(_code_uri(yaml.compose(text), logical_id, f"s3://{bucket}/{key}"))
    for start, end, replacement in sorted(replacements, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def s3_bucket(s3: Any, bucket: str) -> None:
    try:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        pass


def zipped(bootstrap: pathlib.Path) -> bytes:
    """A zip of one executable: the same bytes for the same binary, compressed for speed rather than size."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
        entry.external_attr = _EXECUTABLE << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, bootstrap.read_bytes(), compresslevel=1)
    return out.getvalue()


def _code_uri(root: yaml.Node | None, logical_id: str, location: str) -> tuple[int, int, str]:
    """What to put where so that the function's `CodeUri` is `location`: a function that has it from `Globals` gets one
    of its own, as from `sam build`."""
    properties = root
    for name in ("Resources", logical_id, "Properties"):
        properties = _member(properties, name)
    if properties is None:
        raise ValueError(f"the template has no Resources/{logical_id}/Properties")
    start = properties.start_mark
    if own := _member(properties, "CodeUri"):
        return own.start_mark.index, own.end_mark.index, location
    return start.index, start.index, f"CodeUri: {location}\n{' ' * start.column}"


def _member(node: yaml.Node | None, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == name), None)
