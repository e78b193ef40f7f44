"""What `deploy --rollback` works with: the policy and the evidence, the account, time and pace; and the record of what was done.

    with rolling_back(RollbackRequest(function="orders:live"), say) as case:
        plan = planned_rollback(case)
        done = rolled_back(case, plan)

No release is needed: what the version is, evidence says. The record goes where that is kept, so that a stage that waits for another one to
have run something knows that it no longer does.
"""

import secrets
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.aws.functions import FunctionName, find_function
from shipsafe.adapters.aws.looks import open_looks
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.deploy.shifting import Hands, unbroken
from shipsafe.errors import ConfigError, ExitCode, ShipsafeError, gravest
from shipsafe.evidence.deployment_record import deployment_statement
from shipsafe.evidence.envelope import read_envelope, written
from shipsafe.evidence.recorded import recorded, sha256_of
from shipsafe.evidence.store import Store
from shipsafe.flows.interrupts import interrupts
from shipsafe.flows.rollback import Rollback, WentBack, carry_out, plan_rollback
from shipsafe.flows.speakers import check_speakers
from shipsafe.flows.stages import stage_of, target_at
from shipsafe.flows.targets import place_of, targets_of
from shipsafe.model.attestation import Role
from shipsafe.model.deployment import Deployment, Ending
from shipsafe.model.signing import SignTarget
from shipsafe.packing.publish import MANIFEST
from shipsafe.verify.opened import open_request
from shipsafe.verify.request import VerifyRequest
from shipsafe.verify.shelf import open_shelf

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

Say = Callable[[str], None]
Connect = Callable[[Place], Aws]


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """What somebody asked for.

    Attributes:
        function: `NAME`, `NAME:ALIAS` or an ARN. to: a version, "" for the one before.
        target: the `[[sign.target]]` where it runs, "" for the account and Region of its ARN, else for the policy's only target.
        region: where a function is that is not named by ARN; None for the target's, or the one of AWS's configuration.
        release: a folder of evidence, if it holds a release. policy, evidence, local_root: as for `deploy`.
        offline: advisories are not fetched.
        stage: of the policy, instead of a target; "" for none.
        signers: whose keys sign the record; with none it is unsigned.
    """

    function: str
    to: str = ""
    target: str = ""
    region: str | None = None
    release: Path | None = None
    policy: Path | None = None
    evidence: str | None = None
    local_root: str | None = None
    offline: bool = False
    stage: str = ""
    signers: "tuple[Signer, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingBack:
    """A function that is to go back, and everything that is needed for it.

    `alias` is the policy's for all functions, "" for none; `mute` says why no record will be written, "" where one will be.
    """

    request: RollbackRequest
    name: FunctionName
    verify: VerifyRequest
    aws: Aws
    hands: Hands
    alias: str = ""
    mute: str = ""


@contextmanager
def rolling_back(
    request: RollbackRequest, say: Say, *, connect: Connect = open_aws, now: Callable[[], datetime] = lambda: datetime.now(UTC),
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
) -> Generator[RollingBack]:  # fmt: skip
    """Read the policy, open the evidence, and go to the account.

    Raises:
        ConfigError: the name cannot be one, the policy cannot be used or has no such target, or a key is nobody's.
        ShipsafeError: AWS or the evidence cannot be asked.
    """
    name = FunctionName.parse(request.function)
    release = request.release if request.release is not None and (request.release / MANIFEST).is_file() else None
    with open_request(policy=request.policy, release=release, evidence=request.evidence, live=True, local_root=request.local_root,
                      online=not request.offline, now=now, say=say) as verify:  # fmt: skip
        mute = _mute(request, verify)
        aws = connect(_place(name, request, verify))
        looks = open_looks(aws, clock, sleep)
        hands = Hands(now=now, sleep=sleep, pace=looks.pace, say=unbroken(say))
        alias = verify.policy.deploy.default.alias or ""
        yield RollingBack(request=request, name=name, verify=verify, aws=aws, hands=hands, alias=alias, mute=mute)


def _mute(request: RollbackRequest, verify: VerifyRequest) -> str:
    """Why no record will be written, "" where one will be. Who has no key at hand at night may take an alias back all the same.

    Raises:
        ConfigError: keys are given, and what they sign will not be taken.
    """
    try:
        check_speakers(request.signers, verify.policy, Role.DEPLOYER, verify.today)
    except ConfigError as error:
        if request.signers:
            raise
        return error.what
    return ""


