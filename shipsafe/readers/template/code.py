"""Where the code of a function or layer comes from.

A path is relative to the template it stands in, as `sam build` and `aws cloudformation package` have it, and becomes relative
to the project's root here. It need not exist, and one that leads out of the root keeps its `../`: staging decides about both.
"""

import os
import posixpath
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from shipsafe.model.location import Location
from shipsafe.model.project import Code, CodeKind
from shipsafe.readers.template.fields import Reading
from shipsafe.readers.template.intrinsics import evaluate
from shipsafe.readers.template.node import Node, describe
from shipsafe.readers.template.text import plain
from shipsafe.readers.template.values import Absent, Text

_ARCHIVES = (".zip", ".jar")
_LONGEST = 4096  # of a path, in characters
_BUCKET_KEYS = (("S3Bucket", "S3Key", "S3ObjectVersion"), ("Bucket", "Key", "Version"))
_ZIPPED = ("InlineCode", "CodeUri", "ZipFile", "S3Bucket", "S3Key")


def local_code(root: Path, base: str, text: str, location: Location | None) -> Code | str:
    """The code at a path, or why the path cannot be used.

    Args:
        root: the project's root, absolute.
        base: the folder that the path is relative to, POSIX, relative to the root.
        text: the path as written.
        location: where it is written.
    """
    if len(text) > _LONGEST or any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in text):
        return "the path is too long or has a control character"
    relative = os.path.relpath(text, root) if text.startswith("/") else posixpath.join(base, text)
    path = posixpath.normpath(relative)
    return Code(kind=_kind(root / path), path=path, location=location)


def _kind(path: Path) -> CodeKind:
    archive = path.suffix.lower() in _ARCHIVES
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError:  # a name that is too long, or a folder that may not be searched
        is_folder = is_file = False
    if is_folder:
        return CodeKind.FOLDER
    if archive:
        return CodeKind.ZIP
    return CodeKind.FILE if is_file else CodeKind.FOLDER


def function_code(reading: Reading) -> Code:
    """The code of a function of either type."""
    if reading.opaque:
        return _unknown(reading, reading.opaque)
    if reading.resource.type == "AWS::Lambda::Function":
        return _lambda_code(reading)
    return _serverless_code(reading)


def layer_code(reading: Reading) -> Code:
    """The content of a layer of either type."""
    if reading.opaque:
        return _unknown(reading, reading.opaque)
    key = "Content" if reading.resource.type == "AWS::Lambda::LayerVersion" else "ContentUri"
    return _from_property(reading, key)


def _serverless_code(reading: Reading) -> Code:
    if _is_image(reading) or ("ImageUri" in reading.properties and not any(key in reading.properties for key in _ZIPPED)):
        return _image(reading, reading.node("code", "ImageUri"))
    if inline := reading.node("code", "InlineCode"):
        return _inline(reading, inline)
    return _from_property(reading, "CodeUri")


def _lambda_code(reading: Reading) -> Code:
    node = reading.node("code", "Code")
    fields = node.fields if node and not node.call else {}
    if _is_image(reading) or ("ImageUri" in fields and not any(key in fields for key in _ZIPPED)):
        return _image(reading, fields.get("ImageUri", node))
    if inline := fields.get("ZipFile"):
        reading.places["code"] = inline.location
        return _inline(reading, inline)
    return _from_property(reading, "Code")


def _is_image(reading: Reading) -> bool:
    """Whether it says that it is a container image; an `ImageUri` alone does not, where code of a zip stands beside it: SAM takes that."""
    package = reading.value("package", "PackageType")
    return isinstance(package, Text) and package.text == "Image"


def _from_property(reading: Reading, key: str) -> Code:
    """A path, an `s3://` address, or a bucket and key."""
    node = reading.node("code", key)
    if node is None:
        # SAM then ships the folder of the template, template and all. Nobody writes that on purpose without a word.
        hint = "; write `CodeUri: .` where the template's whole folder is meant" if key == "CodeUri" else ""
        return _unknown(reading, f"{key} is not set{hint}")
    for names in _BUCKET_KEYS:
        if not node.call and names[0] in node.fields:
            return _uploaded(node, names, key, reading)
    text = reading.certain("code", evaluate(node, reading.stack))
    if text is None:
        return Code(kind=CodeKind.UNKNOWN, location=node.location)
    if text.startswith(("s3://", "https://", "http://")):
        return Code(kind=CodeKind.S3, uri=text, location=node.location)
    code = local_code(reading.stack.root, posixpath.dirname(reading.stack.path), text, node.location)
    return _unknown(reading, code) if isinstance(code, str) else code


def _uploaded(node: Node, names: tuple[str, str, str], key: str, reading: Reading) -> Code:
    """An object in a bucket, or what is uploaded to it before the stack is deployed where the project says so (CDK)."""
    object_key = node.fields.get(names[1])
    value = evaluate(object_key, reading.stack) if object_key else None
    path = reading.stack.asset(reading.resource, key, value.text if isinstance(value, Text) else None)
    if path is None:
        return Code(kind=CodeKind.S3, uri=_s3(node.fields, names, reading), location=node.location)
    code = local_code(reading.stack.root, "", path, node.location)
    return _unknown(reading, code) if isinstance(code, str) else code


def _s3(fields: Mapping[str, Node], names: tuple[str, str, str], reading: Reading) -> str:
    """`s3://BUCKET/KEY`, for people: an expression that cannot be resolved stands as it is written."""
    parts: list[str] = []
    for name in names:
        node = fields.get(name)
        value = plain(evaluate(node, reading.stack)) if node else None
        shown = value.text if isinstance(value, Text) and not value.secret else describe(node) if node else ""
        parts.append(shown)
    bucket, key, version = parts
    return f"s3://{bucket}/{key}" + (f"?versionId={version}" if version else "")


def _image(reading: Reading, node: Node | None) -> Code:
    value = evaluate(node, reading.stack) if node else None
    text = value.text if isinstance(value, Text) and not value.secret else None
    return Code(kind=CodeKind.IMAGE, uri=text, location=node.location if node else reading.resource.location)


def _inline(reading: Reading, node: Node) -> Code:
    value = evaluate(node, reading.stack)
    if isinstance(value, Absent):
        return _unknown(reading, "the inline code is empty")
    text = reading.certain("code", value)
    kind = CodeKind.UNKNOWN if text is None else CodeKind.INLINE
    return Code(kind=kind, text=text, location=node.location)


def _unknown(reading: Reading, reason: str) -> Code:
    reading.note("code", reason)
    return Code(kind=CodeKind.UNKNOWN, location=reading.places.get("code", reading.resource.location))
