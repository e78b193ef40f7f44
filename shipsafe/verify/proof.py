"""What is proven about a digest: the envelopes that trusted keys vouch for, joined by their subjects.

    proof = prove(envelopes, sha256, policy.attest, at=..., shown="dist/Orders.intoto.jsonl")
    proof.links                        # `bundle`, `provenance`, `gates`, ...: which hold, which are broken or missing
    proof.provenance.statement         # only what was vouched for is in it

`sha256` may be that of the unsigned or of a signed zip: a signing record has both as its subjects, the unsigned one first. Every envelope
is looked at, and nothing in one is believed before `trust.vouched`. One that nobody trusted signed proves nothing, and spoils nothing
where another one of its kind holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from shipsafe.errors import IntegrityError, ShipsafeError
from shipsafe.evidence.envelope import statement_of, values_in
from shipsafe.evidence.facts import built, stated_on
from shipsafe.evidence.recorded import recorded
from shipsafe.evidence.trust import role_of, vouched
from shipsafe.model.attestation import AttestPolicy, Envelope, Predicate, Role, Statement, Vouched
from shipsafe.model.chain import Attested, Link
from shipsafe.verify import links

_BUILT = (Predicate.PROVENANCE, Predicate.SBOM, Predicate.GATES)  # of what a builder has built; other tools may state more of any zip
_MOST = 4_000_000  # values in all statements about a zip, which are held at once
_REMEDY = "Bring along the bundle that the build wrote beside the zip, whole; or build again."
_NAMES = {
    links.PROVENANCE: "provenance",
    links.SBOM: "SBOM statement",
    links.GATES: "statement of what the gates said",
    links.SIGNING_RECORD: "signing record",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is proven about one digest. Where two statements of a kind hold, the later in the bundle counts.

    Attributes:
        sha256: hex, as it was asked about; `unsigned_sha256` of the zip that was built, "" where nothing says which it was.
        provenance, sbom: the builder's, or None.
        gates: what the builder's gates said, or None; `asked_again` what the signer's said.
        signings: the signing records of the unsigned zip, one for each target; `deployments` what is told of deploying it.
        overrides: who let it through although its gates did not; whether one of them holds says `verify/overriding.py`.
        links: `bundle`, `sbom`, `provenance`, `gates` and, for a signed zip, `signing-record`. Of the SBOM only the statement is meant.
    """

    sha256: str
    unsigned_sha256: str
    provenance: Vouched | None = None
    sbom: Vouched | None = None
    gates: Vouched | None = None
    asked_again: Vouched | None = None
    signings: tuple[Vouched, ...] = ()
    deployments: tuple[Vouched, ...] = ()
    overrides: tuple[Vouched, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def signing(self) -> Vouched | None:
        """The record of the signed zip that was asked about; None for an unsigned one."""
        return next((one for one in self.signings if one.statement.subjects[1].digests["sha256"] == self.sha256), None)

    @property
    def attested(self) -> tuple[Attested, ...]:
        """The envelopes that were taken, in short."""
        taken = (self.provenance, self.sbom, self.gates, self.asked_again, self.signing, *self.overrides, *self.deployments)
        return tuple(
            Attested(kind=one.statement.kind, sha256=one.envelope.sha256, by=one.by, builder=built(one.statement).builder)
            for one in taken
            if one is not None
        )

    @property
    def judged(self) -> Vouched | None:
        """What the gates said, to be judged: the signer's own answers; the builder's where only those are vouched for, or are there."""
        builder, signer = self.gates, self.asked_again
        return signer if signer and (signer.by or not (builder and builder.by)) else builder

    def link(self, name: str) -> Link | None:
        """The link of that id, where there is one."""
        return next((one for one in self.links if one.id == name), None)


@dataclass(frozen=True, slots=True)
class _Refused:
    """An envelope that does not count: what it says it is, unbelieved, and why it does not."""

    statement: Statement
    role: Role
    error: ShipsafeError


@dataclass(slots=True)
class _Sorted:
    """Envelopes, looked at: those that count, those that do not, and those that are no statement."""

    taken: list[Vouched] = field(default_factory=list)
    refused: list[_Refused] = field(default_factory=list)
    unreadable: list[ShipsafeError] = field(default_factory=list)


def prove(envelopes: Iterable[Envelope], sha256: str, trusted: AttestPolicy, at: date, shown: str) -> Proof:
    """Join what is vouched for about a digest. Raises nothing: what is wrong is a link.

    Args:
        envelopes: as they were read, of this artifact or of others.
        sha256: hex; of the unsigned or of a signed zip.
        trusted: whose word counts.
        at: the day on which keys must have been valid.
        shown: where the envelopes come from, for people.
    """
    found = _sorted(envelopes, trusted, at, shown)
    unsigned = _unsigned(found, sha256)
    about = [one for one in found.taken if unsigned and _is_about(one.statement, unsigned)]
    provenance = _last(about, Predicate.PROVENANCE, Role.BUILDER)
    sbom = _last(about, Predicate.SBOM, Role.BUILDER)
    gates = _last(about, Predicate.GATES, Role.BUILDER)
    again = _last(about, Predicate.GATES, Role.SIGNER)
    signings = tuple(one for one in about if one.statement.kind == Predicate.SIGNING and _subjects(one.statement)[0] == unsigned)
    made = [
        _bundle(found, shown),
        _needed(links.SBOM, Predicate.SBOM, Role.BUILDER, [sbom], found, sha256, unsigned, shown),
        _needed(links.PROVENANCE, Predicate.PROVENANCE, Role.BUILDER, [provenance], found, sha256, unsigned, shown),
        _needed(links.GATES, Predicate.GATES, Role.BUILDER, [gates, again], found, sha256, unsigned, shown),
    ]
    if sha256 != unsigned:
        record = next((one for one in signings if _subjects(one.statement)[1] == sha256), None)
        made.append(_needed(links.SIGNING_RECORD, Predicate.SIGNING, Role.SIGNER, [record], found, sha256, unsigned, shown))
    return Proof(
        sha256=sha256,
        unsigned_sha256=unsigned,
        provenance=provenance,
        sbom=sbom,
        gates=gates,
        asked_again=again,
        signings=signings,
        deployments=tuple(
            one for one in found.taken if one.statement.kind == Predicate.DEPLOYMENT and {sha256, unsigned} & {*_subjects(one.statement)}
        ),
        overrides=tuple(one for one in about if one.statement.kind == Predicate.OVERRIDE),
        links=tuple(made),
    )


def _sorted(envelopes: Iterable[Envelope], trusted: AttestPolicy, at: date, shown: str) -> _Sorted:
    found = _Sorted()
    room = _MOST
    # What is kept and was brought along as well stands where it was brought along: of two statements the later counts.
    for envelope in reversed({one.sha256: one for one in reversed(list(envelopes))}.values()):
        room -= values_in(envelope)
        if room < 0:
            what = f"The statements about it hold more than {_MOST:,} values together, which no evidence of ours does."
            found.unreadable.append(IntegrityError(what, remedy=_REMEDY, path=shown))
            break
        try:
            statement = statement_of(envelope, shown=shown)
        except IntegrityError as error:
            found.unreadable.append(error)
            continue
        try:
            if statement.kind == Predicate.SIGNING:
                recorded(statement, shown=shown)  # its two digests are joined below, so that it has to have them
            found.taken.append(vouched(envelope, trusted, at=stated_on(statement) or at, shown=shown, statement=statement))
        except ShipsafeError as error:
            found.refused.append(_Refused(statement, role_of(statement), error))
    return found


def _unsigned(found: _Sorted, sha256: str) -> str:
    """The digest of the unsigned zip: what was asked about, where a builder speaks of it; else what a signing record joins it to."""
    if any(one.role is Role.BUILDER and one.statement.kind in _BUILT and _is_about(one.statement, sha256) for one in found.taken):
        return sha256
    records = [_subjects(one.statement) for one in found.taken if one.statement.kind == Predicate.SIGNING]
    joined = [subjects[0] for subjects in records if subjects[1] == sha256]
    return joined[-1] if joined else sha256 if any(subjects[0] == sha256 for subjects in records) else ""


def _last(taken: Iterable[Vouched], kind: Predicate, role: Role) -> Vouched | None:
    fitting = [one for one in taken if one.statement.kind == kind and one.role is role]
    return fitting[-1] if fitting else None


def _bundle(found: _Sorted, shown: str) -> Link:
    """Whether every envelope is a statement."""
    if found.unreadable:
        return links.of_error(links.BUNDLE, found.unreadable[0])
    number = len(found.taken) + len(found.refused)
    if not number:
        return links.broken(links.BUNDLE, "There is no evidence about it at all.", remedy=_REMEDY, path=shown)
    notes = [f"{_kind(one.statement)} in it does not count: {one.error.what}" for one in found.refused]
    return links.held(links.BUNDLE, f"{number} {'statement' if number == 1 else 'statements'} can be read in {shown}.", notes=notes)


def _kind(statement: Statement) -> str:
    names = {Predicate.PROVENANCE: "A provenance", Predicate.SBOM: "An SBOM statement", Predicate.GATES: "A statement of gates",
             Predicate.OVERRIDE: "An override"}  # fmt: skip
    return next((name for kind, name in names.items() if statement.kind == kind), f"A statement of {statement.kind[:80]!r}")


def _needed(
    name: str, kind: Predicate, role: Role, taken: Sequence[Vouched | None], found: _Sorted, sha256: str, unsigned: str, shown: str
) -> Link:  # fmt: skip
    """The link of a statement that has to be there: `taken[0]`; what follows in `taken` is told with it where it is there."""
    what = _NAMES[name]
    if taken[0] is not None:
        there = [one for one in taken if one is not None]
        words = " ".join(f"{_said(one, what)}" for one in there)
        return links.held(name, words, notes=[note for one in there if (note := doubt(one))])
    about = {sha256, unsigned}
    refused = [one for one in found.refused if one.statement.kind == kind and one.role is role]
    if own := [one for one in refused if about & {*_subjects(one.statement)}] or refused:
        return links.of_error(name, own[0].error)
    others = [one for one in found.taken if one.statement.kind == kind and one.role is role]
    if others:
        told = _subjects(others[0].statement)[-1]
        sentence = f"The {what} in {shown} is about another zip."
        return links.broken(name, sentence, expected=f"sha256:{unsigned or sha256}", found=f"sha256:{told}", remedy=_REMEDY, path=shown)
    return links.broken(name, f"There is no {what} about this zip.", expected=f"one about sha256:{unsigned or sha256}", found="none",
                        remedy=_REMEDY, path=shown)  # fmt: skip


def _said(one: Vouched, what: str) -> str:
    who = f"vouched for by {', '.join(one.by)}" if one.by else "of which nobody vouches"
    return f"The {one.role}'s {what} is about this zip, {who}."


def doubt(one: Vouched) -> str:
    """The note of a statement that counts though nobody vouches for it, else ""."""
    if one.by:
        return ""
    why = "the policy trusts no key of" if one.envelope.signatures else "it is unsigned, and the policy trusts no key of"
    return f"Nobody vouches for what the {one.role} states: {why} a {one.role}."


def _is_about(statement: Statement, sha256: str) -> bool:
    return sha256 in _subjects(statement)


def _subjects(statement: Statement) -> tuple[str, ...]:
    return tuple(one.digests["sha256"] for one in statement.subjects)
