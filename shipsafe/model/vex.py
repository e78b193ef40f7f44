"""What VEX documents say: whether a vulnerability matters in a product, who says so, since when and why.

A statement is trusted as the policy is, because the policy or the command line names its document. Only the judge decides what follows
from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from shipsafe.model.finding import Finding
from shipsafe.model.location import Location
from shipsafe.model.policy import Waiver

# The words of OpenVEX 0.2.0 (https://github.com/openvex/spec), which are CISA's.
JUSTIFICATIONS = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)


class Status(StrEnum):
    """The four that VEX knows; CycloneDX's six states are read as these."""

    NOT_AFFECTED = "not_affected"
    AFFECTED = "affected"
    FIXED = "fixed"
    UNDER_INVESTIGATION = "under_investigation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a statement speaks of: a distribution, a function or layer, or a distribution in one of these.

    Attributes:
        text: as the document names it.
        package: the distribution, normalised; `version` the one version that is meant, None for all.
        subject: `function:ID`, `layer:ID` or a bare ID; None for wherever the distribution is.
        digest: the content digest (`sha256:...`) that the subject must have, None for any.

    One without `package` and `subject` is nothing that can be found here (a container image, a CPE), and covers nothing.
    """

    text: str
    package: str | None = None
    version: str | None = None
    subject: str | None = None
    digest: str | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is in it."""
        if self.package is None and self.subject is None:
            return False
        return (
            self.package in (None, finding.package)
            and self.version in (None, finding.version)
            and self.subject in (None, finding.subject, finding.subject.partition(":")[2])
        )

    def is_there(self, digests: Mapping[str, str]) -> bool:
        """Whether the content that it names, where it names one, is that of the function or layer (subject -> content digest)."""
        subjects = (self.subject or "", f"function:{self.subject}", f"layer:{self.subject}")
        return self.digest is None or self.digest in [digests.get(subject) for subject in subjects]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of one document.

    Attributes:
        source: the document, as the user knows it; `pointer` the JSON pointer to the statement in it.
        vulnerability: its id; `aliases` its other ids.
        justification: why it is not affected, in the document's own vocabulary, or "".
        detail: the author's own words (impact or action statement, notes), or "".
        time: when it was made (its own, else its document's), in UTC; None when nothing says so.
    """

    source: str
    pointer: str
    vulnerability: str
    status: Status
    products: tuple[Product, ...]
    author: str
    time: datetime | None = None
    aliases: tuple[str, ...] = ()
    justification: str = ""
    detail: str = ""

    @property
    def clears(self) -> bool:
        """Whether it says that there is nothing to fear, and why: `not_affected` without a reason is a bare claim."""
        return self.status is Status.FIXED or (self.status is Status.NOT_AFFECTED and bool(self.justification or self.detail))

    @property
    def ids(self) -> frozenset[str]:
        """Every id of its vulnerability, casefolded."""
        return frozenset(one.casefold() for one in (self.vulnerability, *self.aliases))

    @property
    def place(self) -> str:
        """`security/vex.json#/statements/0`."""
        return f"{self.source}#{self.pointer}"

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of that finding: of its advisory, by any id, in one of its products."""
        known = {one.casefold() for one in (finding.advisory, *finding.aliases) if one}
        return not known.isdisjoint(self.ids) and any(product.covers(finding) for product in self.products)

    def about(self, finding: Finding) -> "Statement":
        """The same about those products only that the finding is in."""
        return replace(self, products=tuple(product for product in self.products if product.covers(finding)))

    def bound(self, digests: Mapping[str, str]) -> "Statement":
        """The same about those products only whose content, where one is named, is what was looked at (subject -> content digest)."""
        return replace(self, products=tuple(product for product in self.products if product.is_there(digests)))

    def as_waiver(self, subject: str, *, expires: date | None) -> Waiver:
        """The same as a waiver at one subject, for whoever counts and shows waivers."""
        why = ": ".join(part for part in (f"VEX {self.status} in {self.place}", self.justification, self.detail) if part)
        location = Location(path=self.source)
        owner = self.author or "no author"
        return Waiver(target=self.vulnerability, subject=subject, reason=why, owner=owner, expires=expires, location=location)


class VexNews(StrEnum):
    """What is worth saying about statements."""

    AFFECTED = "affected"
    UNDER_INVESTIGATION = "under-investigation"
    UNJUSTIFIED = "unjustified"  # not_affected without a justification changes nothing
    REFUSED = "refused"  # malicious, or unwaivable under the policy
    CONTRADICTED = "contradicted"  # another statement says otherwise, and holds
    UNMATCHED = "unmatched"  # speaks of nothing that was found


@dataclass(frozen=True, slots=True, kw_only=True)
class VexNote:
    """One remark, as a sentence, about statements of one document."""

    news: VexNews
    source: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VexDocument:
    """A document that was read before judging: its name, the hex SHA-256 of its bytes, and what it is (`OpenVEX 0.2.0`)."""

    path: str
    sha256: str
    format: str
    statements: int
