"""Every other type of resource: written down with a physical id, and nothing else. Its attributes are made up."""

from collections.abc import Mapping
from typing import Any

from shipsafe.local.stacks.kinds.kind import Acting, Kind, Properties

_LONGEST = 63


def _create(acting: Acting, properties: Properties) -> str:
    named = (f"{acting.type.rpartition('::')[2]}Name", "Name")
    given = next((properties[name] for name in named if isinstance(properties.get(name), str)), None)
    return str(given) if given else acting.name(_LONGEST)


def _attributes(acting: Acting, physical: str, _properties: Properties) -> Mapping[str, Any]:
    return {"Arn": acting.arn("cloudformation", f"recorded/{acting.logical}/{physical}")}


def _delete(_acting: Acting, _physical: str, _properties: Properties) -> None:
    """Nothing was made."""


RECORDED = Kind(create=_create, delete=_delete, attributes=_attributes, open=True)
