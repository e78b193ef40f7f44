"""Promotion: the same unsigned bytes, signed for the next place, once the stage before has run them for long enough.

    stage = stage_of(policy, "prod")
    target = target_at(policy, stage)                      # whose signatures, where, as whom
    chains = promotions(release, policy, stage, store=store, now=now)

Deployment records say what ran where, in the bundle beside the zip and in the store of evidence. They count if somebody signed them whom
the policy trusts as a deployer; where it trusts others and no deployer, none does. A stage has run something, in its own account and
Region, from the end of its deployment until another one took its place there, for whichever stage, or until now. One that was rolled back
has run nothing.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError, ShipsafeError
from shipsafe.evidence.deployment_record import DeploymentSaid
from shipsafe.evidence.store import Store
from shipsafe.flows.deploy_record import deployments_of
from shipsafe.model.attestation import AttestPolicy, Envelope, Predicate, Role
from shipsafe.model.chain import Chain, Link
from shipsafe.model.deployment import Stage, span_text
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.packing.release import Release, ReleasedArtifact
from shipsafe.verify.bundles import envelopes_of
from shipsafe.verify.links import held, of_error, unanswered

PROMOTION = "promotion"
_FUNCTION = "function:"
_AHEAD = timedelta(minutes=5)  # how far clocks may be apart
_MINUTE = timedelta(minutes=1)


def stage_of(policy: Policy, name: str) -> Stage:
    """The stage of that name.

    Raises:
        ConfigError: the policy has none such.
    """
    stages = policy.deploy.stages
    found = next((one for one in stages if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in stages)
        remedy = f"There are: {names}." if names else "Add one: [[deploy.stage]] name, target, and `after` for whatever has to come before."
        raise ConfigError(f"The policy has no [[deploy.stage]] {shown(name, 80)!r}.", remedy=remedy, path=policy.path)
    return found


def target_at(policy: Policy, stage: Stage) -> SignTarget:
    """The signing target of a stage, at the stage's own account and Region and as its role, where it names them.

    Raises:
        ConfigError: the code was signed for another Region, which Lambda does not take it from.
    """
    target = next(one for one in policy.sign.targets if one.name == stage.target)  # the policy was read only if it is there
    if stage.region and target.region and stage.region != target.region:
        what = f"Stage {stage.name} is in {stage.region}, and its target {target.name} signs in {target.region}."
        raise ConfigError(what, remedy="Lambda takes code from its own Region alone: name a target there.", path=policy.path)
    return replace(
        target,
        account=stage.account or target.account,
        region=stage.region or target.region,
        role=stage.role or target.role,
        external_id=target.external_id if stage.role in (None, target.role) else None,
    )


def promotions(
    release: Release, policy: Policy, stage: Stage, *, store: Store | None, now: datetime, only: Collection[str] = (),
    say: Callable[[str], None] = lambda _line: None,
) -> tuple[Chain, ...]:  # fmt: skip
    """Whether the stage before has run each function of a release; no chain where no stage comes before.

    Args:
        release: its bundles hold records of its own zips.
        policy: says whose records count.
        stage: that is meant.
        store: where records of all are kept, or None.
        now: UTC.
        only: names of functions; empty for all.
        say: takes remarks for people.
    """
    if stage.after is None:
        return ()
    chosen = [one for one in release.artifacts if one.subject.startswith(_FUNCTION) and (not only or one.name in only)]
    try:
        kept, lost = _kept(store, policy.attest)
    except ShipsafeError as error:
        return tuple(Chain(subject=one.subject, links=(of_error(PROMOTION, error),)) for one in chosen)
    if lost:
        say(f"{lost} deployment records of {store.shown if store else 'the store'} cannot be read, and count for nothing.")
    at = target_at(policy, stage_of(policy, stage.after))
    rest = _Rest(
        stage=stage,
        accounts=(at.account,) if at.account else policy.accounts,
        region=at.region,
        kept=kept,
        stored=store is not None,
        vouched=policy.attest.trusts_anybody(Role.DEPLOYER),
        now=now,
    )
    return tuple(Chain(subject=one.subject, links=(_link(one, rest, policy.attest),)) for one in chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """What every function of the release is judged by.

    `accounts` and `region` are those of the stage before (the policy's accounts, where its target names none), empty or None for any;
    `vouched`: the policy says whose records count.
    """

    stage: Stage
    accounts: tuple[str, ...]
    region: str | None
    kept: Sequence[DeploymentSaid]
    stored: bool
    vouched: bool
    now: datetime


def _kept(store: Store | None, trusted: AttestPolicy) -> tuple[list[DeploymentSaid], int]:
    """Every record of a store that counts, and how many could not be read.

    Raises:
        IncompleteError, IntegrityError: the store could not be looked at.
    """
    if store is None:
        return [], 0
    read: list[Envelope] = []
    lost = 0
    for _, found in store.read_all(store.listed({Predicate.DEPLOYMENT})):
        if isinstance(found, ShipsafeError):
            lost += 1
        else:
            read.append(found)
    return list(deployments_of(read, trusted, shown=store.shown)), lost


def _link(artifact: ReleasedArtifact, rest: _Rest, trusted: AttestPolicy) -> Link:
    before, name = rest.stage.after, artifact.name
    try:
        own = tuple(deployments_of(envelopes_of(artifact), trusted, shown=str(artifact.evidence or artifact.path)))
    except ShipsafeError as error:
        return of_error(PROMOTION, error)
    if trusted.speakers and not rest.vouched:
        sentence = (
            f"The policy says whose word counts, and trusts nobody to say what stage {before} has run: any record of it may be anybody's."
        )
        return unanswered(PROMOTION, sentence, remedy="Add a key: `shipsafe keys show --for deployer KEY` prints the table.")
    said = [one for one in (*own, *rest.kept) if one.at <= rest.now + _AHEAD]
    ours = [one for one in said if (one.stage, one.artifact, one.unsigned_sha256) == (before, name, artifact.sha256)]
    ours = [one for one in ours if one.account in (rest.accounts or (one.account,)) and rest.region in (None, one.region)]
    if not ours:
        where = "the bundle and the store of evidence" if rest.stored else "the bundle; no store of evidence is named"
        sentence = f"No record that counts says that stage {before} has run this {name}: looked into {where}."
        return unanswered(PROMOTION, sentence, remedy=f"Run `shipsafe deploy --stage {before}` first, or bring along the evidence of it.")
    last = max(ours, key=lambda one: (one.at, one.began))
    if not last.ran:
        sentence = f"Stage {before} did not keep this {name}: {last.ending}, {last.at:%Y-%m-%d %H:%M} UTC. {shown(last.reason, 300)}"
        return unanswered(PROMOTION, sentence.rstrip(), remedy="Find out why, and deploy what mends it.")
    return _soaked(rest, name, max((_Run.of(one, said, rest.now) for one in ours if one.ran), key=lambda one: one.time))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """For how long one place has run something; `end` is when another took its place, None where none has."""

    since: datetime
    end: datetime | None
    time: timedelta
    overridden: bool

    @classmethod
    def of(cls, one: DeploymentSaid, said: Iterable[DeploymentSaid], now: datetime) -> "_Run":
        """From what all records say of its place; who leads an alias back by hand names no stage."""
        others = [
            other.at
            for other in said
            if _place(other) == _place(one) and other.unsigned_sha256 != one.unsigned_sha256 and other.ran and other.at > one.at
        ]
        end = min(others, default=None)
        return cls(since=one.at, end=end, time=(end or now) - one.at, overridden=one.override is not None)


def _place(one: DeploymentSaid) -> tuple[str, ...]:
    return (one.account, one.region, one.function, one.alias)


def _soaked(rest: _Rest, name: str, run: _Run) -> Link:
    stage, since, ran = rest.stage, f"{run.since:%Y-%m-%d %H:%M} UTC", span_text(run.time // _MINUTE * _MINUTE)
    if run.time < stage.soak:
        if run.end is not None:
            sentence = f"Stage {stage.after} has run this {name} for {ran} only, from {since}: then another took its place."
            return unanswered(PROMOTION, sentence, remedy=f"Let it run there for {span_text(stage.soak)}, or promote what runs there now.")
        sentence = f"Stage {stage.after} has run this {name} since {since}, {ran}, and it has to for {span_text(stage.soak)}."
        return unanswered(PROMOTION, sentence, remedy=f"Run this again after {run.since + stage.soak:%Y-%m-%d %H:%M} UTC.")
    notes = []
    if not rest.vouched:
        notes.append(
            "The policy does not say whose deployment records count, so that whoever could write into the evidence could say this."
        )
    if not rest.stored:
        notes.append("No store of evidence is named: nobody could look whether another took its place there meanwhile.")
    if run.overridden:
        notes.append(f"It went live in stage {stage.after} under break-glass.")
    return held(PROMOTION, f"Stage {stage.after} has run this very {name} for {ran}, from {since}.", notes=notes)
