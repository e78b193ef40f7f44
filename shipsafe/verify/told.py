"""What a function is to run on, as the provenance of its zip says: runtime, handler, architectures and layers.

It is the builder's word, and only read from a provenance that was vouched for.
"""

from collections.abc import Mapping
from typing import Any

from shipsafe.errors import IntegrityError
from shipsafe.model.attestation import Statement
from shipsafe.model.layer_arn import layer_arn
from shipsafe.model.project import LayerRef
from shipsafe.packing.manifest import Told
from shipsafe.verify.proof import Proof

_MOST = 100  # layers; Lambda attaches five


def told_of(provenance: Statement) -> Told:
    """What `externalParameters.artifact` says.

    Raises:
        IntegrityError: it says nothing, or something of another shape.
    """
    try:
        artifact = provenance.predicate["buildDefinition"]["externalParameters"]["artifact"]
        return Told(
            runtimes=_texts(artifact["runtimes"]),
            handler=_text(artifact["handler"]) if artifact["handler"] is not None else None,
            architectures=_texts(artifact["architectures"]),
            layers=tuple(_layer(one) for one in artifact["layers"][:_MOST]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        what = "The provenance does not say what the function is to run on, or says it in another shape."
        raise IntegrityError(what, remedy="Build it again.") from error


def stated_subject(proof: Proof) -> str:
    """`function:NAME` or `layer:NAME`, as the builder states it; "" where its provenance does not say, or nobody vouches for one."""
    if proof.provenance is None:
        return ""
    try:
        return _text(proof.provenance.statement.predicate["buildDefinition"]["externalParameters"]["artifact"]["subject"])
    except (KeyError, TypeError):
        return ""


def subject_of(proof: Proof, manifest: str = "") -> str:
    """As the builder states it; else as the release manifest has it, where there is one; else as the gates were asked about it."""
    asked = proof.gates.statement.predicate.get("subject") if proof.gates else None
    return stated_subject(proof) or manifest or str(asked or "")


def _layer(entry: Mapping[str, Any]) -> LayerRef:
    text = _text(entry["text"])
    if entry.get("arn") is not None:
        return layer_arn(_text(entry["arn"]), text=text, location=None)
    return LayerRef(text=text, local=entry.get("local"), unresolved=_text(entry.get("unresolved") or ""))


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError
    return tuple(_text(value) for value in values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
