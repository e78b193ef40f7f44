"""The policy for people and for editors: the effective document, a file to start from, the schema, the reference page."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from shipsafe.adapters.shown import shown
from shipsafe.model.policy import Policy
from shipsafe.policy.chain import PRESETS, preset_text
from shipsafe.policy.keys import KEYS, TABLE_LISTS
from shipsafe.policy.kinds import Key, Kind


def show(policy: Policy, *, origin: bool) -> str:
    """The effective policy as TOML; with `origin`, each line says where its value comes from."""
    lines = [f"# digest {policy.digest}"]
    lines += _table(policy.effective, "", policy.origins if origin else {})
    return "\n".join(lines) + "\n"


def _table(values: Mapping[str, Any], path: str, origins: Mapping[str, str], *, entry: bool = False) -> Iterator[str]:
    """The lines of a table. Tables in an `entry` of a list are written inline: its number is no part of a header."""
    tables, lists = [], []
    for key, value in values.items():
        here = f"{path}{key}"
        if here in TABLE_LISTS:
            lists.append((here, value))
        elif isinstance(value, dict) and not entry and here != "advisories.source":
            tables.append((here, value))
        else:
            note = f"  # {_shown(origins[here])}" if here in origins else ""
            yield f"{_key(key)} = {_value(value)}{note}"
    for here, table in tables:
        yield ""
        yield f"[{here}]"
        yield from _table(table, f"{here}.", origins)
    for here, entries in lists:
        for number, item in enumerate(entries):
            yield ""
            yield f"[[{here}]]"
            yield from _table(item, f"{here}.{number}.", origins, entry=True)


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, date):
        return value.isoformat()
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    """A basic string of TOML that a terminal and a runner of workflows only show: what does not print is escaped, and so is `##[`."""
    quoted = json.dumps(text, ensure_ascii=False)
    escaped = "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)
    return escaped.replace("##[", r"##\u005b")


def _shown(origin: str) -> str:
    return shown(origin, 200).replace("##[", "## [")


def init_text() -> str:
    """A commented shipsafe.toml to start from."""
    return """\
# The policy of this project. `shipsafe policy show --origin` prints what holds and where it comes from.
# For editors: `shipsafe policy schema`.
extends = "baseline"      # or "strict", for releases

# An old project begins with `shipsafe check --write-baseline shipsafe-baseline.toml`; later runs fail only on what is new.
# baseline = "shipsafe-baseline.toml"

# Layers from these accounts are ours.
# accounts = ["111122223333"]

# Distributions that are ours and in no advisory feed.
# first-party = ["acme-*"]

# Where evidence is kept, beyond the folder of the newest release: going back, audits and promotion need that of older ones.
# evidence = "s3://orders-evidence/shipsafe"

# Start by looking: report, and block from a day on.
# [gates.lint]
# enforce-from = 2027-01-01

# [gates.dependencies]
# fail-on = "high:fixable"

# Accept one finding at one place, with a reason, an owner and an end.
# [[waivers]]
# advisory = "CVE-2026-1234"
# subject = "function:Billing"
# reason = "No fix yet; the parser is not reachable."
# owner = "team@example.com"
# expires = 2027-01-31

# Sign with AWS Signer: `shipsafe bootstrap` makes what is missing there, `shipsafe sign` signs. A profile's name takes no hyphens, and is
# taken for ever; the two pseudo parameters make the bucket's name one of its own in every account and region.
# [[sign.target]]
# name = "prod"
# account = "111122223333"
# region = "eu-central-1"
# profile = "orders_2026"
# bucket = "orders-artifacts-${AWS::AccountId}-${AWS::Region}"

