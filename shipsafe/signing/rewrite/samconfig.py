"""`--samconfig`: settings with which `sam deploy` takes the rewritten template, and neither builds, uploads nor signs code again.

[default.deploy.parameters]
template_file = "out.yaml"
region = "eu-west-1"
s3_bucket = "orders-artifacts"     # where SAM puts what is left to upload: a large template, nested templates
s3_prefix = "templates"

No library that writes TOML keeps comments, so lines are changed one by one, and the result is read again: what it says must be what was
wanted. A file that says the same things in a way that lines cannot follow is refused.
"""

import copy
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from shipsafe.adapters import toml
from shipsafe.errors import ConfigError

_TABLE = ("default", "deploy", "parameters")
_SHARED = ("default", "global", "parameters")
_PREFIX = "templates"
_HEADER = re.compile(r"[ \t]*\[")
_COMMENT = re.compile(r"""[^=]*=[ \t]*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"'\[{]+)([ \t]*#.*)""")
_MOST_LINES = 100  # of one value


def samconfig(text: str | None, *, template: str, bucket: str, region: str, name: str) -> str:
    """The file's new text; `text` is the old one, None where there is no file.

    Args:
        text: of the file.
        template: the rewritten template, POSIX, relative to the file's folder.
        bucket: of the signed objects.
        region: where they lie.
        name: of the file, for messages.

    Raises:
        ConfigError: it is not TOML, names another region, or cannot be changed line by line.
    """
    before = _parse(text or "", name)
    own, shared = _at(before, _TABLE), _at(before, _SHARED)
    there = own.get("region", shared.get("region"))
    if there is not None and there != region:
        raise ConfigError(f"It deploys to {there}, and the code was signed in {region}: Lambda takes code from its own region alone.",
                          remedy="Name the target of that region with --target, or change the region there.", path=name)  # fmt: skip
    wanted = {"template_file": template, "region": region}
    settings = {**shared, **own}
    if not settings.get("s3_bucket") and settings.get("resolve_s3") is not True:
        wanted |= {"s3_bucket": bucket, "s3_prefix": settings.get("s3_prefix") or _PREFIX}
    windows = text is not None and 0 < text.count("\n") == text.count("\r\n")
    new = text.replace("\r\n", "\n") if text and windows else text or "version = 0.1\n"
    for path in (_TABLE, _SHARED):
        if "signing_profiles" in _at(before, path):
            new = _change(new, path, "signing_profiles", None, name)
    for key, value in wanted.items():
        if _at(_parse(new, name), _TABLE).get(key) != value:
            new = _change(new, _TABLE, key, value, name)
    return new.replace("\n", "\r\n") if windows else new


def other_environments(text: str | None, name: str) -> list[str]:
    """Those beside `default` with settings of `deploy` of their own, which `sam deploy --config-env` takes instead.

    Raises:
        ConfigError: the file is not TOML.
    """
    document = _parse(text or "", name)
    return sorted(key for key in document if key != _TABLE[0] and _at(document, (key, *_TABLE[1:])))


def _change(text: str, path: tuple[str, ...], key: str, value: str | None, name: str) -> str:
    """Set one key, or take it out; nothing else may change."""
    wanted: Any = copy.deepcopy(_parse(text, name))
    table = wanted
    for part in path:
        table = table.setdefault(part, {})
    table.pop(key, None)
    if value is not None:
        table[key] = value
    for candidate in _candidates(text, path, key, value):
        try:
            if toml.loads(candidate) == wanted:
                return candidate
        except tomllib.TOMLDecodeError:
            continue
    raise ConfigError(f"`{key}` of [{'.'.join(path)}] cannot be changed there without changing more.",
                      remedy=f"Write it as `{key} = ...` on a line of its own under [{'.'.join(path)}].", path=name)  # fmt: skip


def _candidates(text: str, path: tuple[str, ...], key: str, value: str | None) -> list[str]:
    """Texts that may be right; whoever asks reads them."""
    lines = re.split(r"(?<=\n)", text)
    new = f"{key} = {_quoted(value)}" if value is not None else None
    dotted = r"[ \t]*\.[ \t]*".join(map(re.escape, path))
    header = re.compile(rf"[ \t]*\[[ \t]*{dotted}[ \t]*\][ \t]*(?:#.*)?")
    start = next((number for number, line in enumerate(lines) if header.fullmatch(line.rstrip("\n"))), None)
    if start is None:
        gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        return [f"{text}{gap}[{'.'.join(path)}]\n{new}\n"] if new else []
    end = next((number for number in range(start + 1, len(lines)) if _HEADER.match(lines[number])), len(lines))
    written = re.compile(rf"""([ \t]*)["']?{re.escape(key)}["']?[ \t]*=""")
    there = next((number for number in range(start + 1, end) if written.match(lines[number])), None)
    if there is None:
        last = max((number for number in range(start, end) if lines[number].strip()), default=start)
        ended = lines[last] if lines[last].endswith("\n") else f"{lines[last]}\n"
        return ["".join([*lines[:last], ended, f"{new}\n", *lines[last + 1 :]])] if new else []
    found = _COMMENT.match(lines[there])
    body = [] if new is None else [f"{lines[there][: len(lines[there]) - len(lines[there].lstrip())]}{new}{found[1] if found else ''}\n"]
    return ["".join([*lines[:there], *body, *lines[there + count :]]) for count in range(1, min(_MOST_LINES, len(lines) - there) + 1)]


def _parse(text: str, name: str) -> Mapping[str, Any]:
    try:
        return toml.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"Not TOML: {error}.", remedy="Correct it there.", path=name) from error
    except RecursionError as error:
        raise ConfigError("Nested too deep.", remedy="Write it flatter.", path=name) from error


def _at(document: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    for part in path:
        inner = document.get(part)
        document = inner if isinstance(inner, dict) else {}
    return document


def _quoted(value: str) -> str:
    """A basic string of TOML: control characters do not come up in names of files, buckets and regions, and are escaped."""
    body = "".join(f"\\u{ord(char):04x}" if char < " " or char == "\x7f" else f"\\{char}" if char in '"\\' else char for char in value)
    return f'"{body}"'
