"""A release that is to go live: its folder is held, the deployer's policy is read, and its zips and evidence are verified offline."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shipsafe.adapters.aws.functions import FunctionName
from shipsafe.adapters.aws.looks import Looks
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.deploy.shifting import Hands, unbroken
from shipsafe.deploy.work import Work
from shipsafe.errors import ConfigError, ShipsafeError
from shipsafe.evidence.store import Store
from shipsafe.flows.break_glass import going_on, under_override
from shipsafe.flows.deploy_checks import failed
from shipsafe.flows.deploy_record import RecordRequest
from shipsafe.flows.deploy_request import DeployRequest
from shipsafe.flows.speakers import check_speakers
from shipsafe.flows.stages import promotions, stage_of, target_at
from shipsafe.flows.targets import targets_of
from shipsafe.model.attestation import Role
from shipsafe.model.chain import Verification
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import check_unchanged, repair
from shipsafe.packing.release import Release, read_release
from shipsafe.verify.opened import open_request
from shipsafe.verify.reached import reached
from shipsafe.verify.release import verification, verify_release
from shipsafe.verify.request import VerifyRequest
from shipsafe.verify.signed_code import Site

Say = Callable[[str], None]
Connect = Callable[[Place], Aws]


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def nobody() -> str:
    """Nothing interrupts."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploying:
    """What is to go live, and with what.

    Attributes:
        request: what is asked for. output: the folder, held. release: what lies in it.
        verify: the deployer's policy, the time, and the evidence at hand.
        targets: where to. verified: what looking at the zips, their evidence and an earlier stage has found.
        connect: opens AWS. now: UTC. clock: seconds that only go forward. sleep: takes seconds.
    """

    request: DeployRequest
    output: Output
    release: Release
    verify: VerifyRequest
    targets: tuple[SignTarget, ...]
    verified: Verification
    connect: Connect
    now: Callable[[], datetime]
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    @property
    def policy(self) -> Policy:
        """The deployer's."""
        return self.verify.policy

    @property
    def store(self) -> Store | None:
        """Where evidence is kept, None where nobody names a place."""
        return self.verify.store if isinstance(self.verify.store, Store) else None

    @property
    def deadline(self) -> timedelta:
        """How long one function may take."""
        return self.request.deadline or self.policy.deploy.deadline

    def records(self, run: str) -> RecordRequest:
        """How what this run deploys is stated; `run` is its id."""
        override = self.verify.override
        return RecordRequest(
            trusted=self.policy.attest, run=run, today=self.now().date(), signers=self.request.signers, stage=self.request.stage,
            store=self.store, override=override.told if override else None,
        )  # fmt: skip

    def look_again(self, site: Site, called: str) -> Verification:
        """What a name or an alias leads to now, as `verify` sees it: at the pace of the place, and with the evidence that was read."""
        request = replace(self.verify, now=self.now())
        name = FunctionName.parse(called)
        again = replace(site, looks=site.looks.again(), shelf=replace(site.shelf, request=request))
        try:
            chains = reached(again, name, f"function:{name.name}")
        except ShipsafeError as error:  # it runs all the same: whoever deploys has to end it, and to tell
            chains = (failed(name.name, error),)
        return verification(chains, request)

    def work(self, looks: Looks, *, say: Say, until: datetime, interrupted: Callable[[], str] = nobody) -> Work:
        """What the steps at one place work with."""
        hands = Hands(now=self.now, sleep=self.sleep, pace=looks.pace, say=unbroken(say), interrupted=interrupted)
        return Work(aws=looks.aws, hands=hands, functions=looks.functions, until=until)


@contextmanager
def deploying(
    request: DeployRequest, say: Say, *, connect: Connect = open_aws, now: Callable[[], datetime] = utc_now,
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
) -> Generator[Deploying]:  # fmt: skip
    """Hold the folder of the release, and verify its zips and evidence offline.

    Args:
        request: what is asked for.
        say: takes remarks for people.
        connect: opens AWS at a place.
        now: UTC.
        clock: seconds that only go forward.
        sleep: takes seconds.

    Raises:
        ConfigError: there is no such folder, the policy cannot be used, or does not say where to; a key is nobody's; an override is not
            asked for in its own words.
        NothingError: there is no release in it.
        IntegrityError: the manifest or its override is not what it should be.
        IncompleteError: the folder cannot be written.
    """
    read_release(request.out, digest=request.manifest_digest)  # before a lock is put into a folder that holds no release
    with output_lock(request.out, on_wait=lambda: say(f"Another shipsafe works in {request.out}; waiting for it to end.")):
        output = Output(request.out)
        check_unchanged(output)
        repair(output)
        with open_request(policy=request.policy, verified=[request.out], release=request.out, evidence=request.evidence, live=True,
                          local_root=request.local_root, online=not request.offline, now=now, say=say) as opened:  # fmt: skip
            release, policy = read_release(request.out, digest=request.manifest_digest), request.amend(opened.policy)
            check_speakers(request.signers, policy, Role.DEPLOYER, opened.today)
            override = going_on(release, policy, request.break_glass, now())
            verify = replace(opened, policy=policy, override=override)
            targets = _targets(policy, request)
            yield Deploying(
                request=request, output=output, release=release, verify=verify,
                targets=tuple(under_override(one, policy) for one in targets) if override else targets,
                verified=_verified(release, verify, request, say), connect=connect, now=now, clock=clock, sleep=sleep,
            )  # fmt: skip


def _targets(policy: Policy, request: DeployRequest) -> tuple[SignTarget, ...]:
    """Where to: never everywhere because nobody said where.

    Raises:
        ConfigError: the policy names no such place, or several and none was chosen.
    """
    if request.stage:
        if request.targets:
            raise ConfigError("A stage names its target.", remedy="Leave out --stage or --target.")
        return (target_at(policy, stage_of(policy, request.stage)),)
    found = targets_of(policy, request.targets)
    if len(found) > 1 and not request.targets:
        names = ", ".join(one.name for one in found)
        raise ConfigError(
            f"The policy has several places to deploy to: {names}.", remedy="Choose with --target or --stage.", path=policy.path
        )
    return found


def _verified(release: Release, verify: VerifyRequest, request: DeployRequest, say: Say) -> Verification:
    """The zips and their evidence, and what the stage before has run."""
    found = verify_release(request.out, verify)
    if not request.stage:
        return found
    stage = stage_of(verify.policy, request.stage)
    if request.skip_stages:
        if stage.after:
            say(f"Not asked: whether stage {stage.after} has run it for {stage.soak} (--unsafe-skip-stages).")
        return found
    store = verify.store if isinstance(verify.store, Store) else None
    chains = promotions(release, verify.policy, stage, store=store, now=verify.now, only=request.functions, say=say)
    return replace(found, chains=(*found.chains, *chains))
