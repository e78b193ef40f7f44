"""The distributions of a zip that is not here, as its SBOM states them: what advisories are asked about when only a digest is known.

That the SBOM fits the files of the zip was compared when it was built, and is again wherever the zip lies (`verify FILE.zip`).
"""

from collections.abc import Mapping
from typing import Any

from packaging.utils import canonicalize_name

from shipsafe.errors import IntegrityError
from shipsafe.evidence.reconcile import claims_of
from shipsafe.evidence.schema import validate
from shipsafe.model.attestation import Statement
from shipsafe.model.claims import SbomClaims
from shipsafe.model.tree import Distribution, Source


def stated_distributions(sbom: Statement, *, shown: str) -> tuple[Distribution, ...]:
    """What an SBOM that was vouched for lists.

    Raises:
        IntegrityError: it is not valid CycloneDX, or says where a distribution came from in words that no SBOM of ours has.
    """
    document = sbom.predicate
    if problems := validate(document):
        raise IntegrityError(f"It is not valid CycloneDX: {problems[0][:300]}", remedy="Build it again.", path=shown)
    claims = claims_of(document, shown=shown)
    return tuple(_distribution(one, claims) for one in document.get("components", ()) if one["type"] == "library")


def _distribution(component: Mapping[str, Any], claims: SbomClaims) -> Distribution:
    told = {entry["name"]: entry.get("value", "") for entry in component.get("properties", ())}
    claimed = claims.distributions.get(told.get("shipsafe:metadata", ""))
    return Distribution(
        name=canonicalize_name(component["name"]),
        version=component.get("version"),
        source=claimed.source if claimed else Source.INDEX,
        index=claimed.index if claimed else None,
        location=claimed.location if claimed else None,
    )
