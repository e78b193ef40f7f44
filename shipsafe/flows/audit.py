"""What a store of evidence says of every release: store -> `Audit`.

Every statement is read and held against the policy's keys each time: nothing of an earlier audit is believed, so that what somebody changed
since is seen. What does not count is listed as that, and nothing that it says is.

A release is an unsigned zip. Signing records join the digests of signed zips to it. Keys must have been valid when the record says that
it was signed, and at the first such time for what the builder states; today where nothing was signed, or where the policy trusts no signer
to say when. A key that leaked has to leave the policy: ending it does not undo what it signed before.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.errors import ConfigError, IncompleteError, ShipsafeError
from shipsafe.evidence import facts
from shipsafe.evidence.envelope import statement_of
from shipsafe.evidence.override_record import vouched_override
from shipsafe.evidence.recorded import recorded
from shipsafe.evidence.store import Store, store_of
from shipsafe.evidence.store.layout import Kept
from shipsafe.evidence.trust import role_of, vouched
from shipsafe.model.attestation import Envelope, Predicate, Role, Statement
from shipsafe.model.audit import Audit, AuditedRelease, Built, Checked, Decided, Deployed, Standing
from shipsafe.model.override import Override
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignedArtifact
from shipsafe.policy import load

_Fact = Built | Decided | SignedArtifact | Deployed | Override
_KINDS = (Predicate.SIGNING, Predicate.PROVENANCE, Predicate.GATES, Predicate.DEPLOYMENT, Predicate.OVERRIDE, Predicate.SBOM)
_One = TypeVar("_One", Built, Decided)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRequest:
    """What is asked: days are of UTC and count themselves; `place` stands in for the policy's `evidence`, from `folder`."""

    policy: Policy
    folder: Path
    today: date
    place: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """What is told of one envelope; `fact` of one that counts. Of a gates' statement the envelope is large, and not held."""

    kept: Kept
    checked: Checked
    subjects: tuple[str, ...]
    fact: _Fact | None = None


@dataclass(slots=True)
class _Release:
    """What is read about one unsigned zip."""

    sha256: str
    read: list[_Read] = field(default_factory=list)

    @property
    def signed(self) -> list[SignedArtifact]:
        """The signing records that count, the first signed first."""
        found = {one.fact for one in self.read if isinstance(one.fact, SignedArtifact)}
        return sorted(found, key=lambda one: (one.signed_at, one.target, one.sha256))

    @property
    def first(self) -> date | None:
        """The day on which it was first signed, where a record says it."""
        return min((one.signed_at.date() for one in self.signed), default=None)


@dataclass(slots=True)
class _Releases:
    """All of them, by digest, and the unsigned zips of each signed one."""

    by_digest: dict[str, _Release] = field(default_factory=dict)
    unsigned: dict[str, list[str]] = field(default_factory=dict)

    def open(self, zips: Iterable[str]) -> list[_Release]:
        """The releases of these unsigned zips, begun where nothing was read about one yet."""
        return [self.by_digest.setdefault(sha256, _Release(sha256)) for sha256 in zips]

    def add(self, zips: Iterable[str], read: _Read) -> None:
        """File what was read under releases."""
        for release in self.open(zips):
            release.read.append(read)

    def about(self, kept: Kept) -> list[str]:
        """The unsigned zips that an envelope is about: by a signing record, else as it is filed."""
        found = sorted({zipped for subject in kept.subjects for zipped in self.unsigned.get(subject, [subject])})
        return [one for one in found if one in self.by_digest] or found


def audit(request: AuditRequest, connect: Callable[[Place], Aws] = open_aws) -> Audit:
    """List every release that the store knows and the days admit.

    Raises:
        ConfigError: no place for evidence is named, or the days are in the wrong order.
        IntegrityError: the bucket belongs to somebody else.
        IncompleteError: the store could not be looked at.
    """
    if request.since and request.until and request.until < request.since:
        raise ConfigError("--until is before --since.", remedy="Give the first day with --since, the last with --until.")
    store = store_of(request.policy, folder=request.folder, told=request.place, connect=connect)
    releases = list(_read(store, request).by_digest.values())
    listed = [one for one in releases if _within(one, request)]
    return Audit(
        store=store.shown,
        local=store.local,
        releases=tuple(_audited(one) for one in sorted(listed, key=lambda one: (one.first or date.min, one.sha256))),
        policy=request.policy.path,
        policy_digest=request.policy.digest,
        since=request.since,
        until=request.until,
        left_out=len(releases) - len(listed),
        notes=(store.guard,),
    )


def audit_here(*, policy: Path | None, place: str | None, since: date | None, until: date | None) -> Audit:
    """As `audit`, in the working directory, today.

    Raises:
        ShipsafeError: as `audit`; or the policy cannot be used.
    """
    folder, today = Path.cwd(), datetime.now(UTC).date()
    loaded = load(folder, explicit=policy, offline=True, cache=cache_dir(), fetch=fetch, today=today)
    return audit(AuditRequest(policy=loaded, folder=folder, today=today, place=place, since=since, until=until))


def releases_of(store: Store, policy: Policy, folder: Path, today: date, zips: Collection[str]) -> dict[str, AuditedRelease]:
    """What is kept about these unsigned zips (hex SHA-256), by digest; what the gates said, which is large, is not read.

    Raises:
        IncompleteError: the store could not be looked at.
    """
    request = AuditRequest(policy=policy, folder=folder, today=today)
    kinds = [kind for kind in _KINDS if kind is not Predicate.GATES]
    found = _read(store, request, kinds, frozenset(zips)).by_digest
    return {sha256: _audited(one) for sha256, one in found.items() if sha256 in zips}


