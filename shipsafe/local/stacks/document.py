"""The text of a template -> plain values, as CloudFormation reads it: JSON or YAML 1.1 without aliases, short forms written out.

    !Sub "${Stage}"  ->  {"Fn::Sub": "${Stage}"}

What is refused here is refused in CloudFormation's words where they are known ("Template format error: ...").
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shipsafe.adapters.events import Event
from shipsafe.adapters.template_text import parse
from shipsafe.errors import ConfigError
from shipsafe.local.call import ApiError
from shipsafe.local.stacks.world import invalid

_DEEPEST = 64  # lists and mappings inside each other
_MOST = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200, "Conditions": 500}  # "CloudFormation quotas"
_SECTIONS = frozenset((
    "AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata", "Outputs", "Parameters",
    "Resources", "Rules", "Transform",
))  # fmt: skip
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NULLS = frozenset(("", "~", "null"))
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+", re.ASCII)
_LONGEST_NUMBER = 18  # digits; a longer one is an id, and stays text
_CORE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq"))


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended."""

    event: Event
    value: Any
    key: str | None = field(default=None)


def document(text: str) -> dict[str, Any]:
    """A template's value.

    Raises:
        ApiError: ValidationError: it is no template.
    """
    try:
        value = parse(text, _build, name="template", json_only=False)
    except (ConfigError, RecursionError) as error:
        raise invalid(f"Template format error: {error}") from error
    if not isinstance(value, dict):
        raise invalid("Template format error: unsupported structure.")
    _check(value)
    return value


def _check(value: Mapping[str, Any]) -> None:
    if unknown := sorted(set(value) - _SECTIONS):
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)[:500]}]")
    resources = value.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise invalid("Template format error: At least one Resources member must be defined.")
    for section, most in _MOST.items():
        members = value.get(section) or {}
        if not isinstance(members, dict) or not all(isinstance(one, dict) for one in members.values()):
            raise invalid(f"Template format error: [/{section}] Every {section} member must be an object.")
        if len(members) > most:
            raise invalid(f"Template format error: Number of {section.lower()}, {len(members)}, is greater than maximum allowed, {most}")
    for logical, one in resources.items():
        if not re.fullmatch("[a-zA-Z0-9]{1,255}", logical):
            raise invalid(f"Template format error: Resource name {logical[:300]} is non alphanumeric.")
        _check_resource(logical, one)
    for name, one in (value.get("Outputs") or {}).items():
        if not isinstance(one.get("Export") or {}, dict) or not isinstance(one.get("Condition", ""), str):
            raise invalid(f"Template format error: [/Outputs/{name[:300]}] Export must be an object, and Condition a string.")


def _check_resource(logical: str, one: Mapping[str, Any]) -> None:
    if not isinstance(one.get("Type"), str):
        raise invalid(f"Template format error: [/Resources/{logical}] Every Resources object must contain a Type member.")
    if one["Type"].count("::") < 1:
        raise invalid(f"Template format error: Unrecognized resource types: [{one['Type'][:300]}]")
    for name in ("Properties", "UpdatePolicy", "Metadata"):
        if not isinstance(one.get(name) or {}, dict):
            raise invalid(f"Template format error: [/Resources/{logical}] {name} must be an object.")
    after = one.get("DependsOn") or []
    if not isinstance(one.get("Condition", ""), str) or not all(
        isinstance(name, str) for name in (after if isinstance(after, list) else [after])
    ):
        raise invalid(f"Template format error: [/Resources/{logical}] Condition is a string, and DependsOn a string or a list of them.")


def _build(events: Iterable[Event]) -> Any:
    opened: list[_Open] = []
    root: Any = None
    documents = 0
    for event in events:
        match event.kind:
            case "*":
                raise _refused(event, "YAML aliases are not allowed in CloudFormation templates")
            case "d":
                documents += 1
                if documents > 1:
                    raise _refused(event, "Only one document is allowed")
            case "{" | "[":
                if len(opened) >= _DEEPEST:
                    raise _refused(event, "nested too deeply")
                opened.append(_Open(event, {} if event.kind == "{" else []))
            case "}" | "]":
                ended = opened.pop()
                root = _placed(opened, ended.event, ended.value, root)
            case _ if opened and isinstance(opened[-1].value, dict) and opened[-1].key is None:
                if event.text in opened[-1].value:
                    raise _refused(event, f"Duplicate key {event.text[:100]}")
                opened[-1].key = event.text
            case _:
                root = _placed(opened, event, _scalar(event), root)
    return root


def _placed(opened: list[_Open], event: Event, value: Any, root: Any) -> Any:
    """Put a finished value where it belongs; the root as it is then."""
    value = _long_form(event, value)
    if not opened:
        return value
    parent = opened[-1]
    if isinstance(parent.value, list):
        parent.value.append(value)
    elif parent.key is None:
        raise _refused(event, "a key is not text")
    else:
        parent.value[parent.key] = value
        parent.key = None
    return root


def _scalar(event: Event) -> Any:
    text = event.text
    if not event.plain or event.tag is not None:
        return text
    if text.lower() in _NULLS:
        return None
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if len(text) <= _LONGEST_NUMBER and _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if len(text) <= _LONGEST_NUMBER and _FLOAT.fullmatch(text) else text


def _long_form(event: Event, value: Any) -> Any:
    tag = event.tag or "!"
    if tag == "!" or tag in _CORE_TAGS:
        return value
    name = tag.removeprefix("!")
    if not tag.startswith("!") or not name.isalnum():
        raise _refused(event, f"unsupported tag {tag[:100]}")
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{name}": value}


def _refused(event: Event, why: str) -> ApiError:
    return invalid(f"Template format error: {why} (line {event.line}, column {event.column})")
