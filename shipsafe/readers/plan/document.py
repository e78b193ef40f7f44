"""`terraform show -json` of a plan -> the resources as they will be, each with what is known only after apply."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.json_file import read_json
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError

LIMIT = 64 * MEBIBYTE
_MAJOR = re.compile(r"[01]\.[0-9]{1,4}")  # 0.x until Terraform 1.1, the same but for the number
_MOST = 100_000  # resources
_DEEPEST = 30  # modules inside each other
_LONGEST = 4096  # characters of an address
_REMEDY = "Write it with `terraform show -json tfplan > plan.json`."
_STEP = re.compile(r'module\.(?P<name>[A-Za-z0-9_-]+)(?:\[(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<number>[0-9]+))\])?(?:\.|$)')

Key = str | int | None
Steps = tuple[tuple[str, Key], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One instance of a resource or data source.

    Attributes:
        address: `module.api["eu"].aws_lambda_function.create[0]`.
        modules: the modules that it stands in, outermost first: (name, key of `for_each` or `count`).
        key: its own key of `for_each` or `count`, or None.
        data: whether it is a data source.
        values: what is known.
        unknown: what is known only after apply: the same shape, with `true` in place of a value.
        sensitive: likewise, what must not be shown.
    """

    address: str
    modules: Steps
    type: str
    name: str
    key: Key
    data: bool
    values: Mapping[str, Any]
    unknown: Mapping[str, Any] = field(default_factory=dict)
    sensitive: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan.

    Attributes:
        path: its file, as `Location.path` has it.
        resources: those that there will be, data sources among them; those that have been read stand in the prior state alone.
        configuration: the root module as it is written.
        variables: values of the root module's variables.
        gaps: why resources may be missing from it.
    """

    path: str
    resources: tuple[Planned, ...]
    configuration: Mapping[str, Any]
    variables: Mapping[str, Any]
    gaps: tuple[str, ...]

    def of_type(self, *types: str) -> list[Planned]:
        """Every resource and data source of those types."""
        return [one for one in self.resources if one.type in types]


def read_plan(path: Path, *, name: str) -> Plan:
    """The plan in that file.

    Raises:
        ConfigError: it is no plan in JSON, of a format that is not known, or hostile.
    """
    if is_binary(path):
        raise ConfigError("This is the plan as Terraform alone reads it.", remedy=_REMEDY, path=name)
    document = read_json(path, limit=LIMIT, shown=name)
    version = document.get("format_version") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(version, str) or "planned_values" not in document:
        what = "This is a state, not a plan" if isinstance(document, dict) and "values" in document else "This is not a Terraform plan"
        raise ConfigError(f"{what}.", remedy=_REMEDY, path=name)
    if not _MAJOR.fullmatch(version):
        raise ConfigError(f"Format {shown(version)} of Terraform plans is not known.", remedy="Upgrade shipsafe.", path=name)
    changes = _changes(document.get("resource_changes"))
    planned = {one.address: one for one in _resources(document.get("planned_values"), changes, name)}
    before = _resources(table(document, "prior_state").get("values"), {}, name)
    return Plan(
        path=name,
        resources=(*planned.values(), *(one for one in before if one.data and one.address not in planned)),
        configuration=table(table(document, "configuration"), "root_module"),
        variables={key: one.get("value") for key, one in table(document, "variables").items() if isinstance(one, dict)},
        gaps=tuple(_gaps(document)),
    )


def is_binary(path: Path) -> bool:
    """Whether this is what `terraform plan -out` writes: a zip whose first member is `tfplan`."""
    with path.open("rb") as file:
        start = file.read(64)
    return start.startswith(b"PK\x03\x04") and b"tfplan" in start


def table(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping under a key, an empty one where there is none."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def tables(value: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The mappings of the list under a key."""
    found = value.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _gaps(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("errored") is True:
        yield "planning ended in an error"
    elif document.get("complete") is False:
        yield "it was made with -target, or Terraform has put some changes off"
    for one in tables(document, "deferred_changes")[:10]:
        address = table(one, "resource_change").get("address")
        if isinstance(address, str) and "aws_lambda_" in address:
            yield f"{shown(address)} was put off: how many there will be is not known yet"


def _changes(value: Any) -> dict[str, Mapping[str, Any]]:
    """Address -> what is known only after apply."""
    found: dict[str, Mapping[str, Any]] = {}
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict) and isinstance(one.get("address"), str) and "deposed" not in one:
            found[one["address"]] = table(table(one, "change"), "after_unknown")
    return found


def _resources(values: Any, changes: Mapping[str, Mapping[str, Any]], name: str) -> Iterator[Planned]:
    """Every resource of a module and of those in it, in the order of the document."""
    count = 0
    waiting = [(table(values, "root_module"), 0)] if isinstance(values, dict) else []
    while waiting:
        module, depth = waiting.pop()
        steps = _steps(module.get("address"))
        if depth > _DEEPEST or count > _MOST:
            raise ConfigError(f"More than {_DEEPEST} modules inside each other, or {_MOST} resources.", remedy="Split it.", path=name)
        for one in tables(module, "resources"):
            count += 1
            if len(str(one.get("address"))) > _LONGEST:
                raise ConfigError(f"A resource has an address of more than {_LONGEST} characters.", remedy="Shorten its key.", path=name)
            if planned := _planned(one, steps, changes):
                yield planned
        waiting.extend((child, depth + 1) for child in reversed(tables(module, "child_modules")))


def _planned(one: Mapping[str, Any], steps: Steps, changes: Mapping[str, Mapping[str, Any]]) -> Planned | None:
    address, kind, name, key = one.get("address"), one.get("type"), one.get("name"), one.get("index")
    if not isinstance(address, str) or not isinstance(kind, str) or not isinstance(name, str):
        return None
    return Planned(
        address=address,
        modules=steps,
        type=kind,
        name=name,
        key=key if isinstance(key, str | int) else None,
        data=one.get("mode") == "data",
        values=table(one, "values"),
        unknown=changes.get(address, {}),
        sensitive=table(one, "sensitive_values"),
    )


def _steps(address: Any) -> Steps:
    """`module.a["x"].module.b[0]` -> `(("a", "x"), ("b", 0))`."""
    if not isinstance(address, str):
        return ()
    return tuple(
        (step["name"], int(step["number"]) if step["number"] else step["text"]) for step in _STEP.finditer(address)
    )  # fmt: skip
