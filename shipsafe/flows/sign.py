"""The straight line of `sign`: release, policy, what the gates say of it now, plan, signatures, manifest, what deploys it.

Nothing that a release says of its own verdict is believed: every gate that can be asked of the zips is asked again, under the policy that
is given here, before anything is uploaded. One lock holds the output folder all the while, so that what was asked is what is signed.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.adapters.files import relative
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.agreed import agrees_with_policy, told_in
from shipsafe.flows.bare import Bare, bare_release
from shipsafe.flows.reask import Asked, reask
from shipsafe.flows.rewrite import Rewritten, read_words, rewrite
from shipsafe.flows.targets import PASTE, place_of, targets_of
from shipsafe.flows.zips import Terms
from shipsafe.model.policy import Policy
from shipsafe.model.record import RunRecord
from shipsafe.model.signing import SignedArtifact, SignTarget
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import check_unchanged, repair
from shipsafe.packing.release import Release, read_release, record_signatures
from shipsafe.policy import load
from shipsafe.readers.bundling import listed
from shipsafe.reports.live import Progress
from shipsafe.signing.journal import Journal
from shipsafe.signing.plan import SigningPlan, plan
from shipsafe.signing.rewrite.deployable import Deployable
from shipsafe.signing.roots import trust
from shipsafe.signing.run import Failure, carry_out
from shipsafe.signing.ticket import Unsigned


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRequest:
    """What somebody asked for.

    Attributes:
        out: the folder of the release.
        today: the day on which waivers and dates are judged.
        policy: the policy to ask and sign under; None for the one that the release names.
        targets: names of targets; empty for all of the policy.
        vex: further VEX documents.
        offline: advisories are not fetched. AWS is asked all the same.
        jobs: how many things are done at once while gates are asked.
        timeout: seconds that uploading, signing and reading back may take together.
        local_root: hex SHA-256 of the local endpoint's root, where it is honoured, or None.
        bare: zips that no release names, which become the one in `out`; None where the release is there.
        rewrite, tfvars, samconfig: what is to be written with what was signed (`flows/rewrite.py`).
        overrides: template parameters, for `rewrite`.
    """

    out: Path
    today: date
    policy: Path | None = None
    targets: tuple[str, ...] = ()
    vex: tuple[Path, ...] = ()
    offline: bool = False
    jobs: int = 4
    timeout: float = 900
    local_root: str | None = None
    bare: Bare | None = None
    rewrite: tuple[str, ...] = ()
    tfvars: Path | None = None
    samconfig: Path | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A release whose gates were asked again, and where it is to be signed; the output folder is held.

    `release` is None where zips did not pass and so became none.
    """

    request: SignRequest
    output: Output
    release: Release | None
    policy: Policy
    targets: tuple[SignTarget, ...]
    asked: Asked
    remarks: tuple[str, ...] = ()

    @property
    def record(self) -> RunRecord:
        """What reports tell."""
        return self.asked.record


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What came of it: the release with its signatures, those of this run, what could not be signed, and what else was written."""

    release: Release
    signed: tuple[SignedArtifact, ...]
    failed: tuple[Failure, ...] = ()
    written: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """That of the gravest failure: 5 before 4."""
        return max((failure.error.exit_code for failure in self.failed), default=ExitCode.PASS)


@contextmanager
def asking(request: SignRequest, progress: Progress, timeline: Timeline) -> Iterator[Asking]:
    """Hold the output folder, and ask all gates again about the release in it.

    Raises:
        ConfigError: there is no such folder, or the policy cannot be used, or names no such target.
        NothingError: there is no release in it.
        IntegrityError: the manifest, a zip or an SBOM is not what it should be.
        IncompleteError: the folder cannot be written.
    """
    read_words(request.rewrite)  # what cannot be meant is said before the gates are asked
    if request.bare is None:
        read_release(request.out)  # before a lock is put into a folder that holds no release
    with output_lock(request.out, on_wait=lambda: progress.say(f"Another shipsafe works in {request.out}; waiting for it to end.")):
        output = Output(request.out)
        if request.bare is None:
            check_unchanged(output)
        repair(output)
        with progress:
            case = _released(request, output, progress, timeline) if request.bare is None else _of_zips(request, output, progress, timeline)
        yield case


def _released(request: SignRequest, output: Output, progress: Progress, timeline: Timeline) -> Asking:
    """Ask about the release that lies in the folder."""
    release = read_release(request.out)
    policy = _policy_of(request, release)
    targets = targets_of(policy, request.targets)
    agrees_with_policy(release, policy)
    asked = reask(release, policy, today=request.today, offline=request.offline, jobs=request.jobs, progress=progress,
                  timeline=timeline, vex=request.vex)  # fmt: skip
    remarks = (*_remarks(request, release, policy), *asked.remarks)
    return Asking(request=request, output=output, release=release, policy=policy, targets=targets, asked=asked, remarks=remarks)


def _of_zips(request: SignRequest, output: Output, progress: Progress, timeline: Timeline) -> Asking:
    """Ask about zips by their path, and make the release that they are."""
    here = Path.cwd()
    policy = load(here, explicit=request.policy, offline=request.offline, cache=cache_dir(), fetch=fetch, today=request.today)
    file = here / policy.path if policy.path else None
    terms = Terms(policy=policy, today=request.today, home=file.parent if file else here, offline=request.offline, jobs=request.jobs,
                  progress=progress, timeline=timeline, vex=request.vex)  # fmt: skip
    targets = targets_of(policy, request.targets)
    release, asked = bare_release(replace(request.bare or Bare(zips=()), policy_file=file), output, terms)
    return Asking(request=request, output=output, release=release, policy=policy, targets=targets, asked=asked)


def planned(case: Asking, connect: Callable[[Place], Aws] = open_aws) -> SigningPlan:
    """What is left to do on AWS. Changes nothing there.

    Raises:
        ConfigError: what deploys the release could not be written with what will be signed.
        ShipsafeError: as `shipsafe.signing.plan.plan`.
    """
    artifacts = case.release.artifacts if case.release else ()
    work = [Unsigned(name=one.name, path=one.path, sha256=one.sha256, size=one.size) for one in artifacts]
    journal = Journal.open(case.output.store)
    made = plan(work, case.targets, connect=lambda target: connect(place_of(target)), journal=journal, now=_now)
    places = [(stand.target, stand.aws) for stand in made.stands]
    # A rehearsal: nothing is signed for a template that cannot take it.
    _written_into(case, [Deployable.awaited(one.name, one.subject, target, region=aws.region, account=aws.account)
                         for one in artifacts for target, aws in places])  # fmt: skip
    return made


def signed(case: Asking, release: Release, made: SigningPlan, say: Callable[[str], None]) -> Signed:
    """Carry the plan out, and write what succeeded into the manifest, also where something else failed.

    What deploys the release is written when all of it was signed.

    Raises:
        ConfigError: something cannot be rewritten faithfully; the manifest is written all the same.
        IntegrityError: the manifest was changed meanwhile.
        IncompleteError: something cannot be written.
    """
    done = carry_out(
        made,
        trust=partial(trust, policy_roots=case.policy.sign.roots, local_root=case.request.local_root),
        progress=say,
        now=_now,
        clock=time.monotonic,
        sleep=time.sleep,
        deadline=case.request.timeout,
    )
    if done.signed:
        release = record_signatures(case.output, release, done.signed, _told(case))
    rewritten = Rewritten() if done.failed else _rewritten(case, release, done.signed)
    rewritten.write()
    return Signed(release=release, signed=tuple(done.signed), failed=tuple(done.failed), written=rewritten.paths, remarks=rewritten.remarks)


def _rewritten(case: Asking, release: Release, done: Sequence[SignedArtifact]) -> Rewritten:
    """What deploys the release, with what was signed."""
    subjects = {one.name: one.subject for one in release.artifacts}
    targets = {target.name: target for target in case.targets}
    return _written_into(case, [Deployable.of(one, subjects[one.artifact], targets[one.target]) for one in done])


def _written_into(case: Asking, deployables: Sequence[Deployable]) -> Rewritten:
    request = case.request
    told = told_in(case.release.artifacts if case.release else ())
    return rewrite(request.rewrite, deployables, policy=case.policy, overrides=request.overrides, tfvars=request.tfvars,
                   samconfig=request.samconfig, told=told)  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)


def _policy_of(request: SignRequest, release: Release) -> Policy:
    """The policy that is given, else the one that the release names."""
    path = request.policy or release.policy
    if path is None:
        remedy = f"Write one with a place to sign, and name it with --policy:\n{PASTE}"
        raise ConfigError("The release was built without a policy of its own.", remedy=remedy)
    if request.policy is None and not path.is_file():
        raise ConfigError("The release was built under this policy, and it is not here.", remedy="Name the policy with --policy.",
                          path=str(path))  # fmt: skip
    folder = path.resolve().parent
    if request.policy is None and path.resolve().is_relative_to(request.out.resolve()):
        raise ConfigError("The policy that the release names lies in the release, where whoever can change the one can change the other.",
                          remedy="Name the policy with --policy.", path=str(path))  # fmt: skip
    return load(folder, explicit=path, offline=request.offline, cache=cache_dir(), fetch=fetch, today=request.today)


def _remarks(request: SignRequest, release: Release, policy: Policy) -> Iterable[str]:
    if request.policy is None and release.policy:
        named = relative(release.policy.resolve(), Path.cwd())
        yield f"The policy is {named}, which the release itself names; --policy names a protected one."
    ours = [one.name for one in release.artifacts if not one.prebuilt]
    if ours and (policy.refuses_prebuilt or policy.proves_prebuilt) and not policy.sign.attested_builder:
        yield f"The policy takes no unproven builds of other tools, and that shipsafe built {listed(ours)} is the builder's word alone."
    built = release.document["policy"]["digest"]
    if built != policy.digest:
        now = f"{policy.path} as it is now ({policy.digest[:19]}...)"
        yield f"The release was built under another policy ({built[:19]}...), and was asked again under {now}."


def _told(case: Asking) -> dict[str, Any]:
    """What the manifest says of the asking: `signing` of its schema."""
    record, asked = case.record, case.asked
    gates: dict[str, dict[str, str]] = {}
    for outcome in record.outcomes:
        gates.setdefault(outcome.subject, {})[outcome.gate] = str(outcome.state)
    return {
        "date": case.request.today.isoformat(),
        "policy": case.policy.digest,
        "decision": str(record.verdict.decision),
        "builder": asked.builder,
        "claims": [
            {"subject": claim.subject, "name": claim.name, "value": claim.value, "vouched_by": claim.vouched_by} for claim in asked.claims
        ],
        "gates": gates,
    }
