"""IAM as far as our policies use it: what recorded calls need, and what a policy grants.

The table is configs/iam/actions.toml. Placeholders of the policies are filled with what the run used, so that a pattern which matches none
of its calls is as visible as a call that no pattern matches.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "iam"
TABLE = tomllib.loads((FOLDER / "actions.toml").read_text(encoding="utf-8"))

_PASSED = "cloudformation:CreateChangeSet"
_PLACEHOLDERS = (
    r"\b(BUCKET|PROFILE|VERSION|ACCOUNT|REGION|EVIDENCE|SIGNING_KEY|APPLICATION|ROLE|TRANSPORT|ROLES|ISSUER|KEY|STACK|STACK_ROLE)\b"
)


@dataclass(frozen=True)
class Need:
    """An action on a resource, and the call that needs it."""

    action: str
    resource: str
    call: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Grant:
    """One action of a statement on one of its resources."""

    action: str
    pattern: str
    conditions: Mapping[str, Any]

    def allows(self, need: Need, facts: Mapping[str, str]) -> bool:
        matches = self.action == need.action and fnmatchcase(need.resource, self.pattern)
        return matches and all(
            _holds(operator, key, value, need, facts) for operator, keys in self.conditions.items() for key, value in keys.items()
        )


@dataclass
class Recorder:
    """What `open_aws(record=...)` tells. Calls are kept by what they ask, not by how often."""

    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        self.calls.append((service, operation, {name: value for name, value in parameters.items() if name != "Body"}))

    def needs(self, facts: Mapping[str, str]) -> list[Need]:
        found: dict[str, Need] = {}
        for service, operation, parameters in self.calls:
            for need in needs_of(f"{service}:{operation}", parameters, facts):
                found[json.dumps([need.action, need.resource, sorted(need.parameters)])] = need
        return list(found.values())


def needs_of(call: str, parameters: Mapping[str, Any], facts: Mapping[str, str]) -> Iterable[Need]:
    rows = [row for row in TABLE["call"] if row["call"] == call]
    assert rows, f"configs/iam/actions.toml has no row for {call}"
    fitting = [row for row in rows if _when(row.get("when", ""), parameters)]
    assert fitting, f"no row of {call} holds for {sorted(parameters)}"
    for row in fitting:
        words = {**facts, **{name: value for name, value in parameters.items() if isinstance(value, str)}}
        for action in row["actions"]:
            yield Need(action, row["resource"].format_map(words), call, parameters)


def _when(text: str, parameters: Mapping[str, Any]) -> bool:
    if not text:
        return True
    word, name = text.split()
    return (name in parameters) == {"with": True, "without": False}[word]


def _holds(operator: str, key: str, value: Any, need: Need, facts: Mapping[str, str]) -> bool:
    match operator, key:
        case "StringEquals", "aws:ResourceAccount":
            return bool(value == facts["account"])
        case "StringEquals", "signer:ProfileVersion":
            return bool(value == facts["version"])
        case "StringEquals", "iam:PassedToService":
            return bool(value == {"lambda:CreateFunction": "lambda.amazonaws.com", _PASSED: "cloudformation.amazonaws.com"}.get(need.call))
        case "StringEquals", "cloudformation:RoleArn":
            return bool(value == need.parameters.get("RoleARN"))
        case "Null", "s3:if-none-match":
            return bool(value == "false" and need.parameters.get("IfNoneMatch") == "*")
        case "ForAllValues:StringEquals", "aws:TagKeys":
            return set(_tag_keys(need)) <= set(value)
        case "Null", "aws:TagKeys":
            return bool(value == "false" and _tag_keys(need))
        case _:
            return False  # what no call of ours shows; such a grant is a dependent one


def _tag_keys(need: Need) -> list[str]:
    return list(need.parameters.get("TagKeys") or need.parameters.get("Tags") or ())


def grants(name: str, facts: Mapping[str, str]) -> list[Grant]:
    """What configs/iam/NAME.json grants, with its placeholders filled."""
    return grants_of(json.loads(_filled((FOLDER / f"{name}.json").read_text(encoding="utf-8"), facts)))


def grants_of(document: Mapping[str, Any]) -> list[Grant]:
    """What a policy without placeholders grants."""
    found = []
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        for action in _many(statement["Action"]):
            found += [Grant(action, pattern, statement.get("Condition", {})) for pattern in _many(statement["Resource"])]
    return found


def dependent(name: str, facts: Mapping[str, str]) -> set[tuple[str, str]]:
    """The action and resource of every dependent permission of a policy."""
    rows = [row for row in TABLE["dependent"] if row["policy"] == name]
    return {(row["action"], _filled(row["resource"], facts)) for row in rows}


def _filled(text: str, facts: Mapping[str, str]) -> str:
    """A text of configs/iam with its placeholders filled, as far as the run knows them."""
    return re.sub(_PLACEHOLDERS, lambda found: facts.get(found[0].lower(), found[0]), text)


def _many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
