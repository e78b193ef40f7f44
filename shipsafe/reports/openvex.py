"""OpenVEX 0.2.0, written from waivers, for whoever scans the same functions with another tool.

A product is a function or layer, by the purl that its SBOM gives it; its subcomponent is the distribution. A run in which no waiver
speaks of a vulnerability gives a document without statements, which says nothing to anybody.

Reference: https://github.com/openvex/spec, OPENVEX-SPEC.md.
"""

from typing import Any

from shipsafe.model.record import RunRecord
from shipsafe.model.report import Report
from shipsafe.reports.claims import Claim, Place, authors, claims, tools, urn, when
from shipsafe.reports.strict_json import dump


def write(record: RunRecord) -> str:
    """The waivers of a run as an OpenVEX document."""
    found = claims(record)
    document: dict[str, Any] = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "author": authors(found, record),
        "timestamp": when(record),
        "version": 1,
        "tooling": " ".join(tools(record)),
        "statements": [_statement(claim) for claim in found],
    }
    return dump({"@context": document["@context"], "@id": urn(document), **document})


def _statement(claim: Claim) -> dict[str, Any]:
    vulnerability: dict[str, Any] = {"name": claim.advisory}
    if claim.aliases:
        vulnerability["aliases"] = claim.aliases
    statement = {"vulnerability": vulnerability, "products": [_product(place) for place in claim.places], "status_notes": claim.note}
    if claim.waiver.justification:
        why = {"justification": claim.waiver.justification, "impact_statement": claim.reason}
        return statement | {"status": "not_affected"} | why
    return statement | {"status": "affected", "action_statement": claim.reason}


def _product(place: Place) -> dict[str, Any]:
    inner = place.package_purl
    return {"@id": place.purl} | ({"subcomponents": [{"@id": inner}]} if inner else {})


REPORT = Report(id="openvex", summary="OpenVEX 0.2.0, written from the waivers of vulnerabilities.", write=write)
