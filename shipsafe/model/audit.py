"""What `report audit` lists: per release who built what, who decided, who signed, and whose word that is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shipsafe.errors import ExitCode
from shipsafe.model.override import Override
from shipsafe.model.signing import SignedArtifact


class Standing(StrEnum):
    """How a statement stands.

    `vouched`: enough trusted keys signed it. `unvouched`: the policy trusts nobody for its role, and takes it. `refused`: it was changed,
    or is not signed by whom the policy trusts; nothing of what it says is listed. `unread`: nobody could look at it.
    """

    VOUCHED = "vouched"
    UNVOUCHED = "unvouched"
    REFUSED = "refused"
    UNREAD = "unread"


_CODES = {Standing.REFUSED: ExitCode.INTEGRITY, Standing.UNREAD: ExitCode.INCOMPLETE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One statement about a release. `kind` is its word in the store, `by` the names of trusted keys, `problem` why it does not count."""

    kind: str
    envelope: str
    shown: str
    standing: Standing
    role: str = ""
    by: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a builder's provenance says: the artifact, from which source, changed or not (None: not known), and which builder."""

    name: str = ""
    source: str = ""
    commit: str = ""
    dirty: bool | None = None
    builder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaivedFinding:
    """What was found and allowed, and who answers for that. `expires` is a day as it was written, or ""; `until_fixed` as in a waiver."""

    rule: str
    subject: str
    owner: str
    reason: str
    expires: str
    until_fixed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the gates' statement of a builder or a signer says: PASS, FAIL, ..., under which policy, and what was waived."""

    asked_by: str
    decision: str
    policy_digest: str
    waived: tuple[WaivedFinding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What a deployment record says, as far as it says it.

    `ending` is what it came to ("" of a record that does not say it), `override` why it went live although its gates did not let it, or "".
    """

    function: str
    version: str
    alias: str
    account: str
    region: str
    at: str
    ending: str = ""
    stage: str = ""
    override: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedRelease:
    """Everything that a store holds about one unsigned zip, by its hex SHA-256. Only what stands `vouched` or `unvouched` is told."""

    sha256: str
    built: tuple[Built, ...] = ()
    decided: tuple[Decided, ...] = ()
    signed: tuple[SignedArtifact, ...] = ()
    deployed: tuple[Deployed, ...] = ()
    overridden: tuple[Override, ...] = ()
    statements: tuple[Checked, ...] = ()

    @property
    def name(self) -> str:
        """The artifact's name, "" where nothing says it."""
        return next((name for name in (*(one.name for one in self.built), *(one.artifact for one in self.signed)) if name), "")

    @property
    def standing(self) -> Standing:
        """That of its worst statement."""
        return worst(one.standing for one in self.statements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The releases of a store that were signed from `since` until `until`, the first signed first; `left_out` counts the others."""

    store: str
    local: bool
    releases: tuple[AuditedRelease, ...]
    policy: str | None
    policy_digest: str
    since: date | None = None
    until: date | None = None
    left_out: int = 0
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """5 before 4; 3 where no release is listed."""
        if not self.releases:
            return ExitCode.NOTHING
        standings = (one.standing for release in self.releases for one in release.statements)
        return max((_CODES.get(standing, ExitCode.PASS) for standing in standings), default=ExitCode.PASS)

    @property
    def functions(self) -> tuple[str, ...]:
        """ARNs of what was ever deployed of these releases, with the alias where there is one; sorted."""
        found = set()
        for release in self.releases:
            partition = next((one.profile_version.split(":")[1] for one in release.signed if one.profile_version.startswith("arn:")), "aws")
            for one in release.deployed:
                name = f"{one.function}:{one.alias}" if one.alias else one.function
                found.add(f"arn:{partition}:lambda:{one.region}:{one.account}:function:{name}")
        return tuple(sorted(found))


def worst(standings: Iterable[Standing]) -> Standing:
    """The worst of these; that of none is `unvouched`."""
    order = (Standing.REFUSED, Standing.UNREAD, Standing.UNVOUCHED, Standing.VOUCHED)
    return min(standings, key=order.index, default=Standing.UNVOUCHED)
