"""What `verify` finds: a chain from what was audited to what runs, link by link."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from shipsafe.errors import ExitCode, FindingsError, IncompleteError, IntegrityError, ShipsafeError
from shipsafe.model.attestation import Resource
from shipsafe.model.location import Location


class Hold(StrEnum):
    """How a link is.

    `held`: it was looked at, and is as it should be. `broken`: a digest, signature, revocation or configuration is wrong. `unanswered`:
    nobody could look. `disallowed`: nothing was tampered with, and today's policy does not allow it (a new advisory, an expired waiver,
    a configuration that strangers share). `not-asked`: it does not apply here.
    """

    HELD = "held"
    BROKEN = "broken"
    UNANSWERED = "unanswered"
    DISALLOWED = "disallowed"
    NOT_ASKED = "not-asked"


_CODES = {
    Hold.HELD: ExitCode.PASS,
    Hold.NOT_ASKED: ExitCode.PASS,
    Hold.BROKEN: ExitCode.INTEGRITY,
    Hold.UNANSWERED: ExitCode.INCOMPLETE,
    Hold.DISALLOWED: ExitCode.FINDINGS,
}
_ERRORS: dict[ExitCode, type[ShipsafeError]] = {
    ExitCode.FINDINGS: FindingsError,
    ExitCode.INCOMPLETE: IncompleteError,
    ExitCode.INTEGRITY: IntegrityError,
}
_WORDS = {ExitCode.PASS: "PASS", ExitCode.FINDINGS: "FAIL", ExitCode.INCOMPLETE: "INCOMPLETE", ExitCode.INTEGRITY: "BROKEN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of a chain.

    Attributes:
        id: what it joins, the same in every chain: `zip`, `sbom`, `provenance`, `gates`, `verdict`, `aws-signature`, `code-sha256`, ...
        hold: how it is.
        sentence: what holds or what is wrong, whole, for a person.
        expected, found: both values where they differ, else "".
        notes: what is odd and breaks nothing.
        remedy: what to do, where it does not hold.
        location: where to look, where a file is meant.
        overridden: it is as it is because somebody answers for it, whether whoever looks goes on with that or not.
    """

    id: str
    hold: Hold
    sentence: str
    expected: str = ""
    found: str = ""
    notes: tuple[str, ...] = ()
    remedy: str = ""
    location: Location | None = None
    overridden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """An envelope that was read and taken, in short: a summary names it.

    Attributes:
        kind: the predicate type. sha256: hex, of the envelope's line.
        by: names of the trusted keys that signed it; none where nobody did and the policy allows that.
        builder: `runDetails.builder.id` of a provenance, else "".
    """

    kind: str
    sha256: str
    by: tuple[str, ...] = ()
    builder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The links of one artifact or function, in the order from source to what runs. A chain without links holds nothing.

    `subject` is what a person asked about: `function:Orders`, `orders.zip`, or the ARN of a version. `digests`: the bytes that were
    looked at, so that a summary can say of what it speaks. `attestations`: the envelopes that were taken.
    """

    subject: str
    links: tuple[Link, ...]
    digests: tuple[Resource, ...] = ()
    attestations: tuple[Attested, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """5 before 4 before 1; that of nothing looked at is 5."""
        held = any(link.hold is Hold.HELD for link in self.links)
        return max((_CODES[link.hold] for link in self.links if held or link.hold is not Hold.NOT_ASKED), default=ExitCode.INTEGRITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Every chain of one run, and what they were held against. `notes` are remarks about all of it."""

    chains: tuple[Chain, ...]
    policy: str | None
    policy_digest: str
    notes: tuple[str, ...] = field(default=())

    @property
    def exit_code(self) -> ExitCode:
        """That of the worst chain; 5 where there is none."""
        return max((chain.exit_code for chain in self.chains), default=ExitCode.INTEGRITY)

    @property
    def verdict(self) -> str:
        """What it came to, in one word that other programs read: OVERRIDDEN where nothing else keeps it from passing."""
        code = self.exit_code
        deciding = [link for _, link in self._links() if _CODES[link.hold] == code and code is not ExitCode.PASS]
        answered_for = any(link.overridden for _, link in self._links()) and all(link.overridden for link in deciding)
        return "OVERRIDDEN" if answered_for else _WORDS[code]

    def as_error(self, nothing: str) -> ShipsafeError:
        """Why it does not pass: the first link that decides that, as an error; `nothing`: a sentence for where no link does."""
        found = self.first_broken
        what, remedy = (found[1].sentence, found[1].remedy) if found else (nothing, "")
        return _ERRORS[self.exit_code](what, remedy=remedy)

    @property
    def first_broken(self) -> tuple[Chain, Link] | None:
        """The first link that decides the exit code, or None where all hold."""
        code = self.exit_code
        return next(((chain, link) for chain, link in self._links() if _CODES[link.hold] == code and code != ExitCode.PASS), None)

    @property
    def complaints(self) -> tuple[str, ...]:
        """A sentence for each link that was asked for and does not hold."""
        return tuple(
            f"{chain.subject}: {link.sentence} {link.remedy}".rstrip()
            for chain in self.chains
            for link in chain.links
            if link.hold not in (Hold.HELD, Hold.NOT_ASKED)
        )

    def _links(self) -> Iterable[tuple[Chain, Link]]:
        return ((chain, link) for chain in self.chains for link in chain.links)