def _read(store: Store, request: AuditRequest, kinds: Sequence[Predicate] = _KINDS, only: frozenset[str] | None = None) -> _Releases:
    """Signing records first: they say which digests belong together, and when keys must have been valid.

    `only`: the digests of the zips that matter; None where all do.
    """
    releases, listed = _Releases(), _about(store.listed(kinds), only)
    unread = list(_read_records(store, [one for one in listed if one.word == "signing"], request, releases))
    others = [one for one in listed if one.word not in ("signing", "sbom")]
    others.sort(key=lambda one: one.word == "deployment")  # it names a signed zip, too, which is no release of its own
    unread += _read_others(store, others, request, releases)
    for kept in listed:
        if kept.word == "sbom":  # large, and not read; but a release of which nothing else is left is one
            releases.open(releases.about(kept))
    for read in unread:  # last, so that it is listed with the release that it is about, and not beside it
        releases.add(releases.about(read.kept), read)
    return releases


def _read_records(store: Store, listed: Iterable[Kept], request: AuditRequest, releases: _Releases) -> Iterator[_Read]:
    """File signing records, and give those that could not be read."""
    for kept, found in store.read_all(listed):
        read = _look(store, kept, found, request, None)
        if not read.subjects:
            yield read
            continue
        releases.add(read.subjects[:1], read)
        if read.fact:
            for signed in read.subjects[1:]:
                releases.unsigned.setdefault(signed, []).append(read.subjects[0])


def _read_others(store: Store, listed: Iterable[Kept], request: AuditRequest, releases: _Releases) -> Iterator[_Read]:
    """File what else is stated, and give what could not be read. A record that nobody has to vouch for dates nothing."""
    dated = request.policy.attest.trusts_anybody(Role.SIGNER)
    for kept, found in store.read_all(listed):
        about = releases.about(kept)
        days = [first for one in about if dated and one in releases.by_digest and (first := releases.by_digest[one].first)]
        read = _look(store, kept, found, request, min(days, default=request.today))
        if read.subjects:
            releases.add(about, read)
        else:
            yield read


def _about(listed: tuple[Kept, ...], only: frozenset[str] | None) -> tuple[Kept, ...]:
    """Those about these zips, and about what was made of them."""
    if only is None:
        return listed
    joined = only.union(*(one.subjects for one in listed if one.word == "signing" and not only.isdisjoint(one.subjects)))
    return tuple(one for one in listed if not joined.isdisjoint(one.subjects))


def _look(store: Store, kept: Kept, found: Envelope | ShipsafeError, request: AuditRequest, at: date | None) -> _Read:
    """Hold one envelope against the policy's keys, as of a day; None for the one that the signing record itself says."""
    shown = store.shown_of(kept)
    if isinstance(found, ShipsafeError):
        return _Read(kept, _refused(kept, shown, "", found), ())
    statement = statement_of(found, shown=shown)
    role, subjects = role_of(statement), tuple(one.digests["sha256"] for one in statement.subjects)
    try:
        day = facts.stated_on(statement) or at or facts.signed_on(statement) or request.today
        by = vouched(found, request.policy.attest, at=day, shown=shown).by
        fact = _fact(found, statement, request.policy, shown)
    except ShipsafeError as error:
        return _Read(kept, _refused(kept, shown, role, error), subjects)
    standing = Standing.VOUCHED if by else Standing.UNVOUCHED
    return _Read(kept, Checked(kind=kept.word, envelope=kept.sha256, shown=shown, standing=standing, role=role, by=by), subjects, fact)


def _fact(envelope: Envelope, statement: Statement, policy: Policy, shown: str) -> _Fact:
    if statement.kind == Predicate.SIGNING:
        return recorded(statement, shown=shown)
    if statement.kind == Predicate.OVERRIDE:
        return vouched_override(envelope, policy, shown=shown)
    if statement.kind == Predicate.PROVENANCE:
        return facts.built(statement)
    return facts.decided(statement) if statement.kind == Predicate.GATES else facts.deployed(statement)


def _refused(kept: Kept, shown: str, role: str, error: ShipsafeError) -> Checked:
    standing = Standing.UNREAD if isinstance(error, IncompleteError) else Standing.REFUSED
    return Checked(kind=kept.word, envelope=kept.sha256, shown=shown, standing=standing, role=role, problem=error.what)


def _within(release: _Release, request: AuditRequest) -> bool:
    """Whether it was signed in those days. Where a signing record does not count, nobody knows: it is listed whatever the days are."""
    if request.since is None and request.until is None:
        return True
    if any(one.kept.word == "signing" and one.fact is None for one in release.read):
        return True
    first, last = request.since or date.min, request.until or date.max
    return any(first <= one.signed_at.date() <= last for one in release.signed)


def _audited(release: _Release) -> AuditedRelease:
    found = [one.fact for one in release.read]
    deployed = {one for one in found if isinstance(one, Deployed)}
    overridden = {one for one in found if isinstance(one, Override)}
    return AuditedRelease(
        sha256=release.sha256,
        built=_distinct(one for one in found if isinstance(one, Built)),
        decided=_distinct(one for one in found if isinstance(one, Decided)),
        signed=tuple(release.signed),
        deployed=tuple(sorted(deployed, key=lambda one: (one.at, one.region, one.function, one.version, one.alias))),
        overridden=tuple(sorted(overridden, key=lambda one: (one.at, one.statement))),
        statements=tuple(one.checked for one in release.read),
    )


def _distinct(found: Iterable[_One]) -> tuple[_One, ...]:
    return tuple(dict.fromkeys(found))
