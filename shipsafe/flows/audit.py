"""What a store of evidence says of every release: store -> `Audit`.

Every statement is read and held against the policy's keys each time: nothing of an earlier audit is believed, so that what somebody changed
since is seen. What does not count is listed as that, and nothing that it says is.

A release is an unsigned zip. Signing records join the digests of signed zips to it. Keys must have been valid when the record says that
it was signed, and at the first such time for what the builder states; today where nothing was signed. A key that leaked has to leave the
policy: ending it does not undo what it signed before.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ConfigError, IncompleteError, ShipsafeError
from shipsafe.evidence import facts
from shipsafe.evidence.envelope import statement_of
from shipsafe.evidence.store import Store, store_of
from shipsafe.evidence.store.layout import Kept
from shipsafe.evidence.trust import role_of, vouched
from shipsafe.model.attestation import AttestPolicy, Envelope, Predicate, Statement, Vouched
from shipsafe.model.audit import Audit, AuditedRelease, Checked, Standing
from shipsafe.model.policy import Policy

_KINDS = (Predicate.SIGNING, Predicate.PROVENANCE, Predicate.GATES, Predicate.DEPLOYMENT)
_PAIR = 2  # subjects of a signing record: the unsigned zip, the signed one


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRequest:
    """What is asked: days are of UTC and count themselves; `place` stands in for the policy's `evidence`, from `folder`."""

    policy: Policy
    folder: Path
    today: date
    place: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(slots=True)
class _Read:
    """One envelope of the store: what it says, or why that cannot be told."""

    kept: Kept
    shown: str
    statement: Statement | None = None
    envelope: Envelope | None = None
    taken: Vouched | None = None
    error: ShipsafeError | None = None

    def ask(self, trusted: AttestPolicy, at: date) -> None:
        """Hold it against the policy's keys, as of a day."""
        if self.envelope is not None:
            try:
                self.taken = vouched(self.envelope, trusted, at=at, shown=self.shown)
            except ShipsafeError as error:
                self.error = error


@dataclass(slots=True)
class _Release:
    """What is read about one unsigned zip."""

    sha256: str
    read: list[_Read] = field(default_factory=list)

    def of(self, kind: Predicate) -> list[Statement]:
        """The statements of a kind that count."""
        return [one.taken.statement for one in self.read if one.taken and one.taken.statement.kind == kind]


def audit(request: AuditRequest, connect: Callable[[Place], Aws] = open_aws) -> tuple[Audit, Store]:
    """List every release that the store knows and the days admit.

    Raises:
        ConfigError: no place for evidence is named, or the days are in the wrong order.
        IntegrityError: the bucket belongs to somebody else.
        IncompleteError: the store could not be looked at.
    """
    if request.since and request.until and request.until < request.since:
        raise ConfigError("--until is before --since.", remedy="Give the first day with --since, the last with --until.")
    store = store_of(request.policy, folder=request.folder, told=request.place, connect=connect)
    read = [_look(store, kept, found) for kept, found in store.read_all(store.listed(_KINDS))]
    releases = _grouped(read, request)
    listed = [one for one in releases if _within(one, request)]
    made = sorted(
        (_audited(one) for one in listed), key=lambda one: (min(_times(one), default=datetime.max.replace(tzinfo=UTC)), one.sha256)
    )
    return Audit(
        store=store.shown,
        releases=tuple(made),
        policy=request.policy.path,
        policy_digest=request.policy.digest,
        since=request.since,
        until=request.until,
        left_out=len(releases) - len(listed),
        notes=(store.guard,),
    ), store


def _look(store: Store, kept: Kept, found: Envelope | ShipsafeError) -> _Read:
    read = _Read(kept, store.shown_of(kept))
    if isinstance(found, ShipsafeError):
        read.error = found
    else:
        read.envelope, read.statement = found, statement_of(found, shown=read.shown)
    return read


def _grouped(read: Iterable[_Read], request: AuditRequest) -> list[_Release]:
    """Releases, each with everything that is about it, and every statement held against the policy."""
    trusted, rest = request.policy.attest, []
    releases: dict[str, _Release] = {}
    unsigned: dict[str, list[str]] = {}  # of each signed zip
    for one in read:
        record = one.statement if one.statement and one.statement.kind == Predicate.SIGNING else None
        if record is None:
            rest.append(one)
            continue
        time = facts.signed(record).at
        one.ask(trusted, time.date() if time else request.today)
        zipped, *others = (subject.digests["sha256"] for subject in record.subjects)
        releases.setdefault(zipped, _Release(zipped)).read.append(one)
        if one.taken and len(others) == _PAIR - 1:
            unsigned.setdefault(others[0], []).append(zipped)
    for one in rest:
        about = sorted({zipped for subject in one.kept.subjects for zipped in unsigned.get(subject, [subject])})
        for zipped in [digest for digest in about if digest in releases] or about[:1]:
            releases.setdefault(zipped, _Release(zipped)).read.append(one)
    for release in releases.values():
        first = min((time for record in release.of(Predicate.SIGNING) if (time := facts.signed(record).at)), default=None)
        for one in release.read:
            if one.taken is None and one.error is None:
                one.ask(trusted, first.date() if first else request.today)
    return list(releases.values())


def _within(release: _Release, request: AuditRequest) -> bool:
    """Whether it was signed in those days. What cannot be told about when it was signed is listed whatever the days are."""
    if request.since is None and request.until is None:
        return True
    times = [facts.signed(one).at for one in release.of(Predicate.SIGNING)]
    doubtful = any(one.taken is None and one.kept.word == "signing" for one in release.read)
    return doubtful or any(
        time is None or ((request.since or date.min) <= time.date() <= (request.until or date.max)) for time in times
    )  # fmt: skip


def _audited(release: _Release) -> AuditedRelease:
    return AuditedRelease(
        sha256=release.sha256,
        built=tuple(dict.fromkeys(map(facts.built, release.of(Predicate.PROVENANCE)))),
        decided=tuple(dict.fromkeys(map(facts.decided, release.of(Predicate.GATES)))),
        signed=tuple(sorted(set(map(facts.signed, release.of(Predicate.SIGNING))), key=lambda one: (str(one.at), one.target, one.sha256))),
        deployed=tuple(sorted(set(map(facts.deployed, release.of(Predicate.DEPLOYMENT))), key=lambda one: (one.at, one.function))),
        statements=tuple(map(_checked, release.read)),
    )


def _checked(one: _Read) -> Checked:
    role = str(role_of(one.statement)) if one.statement else ""
    made = Checked(
        kind=one.kept.word,
        envelope=one.kept.sha256,
        shown=one.shown,
        standing=Standing.REFUSED,
        role=role,
        problem=one.error.what if one.error else "",
    )
    if one.taken:
        return replace(made, standing=Standing.VOUCHED if one.taken.by else Standing.UNVOUCHED, by=one.taken.by)
    return replace(made, standing=Standing.UNREAD) if isinstance(one.error, IncompleteError) else made


def _times(release: AuditedRelease) -> Iterator[datetime]:
    return (one.at for one in release.signed if one.at)
