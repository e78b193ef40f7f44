"""A template file -> Node, through libyaml's events or our own JSON events, so that both have right lines and columns."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.errors import ConfigError
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.compose import Event, compose
from shipsafe.readers.template.json_text import NotJsonError, Places, json_events
from shipsafe.readers.template.node import Node, shown

LIMIT = 5 * MEBIBYTE
_TAG_DIRECTIVE = re.compile("^%TAG", re.MULTILINE)
# What neither YAML nor JSON allows to stand in a file as it is: control characters, NUL among them.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_document(path: Path, *, name: str, budget: Budget) -> Node:
    """The template in that file; its value is a mapping.

    Args:
        path: the file.
        name: its `Location.path`, for positions and messages.
        budget: what the project may still cost.

    Raises:
        ConfigError: missing, not a regular file, over 5 MiB, not UTF-8, not YAML or JSON, hostile, or not a mapping.
    """
    text = _read(path, name)
    node = _parse(text, name, budget, json_only=path.suffix == ".json")
    if node is None or node.value is None:
        raise ConfigError("The template is empty.", remedy="Write `Resources`, or name another file.", path=name)
    if not isinstance(node.value, dict):
        raise ConfigError(
            "A template is a mapping, and this is not.",
            remedy="Begin with `Resources:`.",
            path=name,
            line=node.line,
            column=node.column,
        )
    return node


def _read(path: Path, name: str) -> str:
    # Looked at before it is opened: opening a pipe would wait for ever.
    if path.is_file() and (size := path.stat().st_size) > LIMIT:
        raise ConfigError(
            f"{size / MEBIBYTE:.1f} MiB is more than shipsafe reads ({LIMIT // MEBIBYTE} MiB).",
            remedy="CloudFormation itself takes templates of at most 1 MB: split it, or name another file.",
            path=name,
        )
    if path.exists() and not path.is_file():
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


def _parse(text: str, name: str, budget: Budget, *, json_only: bool) -> Node | None:
    if json_only or text.lstrip().startswith("{"):
        try:
            return compose(json_events(text), path=name, budget=budget)
        except NotJsonError as error:
            if json_only:
                line, column = Places(text).of(error.position)
                raise ConfigError(f"Not JSON: {error.what}.", remedy="Correct it there.", path=name, line=line, column=column) from error
    try:
        return compose(_yaml_events(text), path=name, budget=budget)
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


def _yaml_events(text: str) -> Iterator[Event]:
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        match event:
            case yaml.ScalarEvent():
                yield Event("s", line, column, event.value, not event.style, event.tag, event.anchor)
            case yaml.AliasEvent():
                yield Event("*", line, column, event.anchor or "")
            case yaml.CollectionStartEvent():
                kind = "{" if isinstance(event, yaml.MappingStartEvent) else "["
                yield Event(kind, line, column, tag=event.tag, anchor=event.anchor)
            case yaml.CollectionEndEvent():
                yield Event("}" if isinstance(event, yaml.MappingEndEvent) else "]", line, column)
            case yaml.DocumentStartEvent():
                yield Event("d", line, column)
