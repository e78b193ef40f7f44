"""What waivers say about vulnerabilities, as VEX says it: shared by the two ways of writing that down.

A waiver with a `justification` claims that the vulnerability does no harm where it was waived (`not_affected`). One without accepts it
(`affected`). Only findings of `dependencies/vulnerable` are vulnerabilities, and what a VEX document from elsewhere allows is not said
again in our name.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from shipsafe.model.finding import Finding
from shipsafe.model.policy import Waiver
from shipsafe.model.record import RunRecord
from shipsafe.reports import tally
from shipsafe.reports.escape import short

_VULNERABLE = "dependencies/vulnerable"
_SENTENCE = 1000
_NAME = 255
_NAMESPACE = uuid.UUID("6f0e1f0a-8f0b-5f8c-9b55-6f3d4c1f7a52")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A distribution in a function or layer.

    Attributes:
        subject: `function:ID` or `layer:ID`; `name` its ID.
        digest: the content digest of what was packed of it, or None.
        package, version: the distribution, None where the finding names none.
    """

    subject: str
    name: str
    digest: str | None
    package: str | None
    version: str | None

    @property
    def purl(self) -> str:
        """Of the function or layer, as its SBOM has it; with the digest only where something was packed."""
        from packageurl import PackageURL  # noqa: PLC0415 - only whoever writes VEX needs it

        return str(PackageURL("generic", None, self.name, self.digest))

    @property
    def package_purl(self) -> str | None:
        """Of the distribution."""
        from packageurl import PackageURL  # noqa: PLC0415

        return str(PackageURL("pypi", None, self.package, self.version)) if self.package else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one waiver says about one vulnerability, everywhere that it was waived."""

    advisory: str
    aliases: tuple[str, ...]
    waiver: Waiver
    places: tuple[Place, ...]

    @property
    def reason(self) -> str:
        """Why, in the words of whoever waived it."""
        return short(self.waiver.reason, _SENTENCE) or "-"

    @property
    def note(self) -> str:
        """Who says so, and until when."""
        ends = f" until {self.waiver.expires.isoformat()}" if self.waiver.expires else ""
        ends += " until a fix is known" if self.waiver.until_fixed else ""
        return f"Waived by {short(self.waiver.owner, _NAME)}{ends}."


def claims(record: RunRecord) -> list[Claim]:
    """Every claim of a run, the worst finding first."""
    digests = {artifact.subject: artifact.content_digest for artifact in record.artifacts}
    found: dict[tuple[str, tuple[str, ...], Waiver], list[Place]] = {}
    for item in tally.waived_worst_first(record):
        finding = item.finding
        if finding.rule != _VULNERABLE or not finding.advisory or item.statement is not None:
            continue
        aliases = tuple(dict.fromkeys(name for alias in finding.aliases if (name := short(alias, _NAME))))
        key = (short(finding.advisory, _NAME) or "-", aliases, item.waiver)
        found.setdefault(key, []).append(_place(finding, digests))
    return [
        Claim(advisory=advisory, aliases=aliases, waiver=waiver, places=tuple(dict.fromkeys(places)))
        for (advisory, aliases, waiver), places in found.items()
    ]


def authors(found: list[Claim], record: RunRecord) -> str:
    """Whoever answers for the claims."""
    owners = dict.fromkeys(name for claim in found if (name := short(claim.waiver.owner, _NAME)))
    return ", ".join(owners) or short(record.project, _NAME) or "shipsafe"


def when(record: RunRecord) -> str:
    """The time of the run's documents, in UTC: `2026-11-01T00:00:00Z`."""
    return datetime.fromtimestamp(record.epoch, UTC).isoformat().replace("+00:00", "Z")


def urn(document: Mapping[str, object]) -> str:
    """A name for a document that depends on nothing but what it says."""
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))}"


def tools(record: RunRecord) -> Iterator[str]:
    """`shipsafe` and its version, in words."""
    yield "shipsafe"
    if version := short(record.tools.get("shipsafe", ""), _NAME):
        yield version


def _place(finding: Finding, digests: Mapping[str, str]) -> Place:
    return Place(
        subject=short(finding.subject, _NAME) or "-",
        name=short(finding.subject.partition(":")[2] or finding.subject, _NAME).strip("/") or "-",
        digest=short(digests.get(finding.subject, ""), _NAME) or None,
        package=short(finding.package or "", _NAME).strip("/") or None,
        version=short(finding.version or "", _NAME) or None,
    )
