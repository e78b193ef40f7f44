"""The AppSpec of a deployment: which alias of which function goes from which version to which.

version: 0.0
Resources:
  - orders:
      Type: AWS::Lambda::Function
      Properties: {Name: orders, Alias: live, CurrentVersion: "1", TargetVersion: "2"}
"""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from shipsafe.local.codedeploy.world import not_reproduced, refusal

_LARGEST = 256 * 1024  # characters
_MEMBERS = ("Name", "Alias", "CurrentVersion", "TargetVersion")


class AppSpec(NamedTuple):
    """What an AppSpec says."""

    function: str
    alias: str
    current: str
    target: str


def read(revision: Mapping[str, Any]) -> tuple[AppSpec, dict[str, str]]:
    """The AppSpec of a revision, and the revision as it is kept.

    Raises:
        ApiError: InvalidRevisionException; 501 for one that lies in S3 or GitHub, and for hooks.
    """
    kind = revision.get("revisionType")
    member = {"AppSpecContent": "appSpecContent", "String": "string"}.get(str(kind))
    if member is None:
        raise not_reproduced(f"a revision of the type {kind}")
    given = revision.get(member) or {}
    content = given.get("content") or ""
    digest = hashlib.sha256(content.encode()).hexdigest()
    if given.get("sha256") and given["sha256"].lower() != digest:
        raise refusal("InvalidRevisionException", "The SHA256 hash of the AppSpec is not the one that was given.")
    return _of(_parsed(content)), {"content": content, "sha256": digest}


def _parsed(content: str) -> Mapping[str, Any]:
    import yaml  # noqa: PLC0415 - only for CodeDeploy

    if len(content) > _LARGEST:
        raise refusal("InvalidRevisionException", "The AppSpec is too large.")
    try:
        value = yaml.safe_load(content)  # JSON is YAML, too
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise refusal("InvalidRevisionException", f"The AppSpec is neither JSON nor YAML: {error}") from error
    if not isinstance(value, Mapping):
        raise refusal("InvalidRevisionException", "The AppSpec is no mapping.")
    return value


def _of(value: Mapping[str, Any]) -> AppSpec:
    if value.get("Hooks") or value.get("hooks"):
        raise not_reproduced("hooks of an AppSpec: no code is run here")
    resources = value.get("Resources") or value.get("resources")
    if not isinstance(resources, list) or len(resources) != 1 or not isinstance(resources[0], Mapping) or len(resources[0]) != 1:
        raise refusal("InvalidRevisionException", "The AppSpec must have exactly one resource.")
    [resource] = resources[0].values()
    properties = {str(name).lower(): item for name, item in resource.items()} if isinstance(resource, Mapping) else {}
    inner = properties.get("properties")
    told = {str(name).lower(): str(item) for name, item in inner.items()} if isinstance(inner, Mapping) else {}
    if properties.get("type") != "AWS::Lambda::Function" or not all(told.get(name.lower()) for name in _MEMBERS):
        raise refusal("InvalidRevisionException", f"The AppSpec's resource must be an AWS::Lambda::Function with {', '.join(_MEMBERS)}.")
    return AppSpec(told["name"], told["alias"], told["currentversion"], told["targetversion"])
