"""AWS::Lambda::LayerVersion and who else may use it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from shipsafe.local.stacks.kinds.kind import Acting, Kind, Properties, if_there
from shipsafe.local.stacks.kinds.properties import fitted

_LONGEST = 140


def _publish(acting: Acting, properties: Properties) -> str:
    given = {"LayerName": acting.name(_LONGEST), **fitted("PublishLayerVersion", properties)}
    return str(acting.ask("PublishLayerVersion", **given)["LayerVersionArn"])


def _delete(acting: Acting, physical: str, _properties: Properties) -> None:
    layer, _, number = physical.rpartition(":")
    if_there(partial(acting.ask, "DeleteLayerVersion", LayerName=layer, VersionNumber=int(number)))


def _attributes(_acting: Acting, physical: str, _properties: Properties) -> Mapping[str, Any]:
    return {"LayerVersionArn": physical}


def _permit(acting: Acting, properties: Properties) -> str:
    layer, _, number = str(properties.get("LayerVersionArn", "")).rpartition(":")
    statement = acting.name(100)
    given = fitted(
        "AddLayerVersionPermission", {**properties, "LayerName": layer, "VersionNumber": number}, without=frozenset(("LayerVersionArn",))
    )
    acting.ask("AddLayerVersionPermission", StatementId=statement, **given)
    return statement


def _forbid(acting: Acting, physical: str, properties: Properties) -> None:
    layer, _, number = str(properties.get("LayerVersionArn", "")).rpartition(":")
    if_there(partial(acting.ask, "RemoveLayerVersionPermission", LayerName=layer, VersionNumber=int(number), StatementId=physical))


LAYER_VERSION = Kind(create=_publish, delete=_delete, replaced_by=None, attributes=_attributes)
LAYER_PERMISSION = Kind(create=_permit, delete=_forbid, replaced_by=None)
