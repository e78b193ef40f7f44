"""Templates as they are asked for: of a stack or a change set, or what one would need."""

import json
from collections.abc import Mapping
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.stacks.bodies import text_of
from shipsafe.local.stacks.capabilities import needed
from shipsafe.local.stacks.document import document
from shipsafe.local.stacks.intrinsics import as_text
from shipsafe.local.stacks.state import Source, Stack
from shipsafe.local.stacks.transform import transforms
from shipsafe.local.stacks.world import Operation, World, find, find_change_set, invalid


def get_template(world: World, call: Call) -> dict[str, Any]:
    """GetTemplate, as it was sent or as its transforms made it, of a stack or of a change set."""
    given = call.parameters
    source = find_change_set(world, call)[1]["source"] if given.get("ChangeSetName") else source_of(find(world, call, _named(given)))
    if source is None:  # there is nothing but a change set
        raise invalid(f"Stack with id {given['StackName']} does not exist")
    processed = given.get("TemplateStage") == "Processed"
    return {
        "TemplateBody": json.dumps(source["processed"]) if processed else source["text"],
        "StagesAvailable": ["Original", "Processed"],
    }


def get_template_summary(world: World, call: Call) -> dict[str, Any]:
    """GetTemplateSummary, of a template or of the one that a stack has."""
    given = call.parameters
    if given.get("StackName"):
        source = source_of(find(world, call, given["StackName"]))
        read = document(source["text"]) if source is not None else None
    else:
        read = document(text_of(world, given, None))
    if read is None:
        raise invalid(f"Stack with id {given['StackName']} does not exist")
    told = _needed(read) | {
        "Parameters": [
            {
                **_parameter(name, one),
                "ParameterType": one.get("Type"),
                "ParameterConstraints": {"AllowedValues": [as_text(value) for value in one.get("AllowedValues") or ()]},
            }
            for name, one in (read.get("Parameters") or {}).items()
        ],
        "ResourceTypes": sorted({one["Type"] for one in read["Resources"].values()}),
        "Version": read.get("AWSTemplateFormatVersion"),
    }
    return told | ({"Metadata": json.dumps(read["Metadata"])} if read.get("Metadata") else {})


def validate_template(world: World, call: Call) -> dict[str, Any]:
    """ValidateTemplate."""
    read = document(text_of(world, call.parameters, None))
    return _needed(read) | {"Parameters": [_parameter(name, one) for name, one in (read.get("Parameters") or {}).items()]}


def source_of(stack: Stack) -> Source | None:
    """What a stack is made from, or is about to be."""
    return stack["work"]["source"] if stack["work"] is not None and not stack["work"]["back"] else stack["source"]


def _needed(read: Mapping[str, Any]) -> dict[str, Any]:
    """What a template says of itself, and the capabilities that it needs as it stands."""
    told: dict[str, Any] = {"Description": read.get("Description")}
    if found := needed(read):
        told["Capabilities"] = sorted({capability for capability, _ in found})[-1:]
        told["CapabilitiesReason"] = f"The following resource(s) require capabilities: [{', '.join(sorted({kind for _, kind in found}))}]"
    if transforms(read):
        told["DeclaredTransforms"] = transforms(read)
    return told


def _parameter(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ParameterKey": name,
        "DefaultValue": as_text(one["Default"]) if one.get("Default") is not None else None,
        "NoEcho": str(one.get("NoEcho")).lower() == "true",
        "Description": one.get("Description"),
    }


def _named(given: Mapping[str, Any]) -> str:
    if not given.get("StackName"):
        raise invalid("Either StackName or ChangeSetName must be specified.")
    return str(given["StackName"])


_NOTE = "capabilities of what stands in the template, not of what SAM makes of it"
OPERATIONS = {
    "GetTemplate": Operation(get_template),
    "GetTemplateSummary": Operation(get_template_summary, _NOTE),
    "ValidateTemplate": Operation(validate_template, _NOTE),
}
