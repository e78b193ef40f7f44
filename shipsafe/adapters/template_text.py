"""The text of a template, and the steps through it: YAML through libyaml, JSON through our own reader, so that both have right places.

Whoever makes something of the steps bounds it while it is made: a small text can describe a very large document.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import yaml

from shipsafe.adapters.events import Event
from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.adapters.json_events import NotJsonError, Places, json_events
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError

LIMIT = 5 * MEBIBYTE
_TAG_DIRECTIVE = re.compile("^%TAG", re.MULTILINE)
# What neither YAML nor JSON allows to stand in a file as it is: control characters, NUL among them.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

BuiltT = TypeVar("BuiltT")


def read_text(path: Path, *, name: str) -> str:
    """The text of a template, without a byte order mark; `name` is its `Location.path`, for places and messages.

    Raises:
        ConfigError: missing, not a regular file, over 5 MiB, not UTF-8, or with what no template has.
    """
    try:
        # Looked at before it is opened: opening a pipe would wait for ever.
        is_file = path.is_file()
        size = path.stat().st_size if is_file else 0
        is_other = not is_file and path.exists()
    except OSError as error:  # a name that is too long, or a folder that may not be searched
        raise ConfigError(f"Cannot be read: {error.strerror}.", remedy="Check the path and its rights.", path=shown(name)) from error
    if size > LIMIT:
        raise ConfigError(
            f"{size / MEBIBYTE:.1f} MiB is more than shipsafe reads ({LIMIT // MEBIBYTE} MiB).",
            remedy="CloudFormation itself takes templates of at most 1 MB: split it, or name another file.",
            path=name,
        )
    if is_other:
        raise ConfigError("Not a regular file.", remedy="Name a template file.", path=name)
    data = read_bounded(path, limit=LIMIT, shown=name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("Not UTF-8.", remedy="Save the template as UTF-8.", path=name, line=line) from error
    # libyaml compares every tag directive with every other one: 100,000 of them (2 MB) keep it busy for 23 s.
    if directive := _TAG_DIRECTIVE.search(text):
        line, column = Places(text).of(directive.start())
        raise ConfigError("Tag directives are not CloudFormation's.", remedy="Take `%TAG` out.", path=name, line=line, column=column)
    if bad := _FORBIDDEN.search(text):
        line, column = Places(text).of(bad.start())
        raise ConfigError(f"Control character U+{ord(bad[0]):04X}.", remedy="Take it out.", path=name, line=line, column=column)
    return text


def parse(text: str, build: Callable[[Iterable[Event]], BuiltT], *, name: str, json_only: bool) -> BuiltT:
    """What `build` makes of the steps through that text; it is called a second time where what looked like JSON is YAML.

    Raises:
        ConfigError: it is neither YAML nor JSON; and whatever `build` raises.
    """
    if json_only or looks_like_json(text):
        try:
            return build(json_events(text))
        except NotJsonError as error:
            if json_only:
                line, column = Places(text).of(error.position)
                raise ConfigError(f"Not JSON: {error.what}.", remedy="Correct it there.", path=name, line=line, column=column) from error
    try:
        return build(_yaml_events(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        context = f"{error.context}, " if error.context else ""
        raise ConfigError(
            f"Not YAML: {shown(f'{context}{error.problem}')}.",
            remedy="Correct it there; often the indentation or a missing quote is to blame.",
            path=name,
            line=mark.line + 1 if mark else None,
            column=mark.column + 1 if mark else None,
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"Not YAML: {shown(str(error))}.", remedy="Correct the file.", path=name) from error


def looks_like_json(text: str) -> bool:
    """Whether a text that may be YAML is first tried as JSON."""
    return text.lstrip().startswith("{")


def _yaml_events(text: str) -> Iterator[Event]:
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        start, end = (mark.index, event.end_mark.index) if mark and event.end_mark else (0, 0)
        match event:
            case yaml.ScalarEvent():
                yield Event("s", line, column, event.value, not event.style, event.tag, event.anchor, start=start, end=end)
            case yaml.AliasEvent():
                yield Event("*", line, column, event.anchor or "", start=start, end=end)
            case yaml.CollectionStartEvent():
                kind = "{" if isinstance(event, yaml.MappingStartEvent) else "["
                yield Event(kind, line, column, tag=event.tag, anchor=event.anchor, flow=bool(event.flow_style), start=start, end=end)
            case yaml.CollectionEndEvent():
                yield Event("}" if isinstance(event, yaml.MappingEndEvent) else "]", line, column, start=start, end=end)
            case yaml.DocumentStartEvent():
                yield Event("d", line, column)