def _place(name: FunctionName, request: RollbackRequest, verify: VerifyRequest) -> Place:
    """As whom and where: of the target or stage that is named, else of the one in the account and Region of the ARN, else of the only one.

    With several targets and nothing said, as we are.

    Raises:
        ConfigError: there is no such target or stage, or the function is elsewhere.
    """
    region = name.region or request.region
    if request.target or request.stage:
        if request.stage:
            target = target_at(verify.policy, stage_of(verify.policy, request.stage))
        else:
            [target] = targets_of(verify.policy, (request.target,))
        if not _fits(target, name, region):
            what = f"{name.text} is not where target {target.name} is."
            raise ConfigError(what, remedy="Leave out the target, or name another one.", path=verify.policy.path)
        return replace(place_of(target), region=region or target.region, account=name.account or target.account)
    there = [one for one in verify.policy.sign.targets if name.account and one.account == name.account and _fits(one, name, region)]
    if there:
        return replace(place_of(there[0]), region=region or there[0].region)
    if not (name.account or region) and len(verify.policy.sign.targets) == 1:  # where `deploy` has gone
        return place_of(verify.policy.sign.targets[0])
    return Place(region=region, account=name.account)


def _fits(target: SignTarget, name: FunctionName, region: str | None) -> bool:
    return None in (name.account, target.account) or (name.account == target.account and region in (None, target.region))


def planned_rollback(case: RollingBack) -> Rollback:
    """What is left to do. Changes nothing.

    Raises:
        ShipsafeError: as `plan_rollback`.
    """
    return plan_rollback(case.name, case.verify, case.aws, case.hands, to=case.request.to, alias=case.alias)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What came of it. `unrecorded`: why it could not be written down, or None."""

    went: WentBack
    unrecorded: ShipsafeError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """That of the gravest."""
        return gravest([self.went.exit_code, *([self.unrecorded.exit_code] if self.unrecorded else [])])


def rolled_back(case: RollingBack, plan: Rollback) -> RolledBack:
    """Carry the plan out, and write down what came of it.

    Raises:
        ShipsafeError: the plan is refused.
    """
    with interrupts() as interrupted:  # what was begun is ended: it is one call, and a look
        went = carry_out(plan, replace(case.verify, now=case.hands.now()), replace(case.hands, interrupted=interrupted))
    if went.deployment.ending is not Ending.DEPLOYED:
        return RolledBack(went=went)
    try:
        return RolledBack(went=replace(went, deployment=_recorded(case, went)))
    except ShipsafeError as error:
        return RolledBack(went=went, unrecorded=error)


def _recorded(case: RollingBack, went: WentBack) -> Deployment:
    """The deployment with what evidence says of its version; its record is kept where evidence is.

    Raises:
        ShipsafeError: the version or the evidence could not be looked at, a key cannot sign, or the store cannot be written.
    """
    one = went.deployment
    running = find_function(case.aws, one.function, one.version)
    if running is None:
        return one
    shelf, sha256 = open_shelf(case.verify), sha256_of(running.code_sha256)
    proof = shelf.proof(sha256, at=(shelf.claimed(sha256) or case.hands.now()).date(), function=one.function)
    if proof.signing is None:
        return replace(one, code_sha256=running.code_sha256, job=running.job, profile_version=running.profile_version,
                       notes=(*one.notes, "No signing record names what it runs, so that no record of it was written."))  # fmt: skip
    signed = recorded(proof.signing.statement, shown=shelf.shown)
    one = replace(
        one, artifact=signed.artifact, unsigned_sha256=signed.unsigned_sha256, sha256=signed.sha256, code_sha256=signed.code_sha256,
        job=signed.job, profile_version=signed.profile_version,
    )  # fmt: skip
    store = case.verify.store
    if case.mute:
        return replace(one, notes=(*one.notes, f"No record of it was written: {case.mute}"))
    if not isinstance(store, Store):
        return replace(one, notes=(*one.notes, "The policy names no place for evidence, so that no record of it was kept."))
    unsigned, zipped = proof.signing.statement.subjects
    chain = next(iter(went.verified.chains), None) if went.verified else None
    said = deployment_statement(one, unsigned=unsigned, signed=zipped, run=secrets.token_hex(8), stage=case.request.stage, verified=chain)
    store.keep(read_envelope(written(said, case.request.signers), shown=store.shown), said)
    return one
