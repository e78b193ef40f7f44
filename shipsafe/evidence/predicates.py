"""The shapes of our own predicates, published under docs/predicates and held by every reader.

A version of a predicate never loses a field and never gives one another meaning; whoever reads it ignores what it does not know
(https://github.com/in-toto/attestation/blob/main/spec/v1/README.md#parsing-rules). What breaks that is a new version, with its own URN.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from shipsafe.errors import IntegrityError
from shipsafe.model.attestation import Predicate

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

_FILES = {
    Predicate.GATES.value: "gates-v1",
    Predicate.SIGNING.value: "signing-v1",
    Predicate.PROVENANCE.value: "build-v1",
    Predicate.DEPLOYMENT.value: "deployment-v1",
    Predicate.OVERRIDE.value: "override-v1",
}
_REMEDY = "Find out who wrote it, and build again."


def check(kind: str, predicate: Mapping[str, Any], *, shown: str) -> None:
    """Hold a predicate against the schema of its type; of types that are not ours, nothing is asked.

    Raises:
        IntegrityError: it does not fit.
    """
    if kind in _FILES and (problem := next(_validator(_FILES[kind]).iter_errors(predicate), None)):
        where = "/".join(str(part) for part in problem.instance_path) or "its top"
        raise IntegrityError(f"It is not {kind}: at {where[:200]}, {problem.message[:200]}.", remedy=_REMEDY, path=shown)


def schemas() -> dict[str, str]:
    """The schemas by name (`gates-v1`), as texts."""
    return {name: _text(name) for name in sorted(_FILES.values())}


def _text(name: str) -> str:
    return files("shipsafe.evidence").joinpath(f"data/{name}.schema.json").read_text(encoding="utf-8")


@cache
def _validator(name: str) -> "Draft202012Validator":
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - only whoever verifies needs it

    return Draft202012Validator(json.loads(_text(name)))
