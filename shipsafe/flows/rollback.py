"""The straight line of `deploy --rollback`: where the alias leads, where it is to lead, whether that verifies today, the plan, the change.

    plan = plan_rollback(FunctionName.parse("orders:live"), request, aws, hands, to="7")
    plan.refused, plan.steps
    done = carry_out(plan, request, hands)

An alias goes only to a version whose whole chain holds today: a signature that has expired or was revoked since keeps it away, though
Lambda itself would not. The one exception leads nobody anywhere new: the canary of a deployment that nobody ended loses its part of the
calls, and they go where most of them go anyway. Where such a deployment has moved all calls, its tags alone say where they went before, and
tags may be anybody's: that version has to verify, too.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from shipsafe.adapters.aws.brake import tags
from shipsafe.adapters.aws.deploying import list_versions
from shipsafe.adapters.aws.functions import Alias, FunctionName, list_aliases
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.session import Aws
from shipsafe.deploy import marks
from shipsafe.deploy.codedeploy import halt
from shipsafe.deploy.lead import lead, look_at, same, shown, taken
from shipsafe.deploy.managed import manager_of
from shipsafe.deploy.marks import Before, Marks, Phase
from shipsafe.deploy.patience import may_pass, patiently
from shipsafe.deploy.restore import restore, settle
from shipsafe.deploy.resume import on_its_way
from shipsafe.deploy.shifting import Hands, Shifting
from shipsafe.errors import ConfigError, ExitCode, ShipsafeError
from shipsafe.flows.rollback_wanted import alias_meant, led_before
from shipsafe.model.chain import Hold, Verification
from shipsafe.model.deployment import WHOLE, Deployment, Ending, Shift, Step, Strategy
from shipsafe.signing.revoke.brake import MEMORY
from shipsafe.verify import links, live_links
from shipsafe.verify.live import verify_functions
from shipsafe.verify.request import VerifyRequest

Value = TypeVar("Value")

_TIME = timedelta(minutes=5)  # for looking, and for moving one alias
_SIGNATURE = (live_links.JOB, live_links.PROFILE)
_ANEW = (
    "No signature can be made to count again: `shipsafe sign` makes a new one of the same unsigned zip, `shipsafe deploy` takes it live."
)
_KEPT = "Where it was one of yours, its evidence is missing here: name the folder of that release, or where it is kept, with --evidence."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """What is left to do to take an alias back.

    Attributes:
        aws: where. function: ARN without a version.
        now: the alias as it leads. to: where it is to lead; why: where that comes from, a sentence.
        earlier: the marks of the last deployment, or None. unfinished: the same where nobody ended it, and it is taken back.
        verified: what looking at the versions behind `to` has found; None where the alias leads there already.
        notes: what else a person should know.
    """

    aws: Aws
    function: str
    now: Alias
    to: Before
    why: str
    earlier: Marks | None = None
    unfinished: Marks | None = None
    verified: Verification | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the function."""
        return self.function.rpartition(":")[2]

    @property
    def empty(self) -> bool:
        """Whether nothing is left to do."""
        return self.to.leads(self.now) and self.unfinished is None

    @property
    def refused(self) -> ShipsafeError | None:
        """Why it may not lead there, None where it may."""
        only_less = self.unfinished is not None and on_its_way(self.unfinished, self.now) and not self.to.weights
        if self.verified is None or only_less or self.verified.exit_code is ExitCode.PASS:
            return None
        return _refusal(self, self.verified)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every change of the alias, with its reason."""
        return tuple(_steps(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class WentBack:
    """What came of it. `verified` is what looking at the alias again has found, None where it came to nothing that could be looked at."""

    deployment: Deployment
    verified: Verification | None = None

    @property
    def exit_code(self) -> ExitCode:
        """0 where the alias leads there, and what it leads to verifies."""
        if self.deployment.exit_code is not ExitCode.PASS or self.verified is None:
            return self.deployment.exit_code
        return self.verified.exit_code


def plan_rollback(asked: FunctionName, request: VerifyRequest, aws: Aws, hands: Hands, *, to: str = "", alias: str = "") -> Rollback:
    """Look, and plan. Changes nothing.

    Args:
        asked: the function, with or without its alias.
        request: the policy, the time and the evidence that the version is held against.
        aws: where the function is.
        hands: time and pace.
        to: the version; "" for the one before.
        alias: that the policy names, where `asked` names none; "" for none.

    Raises:
        ConfigError: there is no such function, alias or version, or nobody knows which is meant.
        IntegrityError: the function's tags say what shipsafe never writes.
        IncompleteError: Lambda refused or gave no answer.
    """
    function = aws.function_arn(asked.name)

    def look(call: Callable[[], Value]) -> Value:
        def in_turn() -> Value:
            hands.pace.turn()
            return call()

        return patiently(in_turn, hands, hands.now() + _TIME)

    try:
        aliases = look(lambda: list_aliases(aws, asked.name))
    except AwsRefusal as refusal:
        if not refusal.absent:
            raise
        what = f"There is no function {asked.name} in account {aws.account}, {aws.region}."
        raise ConfigError(what, remedy="Check its name and the credentials, or say where: --target, --stage or --region.") from refusal
    now = alias_meant(asked, aliases, alias)
    said = look(lambda: tags(aws, function))
    earlier = marks.of_tags(function, said)
    if earlier is not None and earlier.before.alias != now.name:
        earlier = None
    versions = [one.version for one in look(lambda: list_versions(aws, asked.name))]
    wanted, why, unfinished = led_before(asked, now, earlier, versions, to)
    verified = None
    if not wanted.leads(now) and wanted.version:
        verified = verify_functions([f"{function}:{one}" for one in (wanted.version, *wanted.weights)], request, lambda _place: aws)
    notes = tuple(_notes(asked.name, said))
    return Rollback(aws=aws, function=function, now=now, to=wanted, why=why, earlier=earlier, unfinished=unfinished, verified=verified,
                    notes=notes)  # fmt: skip


def _notes(name: str, said: Mapping[str, str]) -> Iterator[str]:
    """What the tags of a function say that its operator should know."""
    if MEMORY in said:
        yield f"The function is stopped. When its chain holds: shipsafe revoke --restore {name}"
    if manager := manager_of(said, source=None):
        yield f"{manager.why} Its next deployment leads the alias where the template says: take that back, too."


def _refusal(plan: Rollback, verified: Verification) -> ShipsafeError:
    """Why not, with what an expired or revoked signature means."""
    found = verified.first_broken
    error = verified.as_error("Nothing could be verified.")
    anew = verified.exit_code is ExitCode.INTEGRITY and found is not None and found[1].id in _SIGNATURE
    what = f"Alias {plan.now.name} of function {plan.name} does not go to {_led(plan.to)}, whose chain does not hold today: {error.what}"
    named = found is not None and any(one.id == links.SIGNING_RECORD and one.hold is Hold.HELD for one in found[0].links)
    unknown = found is not None and found[1].id == live_links.CODE and not named
    remedy = f"{error.remedy} {_KEPT}" if unknown else error.remedy
    return type(error)(what, remedy=_ANEW if anew else remedy)


def _led(to: Before) -> str:
    return shown(_as_alias(to))


def _as_alias(to: Before) -> Alias:
    return Alias(name=to.alias, version=to.version, weights=to.weights)


def _steps(plan: Rollback) -> Iterator[Step]:
    if plan.to.leads(plan.now):
        return
    words: dict[str, Any] = {
        "FunctionName": plan.name, "Name": plan.now.name, "FunctionVersion": plan.to.version,
        "RoutingConfig": {"AdditionalVersionWeights": dict(plan.to.weights)}, "RevisionId": plan.now.revision,
    }  # fmt: skip
    yield Step(api="lambda:UpdateAlias", parameters=words, why=f"It leads to {shown(plan.now)}. {plan.why}")


def carry_out(plan: Rollback, request: VerifyRequest, hands: Hands) -> WentBack:
    """Move the alias, and look again. Raises nothing that AWS does: the deployment says it.

    Args:
        plan: as it was made; one that is refused must not come here.
        request: what the alias is held against afterwards.
        hands: time, pace, and who is told.

    Raises:
        ShipsafeError: the plan is refused.
    """
    if plan.refused is not None:
        raise plan.refused
    began = hands.now()
    base = Deployment(
        artifact=plan.name, function=plan.name, account=plan.aws.account, region=plan.aws.region, ending=Ending.UNCHANGED,
        version=plan.to.version, before=plan.now.version, alias=plan.now.name, revision=plan.now.revision, strategy=Strategy(),
        began=began, ended=began, notes=plan.notes,
    )  # fmt: skip
    if not plan.empty:
        base = replace(base, notes=(*base.notes, *_halted(plan, request, hands)))
    done = base if plan.empty else _taken_back(plan, base, hands) if plan.unfinished else _moved(plan, base, hands)
    done = replace(done, ended=hands.now())
    if done.ending not in (Ending.DEPLOYED, Ending.UNCHANGED):
        return WentBack(deployment=done)
    return WentBack(deployment=done, verified=verify_functions([f"{plan.function}:{plan.now.name}"], request, lambda _place: plan.aws))


def _halted(plan: Rollback, request: VerifyRequest, hands: Hands) -> Iterator[str]:
    """Stop CodeDeploy, which goes on by itself where nobody has ended a deployment; gives what could not be done."""
    left = plan.earlier
    if left is None or left.settled:
        return
    to = Shifting(aws=plan.aws, function=plan.function, marks=left, version=left.version)
    for group in request.policy.deploy.groups:
        try:
            halt(to, hands, group)
        except ShipsafeError as error:
            yield f"Nobody knows whether CodeDeploy goes on moving the alias: {error}"


def _taken_back(plan: Rollback, base: Deployment, hands: Hands) -> Deployment:
    """What nobody ended."""
    left = plan.unfinished
    assert left is not None  # noqa: S101 - whoever calls has looked
    to = Shifting(aws=plan.aws, function=plan.function, marks=left, version=left.version)
    out = restore(to, hands, plan.why)
    ending = Ending.DEPLOYED if out.ending is Ending.ROLLED_BACK else out.ending  # it was asked for
    went = tuple(replace(one, percent=WHOLE) for one in out.shifts)  # seen from the version that it goes back to
    return replace(base, ending=ending, reason="" if ending is Ending.DEPLOYED else out.reason, shifts=went, error=out.error,
                   notes=base.notes + out.notes)  # fmt: skip


def _moved(plan: Rollback, base: Deployment, hands: Hands) -> Deployment:
    """To a version that was named, or the one before: remembered as any other deployment, so that it can be taken back, too."""
    began, earlier = hands.now().replace(microsecond=0), plan.earlier
    on_the_way = earlier is not None and not earlier.settled and on_its_way(earlier, plan.now)
    before = earlier.before if earlier is not None and on_the_way else Before.of(plan.now.name, plan.now)  # nobody goes back to a canary
    remembered = Marks(id=secrets.token_hex(8), began=began, deadline=began + _TIME, release="",
                       before=before, phase=Phase.SHIFTING, version=plan.to.version)  # fmt: skip
    to = Shifting(aws=plan.aws, function=plan.function, marks=remembered, version=plan.to.version)
    try:
        patiently(lambda: marks.write(plan.aws, plan.function, remembered, hands.pace), hands, remembered.deadline)
        now = look_at(to, hands, remembered.deadline)  # CodeDeploy may have led it back when it was stopped
        if not (same(now, plan.now) or (on_the_way and before.leads(now))):
            raise taken(to, plan.now, now)
        lead(to, hands, now, _as_alias(plan.to), remembered.deadline)
    except ShipsafeError as error:
        if may_pass(error):  # nobody knows whether it was done
            return replace(base, ending=Ending.UNFINISHED, reason=str(error), error=error)
        with suppress(ShipsafeError):  # marks that say where the alias leads anyway harm nobody
            marks.withdraw(plan.aws, plan.function, remembered, plan.earlier, hands.pace)
        return replace(base, ending=Ending.REFUSED, reason=str(error), error=error)
    hands.say(f"{plan.name}:{plan.now.name}: leads to {_led(plan.to)}")
    notes = settle(to, hands, remembered.at(Phase.DONE))
    return replace(base, ending=Ending.DEPLOYED, shifts=(Shift(at=hands.now(), percent=WHOLE),), notes=base.notes + notes)
