"""CycloneDX VEX 1.6, written from waivers: the same claims as in OpenVEX, for tools that read CycloneDX.

Functions and layers are components by the names that their SBOMs give them; a waived distribution stands inside the one that holds it.

Reference: https://cyclonedx.org/capabilities/vex/.
"""

from typing import Any

from shipsafe.model.record import RunRecord
from shipsafe.model.report import Report
from shipsafe.reports.claims import Claim, Place, authors, claims, tools, urn, when
from shipsafe.reports.strict_json import dump

# OpenVEX's words -> CycloneDX's. What has no equal keeps its own word in the detail.
_JUSTIFICATIONS = {
    "component_not_present": "code_not_present",
    "vulnerable_code_not_present": "code_not_present",
    "vulnerable_code_not_in_execute_path": "code_not_reachable",
    "vulnerable_code_cannot_be_controlled_by_adversary": "requires_environment",
    "inline_mitigations_already_exist": "protected_by_mitigating_control",
}


def write(record: RunRecord) -> str:
    """The waivers of a run as a CycloneDX document."""
    found = claims(record)
    name, *version = tools(record)
    tool = {"type": "application", "name": name} | ({"version": version[0]} if version else {})
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"timestamp": when(record), "tools": {"components": [tool]}, "authors": [{"name": authors(found, record)}]},
        "components": _components(found),
        "vulnerabilities": [_vulnerability(claim) for claim in found],
    }
    return dump({"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "serialNumber": urn(document), **document})


def _components(found: list[Claim]) -> list[dict[str, Any]]:
    places = list(dict.fromkeys(place for claim in found for place in claim.places))
    return [
        {
            "type": "application",
            "bom-ref": subject,
            "name": inside[0].name,
            "purl": inside[0].purl,
            "components": [_distribution(place) for place in inside if place.package],
        }
        for subject in dict.fromkeys(place.subject for place in places)
        if (inside := [place for place in places if place.subject == subject])
    ]


def _distribution(place: Place) -> dict[str, Any]:
    component = {"type": "library", "bom-ref": _ref(place), "name": place.package, "purl": place.package_purl}
    return component | ({"version": place.version} if place.version else {})


def _ref(place: Place) -> str:
    if not place.package:
        return place.subject
    version = f" {place.version}" if place.version else ""
    return f"{place.package}{version} in {place.subject}"


def _vulnerability(claim: Claim) -> dict[str, Any]:
    analysis: dict[str, Any]
    if claim.waiver.justification:
        word = claim.waiver.justification
        analysis = {"state": "not_affected", "justification": _JUSTIFICATIONS[word], "detail": f"{word}: {claim.reason} {claim.note}"}
    else:
        response = "update" if claim.waiver.until_fixed else "will_not_fix"
        analysis = {"state": "exploitable", "response": [response], "detail": f"{claim.reason} {claim.note}"}
    vulnerability: dict[str, Any] = {"id": claim.advisory}
    if claim.aliases:
        vulnerability["references"] = [{"id": alias, "source": {"name": "OSV"}} for alias in claim.aliases]
    return vulnerability | {"analysis": analysis, "affects": [{"ref": ref} for ref in dict.fromkeys(_ref(one) for one in claim.places)]}


REPORT = Report(id="cyclonedx-vex", summary="CycloneDX VEX 1.6, written from the waivers of vulnerabilities.", write=write)
