"""What `report who-ships` answers: the releases that ship an affected distribution, and what nobody could look into."""

from dataclasses import dataclass

from shipsafe.errors import ExitCode, ShipsafeError
from shipsafe.model.audit import AuditedRelease


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A distribution of an SBOM that is what was asked about. `certain` is False where its version cannot be compared.

    `index`: where it came from, as the SBOM says it, "" where it does not; one from another index than PyPI may be another distribution.
    """

    name: str
    version: str
    index: str
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """A release that ships one: hex SHA-256 of its unsigned zip, its function or layer, and whose word the SBOM is (nobody's: none)."""

    sha256: str
    subject: str
    affected: tuple[Affected, ...]
    by: tuple[str, ...]
    release: AuditedRelease


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoShips:
    """The answer.

    Attributes:
        asked: in the words of who asked.
        ids: all that the advisory goes by; none where a distribution was asked about. `packages`: normalised names that it affects.
        advisories: which were asked, or "".
        store: for people; `local` whether it is the local endpoint's.
        sboms: how many were looked into.
        releases: that ship it, by name and digest.
        unread: SBOMs that do not count or could not be read: where, and why.
        unlisted: hex SHA-256 of zips of which something is kept and no SBOM is.
    """

    asked: str
    ids: tuple[str, ...]
    packages: tuple[str, ...]
    advisories: str
    store: str
    local: bool
    sboms: int
    releases: tuple[Shipping, ...]
    unread: tuple[tuple[str, ShipsafeError], ...] = ()
    unlisted: tuple[str, ...] = ()

    @property
    def uncertain(self) -> bool:
        """Whether a version could not be compared."""
        return any(not one.certain for shipping in self.releases for one in shipping.affected)

    @property
    def exit_code(self) -> ExitCode:
        """0 where every SBOM was looked into, whoever ships it; 5 or 4 where one does not count, is missing or could not be."""
        known = [ExitCode.INCOMPLETE] if self.unlisted or self.uncertain else []
        return max((*known, *(error.exit_code for _, error in self.unread)), default=ExitCode.PASS)
