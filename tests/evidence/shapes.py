"""Our published schemas, closed: what is written may hold nothing that they do not describe. Readers take more than that."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types, and tests alone use it

from shipsafe.evidence.predicates import schemas


def closed(name: str) -> jsonschema.Draft202012Validator:
    """The schema of that name, in which every object holds what is described and nothing else."""
    return jsonschema.Draft202012Validator(_closed(json.loads(schemas()[name])))


def _closed(value: Any) -> Any:
    if isinstance(value, list):
        return [_closed(one) for one in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _closed(one) for key, one in value.items()}
    described = value.get("type") == "object" and "properties" in value and "additionalProperties" not in value
    return {**inner, "additionalProperties": False} if described else inner
