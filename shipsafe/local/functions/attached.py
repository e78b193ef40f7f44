"""The layers of a function: found by ARN, in whichever account, and taken as they are at that moment.

A version that is deleted later keeps running where it was attached, and cannot be attached anew.
"""

import re
from collections.abc import Sequence

from shipsafe.local.call import Call
from shipsafe.local.functions.admission import Part
from shipsafe.local.functions.packages import LARGEST_UNZIPPED
from shipsafe.local.functions.refusals import invalid, not_reproduced, refusal
from shipsafe.local.functions.state import AttachedLayer, LayerVersion
from shipsafe.local.functions.world import World

MOST = 5
_ARN = re.compile(
    r"(?P<layer>arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:(?P<name>[a-zA-Z0-9_-]+)):(?P<number>\d+)", re.ASCII
)


def attach(world: World, call: Call, arns: Sequence[str], *, before: Sequence[AttachedLayer] = (), code: int = 0) -> list[AttachedLayer]:
    """Find layers by their ARNs. `before`: those that the function has; `code`: bytes of its own code, unzipped.

    Raises:
        ApiError: InvalidParameterValueException or AccessDeniedException, in AWS's words.
    """
    if len(arns) > MOST:
        raise invalid(f"Cannot reference more than {MOST} layers.")
    kept = {layer["arn"]: layer for layer in before}
    layers = [kept.get(arn) or _find(world, call, arn) for arn in arns]
    by_layer: dict[str, str] = {}
    for arn in arns:
        layer = arn.rpartition(":")[0]
        if layer in by_layer:
            raise invalid(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{by_layer[layer]} and {arn}"
            )
        by_layer[layer] = arn
    if code + weight(layers) > LARGEST_UNZIPPED:
        raise invalid(
            f"Function code combined with layers exceeds the maximum allowed size of {LARGEST_UNZIPPED} bytes. "
            f"The actual size is {code + weight(layers)} bytes."
        )
    return layers


def weight(layers: Sequence[AttachedLayer]) -> int:
    """Bytes of layers, unzipped."""
    return sum(layer["unzipped"] for layer in layers)


def parts(layers: Sequence[AttachedLayer]) -> list[Part]:
    """Layers as a code-signing configuration looks at them."""
    return [Part(layer["arn"], layer["seen"]) for layer in layers]


def layer_version(world: World, call: Call, arn: str) -> LayerVersion | None:
    """The version of a layer that the caller may read, or None where there is none.

    Raises:
        ApiError: AccessDeniedException for another account's layer, also for one that does not exist; status 501 for the `awslayer` form.
    """
    found = _ARN.fullmatch(arn)
    if found is None:
        raise not_reproduced(f"AWS's own layers without a version, such as {arn[:200]}")
    layer = world.elsewhere(found["account"], call.region)["layers"].get(found["name"])
    version = layer["versions"].get(found["number"]) if layer and found["region"] == call.region else None
    if found["account"] != call.account and (version is None or not shared_with(version, call)):
        raise refusal(
            "AccessDeniedException",
            f"User: {call.caller or call.account} is not authorized to perform: lambda:GetLayerVersion on resource: {arn} "
            "because no resource-based policy allows the lambda:GetLayerVersion action",
        )
    return version


def shared_with(version: LayerVersion, call: Call) -> bool:
    """Whether a layer's policy names the caller's account, or everybody. One for an organization names nobody: there are none here."""
    for statement in version["policy"]["statements"]:
        principal = statement["Principal"]
        name = principal if isinstance(principal, str) else principal.get("AWS", "")
        if "Condition" not in statement and (name == "*" or call.account in (name, *name.split(":")[4:5])):
            return True
    return False


def _find(world: World, call: Call, arn: str) -> AttachedLayer:
    found = _ARN.fullmatch(arn)
    if found is not None and found["region"] != call.region:
        raise invalid(f"Layers are not in the same region as the function. Layers are expected to be in region {call.region}.")
    version = layer_version(world, call, arn)
    if version is None:
        raise invalid(f"Layer version {arn} does not exist.")
    code = version["code"]
    return {"arn": arn, "size": code["size"], "unzipped": code["unzipped"], "seen": code["seen"]}