# How functions go live: `shipsafe deploy`. Alarms and a smoke test take a release back by themselves.
# [deploy]
# alias = "live"
# rollout = "canary"
# alarms = ["orders-errors"]
"""


def policy_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of shipsafe.toml."""
    root: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
    for key in KEYS:
        node = root
        parts = key.path.split(".")
        for number, part in enumerate(parts[:-1]):
            if part == "*":
                continue
            is_list = parts[number + 1] == "*"
            empty: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
            there = node["properties"].setdefault(part, {"type": "array", "items": empty} if is_list else empty)
            node = there["items"] if is_list else there
        node["properties"][parts[-1]] = {"description": key.doc, **_schema(key)}
        if key.needed:
            node.setdefault("required", []).append(parts[-1])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "shipsafe policy", **root}


def _schema(key: Key) -> dict[str, Any]:  # noqa: C901, PLR0912 - one line a kind
    text: dict[str, Any] = {"type": "string"}
    sha256 = {"type": "string", "pattern": "^(sha256:)?[0-9a-fA-F]{64}$"}
    match key.kind:
        case Kind.TEXT_OR_TEXTS:
            return {"oneOf": [text, {"type": "array", "items": text}]}
        case Kind.TEXTS:
            return {"type": "array", "items": {"enum": list(key.choices)} if key.choices else text}
        case Kind.FLAG:
            return {"type": "boolean"}
        case Kind.COUNT:
            return {"type": "integer", "minimum": 1}
        case Kind.DATE:
            return {"type": "string", "format": "date"}
        case Kind.AGE:
            return {"type": "string", "pattern": "^([0-9]{1,5}d|off)$"}
        case Kind.SPAN:
            return {"type": "string", "pattern": "^[0-9]{1,5}[smhd]$"}
        case Kind.THRESHOLD:
            return {"enum": [*key.choices, *(f"{one}:fixable" for one in key.choices if one != "never")]}
        case Kind.CHOICE:
            return {"enum": list(key.choices)}
        case Kind.TEXT_TABLE:
            return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
        case Kind.EXTENDS:
            by = [{"type": "object", "additionalProperties": False, "required": [name, "sha256"],
                   "properties": {name: text, "sha256": sha256}} for name in ("path", "url")]  # fmt: skip
            return {"oneOf": [{"enum": list(PRESETS)}, *by]}
        case Kind.SOURCE:
            folder = {"type": "object", "additionalProperties": False, "required": ["path"],
                      "properties": {"path": text, "date": {"type": "string", "format": "date"}}}  # fmt: skip
            return {"oneOf": [{"enum": list(key.choices)}, folder]}
        case Kind.TEXT:
            return text


def reference_markdown() -> str:
    """The reference page: every key, what it may be, and an example."""
    lines = [
        "# The policy",
        "",
        "Generated from the code. `shipsafe.toml`, or `[tool.shipsafe]` of `pyproject.toml`: the nearest one from the project's folder up",
        "to the repository. Unknown keys are errors. Without a file the preset `baseline` holds.",
        "",
    ]
    sections = dict.fromkeys(_section(key) for key in KEYS)
    for section in sections:
        lines += [f"## {section}", "", "| key | value | meaning | example |", "|---|---|---|---|"]
        for key in KEYS:
            if _section(key) == section:
                last = key.path.rpartition(".")[2] if section != "Top level" else key.path
                choices = f": {', '.join(key.choices)}" if key.choices else ""
                lines.append(f"| `{last}` | {key.kind}{choices} | {key.doc} | `{key.example}` |")
        lines.append("")
    for name in PRESETS:
        lines += [f"## Preset `{name}`", "", "```toml", preset_text(name).rstrip(), "```", ""]
    return "\n".join(lines)


def _section(key: Key) -> str:
    parent = key.path.rpartition(".")[0]
    if not parent:
        return "Top level"
    return f"`[[{parent.removesuffix('.*')}]]`" if parent.endswith(".*") else f"`[{parent}]`"


def generated_configs() -> dict[str, str]:
    """What users take from `configs/`: path in the repository -> text."""
    schema = json.dumps(policy_schema(), indent=2) + "\n"
    return {f"configs/{name}.toml": preset_text(name) for name in PRESETS} | {"configs/policy.schema.json": schema}
