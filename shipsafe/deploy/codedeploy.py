"""CodeDeploy moves the alias instead of us: begun, watched, and stopped when something is wrong; it takes the calls back by itself.

    roll_out = partial(codedeploy.roll_out, by=ByCodeDeploy(group=how.codedeploy, ...))
    rolled_out = roll_out(shifting, hands)          # as rollout.roll_out

What the policy watches is watched here, too: CodeDeploy looks at alarms alone, and not at the errors of the new version. It goes on when
this process is gone; the next run finds it at the group and goes on with it. Where CodeDeploy does not take the alias back, we do.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from shipsafe.adapters.aws import codedeploy
from shipsafe.adapters.aws.codedeploy import AppSpec, Deploying, Group
from shipsafe.adapters.aws.functions import Alias
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.session import Aws
from shipsafe.deploy import marks, rollout
from shipsafe.deploy.alarms import look
from shipsafe.deploy.lead import TakenError, look_at, taken
from shipsafe.deploy.marks import Phase
from shipsafe.deploy.patience import FinalError, may_pass, patiently
from shipsafe.deploy.restore import before, left, restore
from shipsafe.deploy.resume import arrived, on_its_way
from shipsafe.deploy.shifting import Hands, RolledOut, Shifting
from shipsafe.deploy.watch import StopError, check
from shipsafe.errors import ConfigError, RolledBackError, ShipsafeError
from shipsafe.model.deployment import WHOLE, CodeDeployGroup, Ending, FunctionDeploy, Shift, Strategy, span_text
from shipsafe.model.preference import configuration_of, strategy_of

_Value = TypeVar("_Value")
_BETWEEN = 10.0  # seconds between two looks
_BACK = timedelta(minutes=5)  # for CodeDeploy to take the alias back, before we do


@dataclass(frozen=True, slots=True, kw_only=True)
class ByCodeDeploy:
    """How CodeDeploy does it.

    Attributes:
        group: its application and deployment group.
        config: the deployment configuration, None for the group's own.
        alarms: those of the group; they are watched beside those of the policy.
        before_hook, after_hook: names of functions that it calls before and after, or None.
    """

    group: CodeDeployGroup
    config: str | None = None
    alarms: tuple[str, ...] = ()
    before_hook: str | None = None
    after_hook: str | None = None


def config_of(how: FunctionDeploy) -> str | None:
    """The deployment configuration that a policy asks for, None where it leaves that to the group.

    Raises:
        ConfigError: AWS has none such.
    """
    strategy = how.strategy
    if not how.strategy_stated:
        return None
    if name := configuration_of(strategy):
        return name
    steps = f"{strategy.rollout}, {strategy.percent} % every {span_text(strategy.every)}"
    what = f"CodeDeploy has no deployment configuration of AWS's own like {steps}."
    raise ConfigError(what, remedy="Give the deployment group one of yours, and leave `rollout`, `percent` and `every` out of the policy.")


def prepared(
    aws: Aws, how: FunctionDeploy, *, before_hook: str | None = None, after_hook: str | None = None
) -> tuple[ByCodeDeploy, Strategy]:
    """Look at the group before anything changes; gives how it will be done, and the strategy that it comes to, for the plan.

    Args:
        aws: the account and Region.
        how: names application and group.
        before_hook: the function that CodeDeploy calls before, as the template's preference names it.
        after_hook: likewise, after.

    Raises:
        ConfigError: no group is named or there is none such, it is not of Lambda's platform, or it cannot do what the policy asks for.
        IncompleteError: CodeDeploy refused or gave no answer.
    """
    named = how.codedeploy
    if named is None:
        raise ConfigError("No deployment group of CodeDeploy is named.", remedy="Write codedeploy-application and codedeploy-group.")
    config = config_of(how)
    group: Group | None = codedeploy.find_group(aws, named)
    if group is None or not group.is_lambda:
        what = "there is none" if group is None else f"it is of the platform {group.platform or 'of servers'}"
        raise ConfigError(
            f"Deployment group {named.group!r} of CodeDeploy application {named.application!r} cannot move an alias: {what}.",
            remedy="Correct codedeploy-application and codedeploy-group, or leave them out: shipsafe moves the alias itself.",
        )
    by = ByCodeDeploy(group=named, config=config, alarms=group.alarms, before_hook=before_hook, after_hook=after_hook)
    return by, how.strategy if config else strategy_of(group.config) or how.strategy


def roll_out(to: Shifting, hands: Hands, *, by: ByCodeDeploy) -> RolledOut:
    """Let CodeDeploy move all calls of the alias to the version. Raises nothing that AWS does: what went wrong is in what it gives.

    A fault of ours is raised when the alias was taken back. The marks must have been written before, and say afterwards what they say after
    `rollout.roll_out`.
    """
    if not to.marks.before.version:  # a new alias has nothing to move from
        return rollout.roll_out(to, hands)
    to = replace(to, aws=to.aws.calling_once(), marks=to.marks.at(Phase.SHIFTING, to.version))
    course = _Course(to, hands, by)
    try:
        patiently(lambda: marks.write(to.aws, to.function, to.marks, hands.pace), hands, to.marks.deadline)
        course.move()
    except StopError as why:
        back = course.back(str(why))
    except TakenError as error:
        back = left(to, hands, error, "")
    except ShipsafeError as error:
        back = course.back(str(error))
    except Exception:  # a fault of ours: no canary stays behind while it is told
        course.back("shipsafe itself failed.")
        raise
    else:
        return RolledOut(ending=Ending.DEPLOYED, marks=to.marks, shifts=tuple(course.shifts), notes=course.notes)
    return replace(back, shifts=(*course.shifts, *back.shifts), notes=(*course.notes, *back.notes))


def halt(to: Shifting, hands: Hands, group: CodeDeployGroup) -> None:
    """Stop what the group is doing with this alias, so that nobody moves it while it is taken back; nothing where it does nothing.

    Raises:
        IncompleteError: CodeDeploy refused, or gave no answer until the deadline; or it goes on all the same.
    """
    until = max(to.marks.deadline, hands.now() + _BACK)
    found = patiently(lambda: codedeploy.find_running(to.aws, group), hands, until, stubborn=True)
    if found is not None and found[1] is not None and (found[1].function, found[1].alias) == (to.name, to.alias):
        _stopped(to, hands, found[0].id)


class _Course:
    """One deployment of CodeDeploy's, while we watch it."""

    def __init__(self, to: Shifting, hands: Hands, by: ByCodeDeploy) -> None:
        self._to, self._hands, self._by = to, hands, by
        self._deployment = ""
        self.shifts: list[Shift] = []
        self.notes: tuple[str, ...] = ()

    def move(self) -> None:
        """From where the alias stands to the end.

        Raises:
            StopError: it is to be taken back.
            TakenError: somebody else has moved the alias.
            IncompleteError: AWS refused, or gave no answer.
        """
        to, hands = self._to, self._hands
        check(to, hands)
        now = look_at(to, hands, to.marks.deadline)
        found = self._running()
        if found is None and to.marks.before.leads(now):
            if to.marks.before.weights:
                what = f"Alias {to.alias} of function {to.name} splits its calls already, and CodeDeploy moves only one that does not."
                raise FinalError(what, remedy=f"Let it lead to one version first: {to.command}")
            self._begin()
        elif found is not None:
            self._deployment = found.id
            hands.say(f"{to.name}:{to.alias}: CodeDeploy is at it already, deployment {found.id}")
        elif not arrived(to.marks, now) and not on_its_way(to.marks, now):
            raise taken(to, before(to), now)
        elif not arrived(to.marks, now):
            raise StopError(f"CodeDeploy left alias {to.alias} of function {to.name} on its way: nothing of its group is running any more.")
        self._watch()

    def back(self, why: str) -> RolledOut:
        """CodeDeploy takes it back; what it leaves we take back ourselves. One that goes on all the same would undo that."""
        if self._deployment:
            try:
                _stopped(self._to, self._hands, self._deployment)
            except ShipsafeError as error:
                stop = f"aws deploy stop-deployment --deployment-id {self._deployment} --auto-rollback-enabled"
                what = f"{why} CodeDeploy could not be stopped, and may go on moving the alias: {error.what}"
                stuck = RolledBackError(what, remedy=f"Run: {stop} --region {self._to.aws.region}; then: {self._to.command}")
                return RolledOut(ending=Ending.UNFINISHED, marks=self._to.marks, reason=what, error=stuck)
        return restore(self._to, self._hands, why)

    def _running(self) -> Deploying | None:
        """Ours at the group, where one is running.

        Raises:
            FinalError: it is somebody else's.
            IncompleteError: CodeDeploy refused, or gave no answer.
        """
        to, by = self._to, self._by
        found = patiently(lambda: codedeploy.find_running(to.aws, by.group), self._hands, to.marks.deadline)
        if found is not None and found[1] != replace(_spec(to, by), before_hook=None, after_hook=None):
            what = f"Deployment group {by.group.group} of CodeDeploy is busy with deployment {found[0].id}, which is not this one."
            raise FinalError(what, remedy="Wait until it has ended, or stop it, then deploy again.")
        return found[0] if found else None

    def _begin(self) -> None:
        """Begin one, and never a second: where the answer was lost, the group is asked."""
        to, by = self._to, self._by
        spec, alarms = _spec(to, by), tuple(dict.fromkeys((*by.alarms, *to.alarms)))

        def once() -> str:
            try:
                return codedeploy.begin(to.aws, by.group, spec, config=by.config, alarms=alarms, description=f"shipsafe {to.marks.id}")
            except ShipsafeError as error:
                busy = isinstance(error, AwsRefusal) and error.code == codedeploy.BUSY
                if not busy and not may_pass(error):
                    raise
                if found := self._running():
                    return found.id
                now = look_at(to, self._hands, to.marks.deadline)
                if not to.marks.before.leads(now):  # it ran, all at once, before we could ask
                    return ""
                raise

        self._deployment = patiently(once, self._hands, to.marks.deadline)
        self._hands.say(f"{to.name}:{to.alias}: CodeDeploy moves it, deployment {self._deployment or 'that has ended already'}")

    def _watch(self) -> None:
        """Until CodeDeploy has ended.

        Raises:
            StopError: an alarm, an interrupt, the deadline; or CodeDeploy failed or was stopped.
            TakenError: it says that it succeeded, and the alias leads elsewhere.
            IncompleteError: AWS refused, or gave no answer.
        """
        to, hands = self._to, self._hands
        while True:
            check(to, hands)
            told = self._patiently(lambda: codedeploy.find_deployment(to.aws, self._deployment)) if self._deployment else None
            now = look_at(to, hands, to.marks.deadline)
            self._tell(now)
            if told is not None and not told.running and told.status != codedeploy.SUCCEEDED:
                raise StopError(f"CodeDeploy says of deployment {told.id}: {told.status}{f', {told.error}' if told.error else ''}.")
            if seen := self._patiently(lambda: look(to, hands.now())).alarm:
                raise StopError(seen)
            if told is None or not told.running:
                if not arrived(to.marks, now):
                    raise taken(to, before(to), now)
                return
            hands.rest(_BETWEEN)

    def _patiently(self, call: Callable[[], _Value]) -> _Value:
        return patiently(call, self._hands, self._to.marks.deadline)

    def _tell(self, now: Alias | None) -> None:
        """Write down where the calls go, when that has changed."""
        to = self._to
        if now is None or not (arrived(to.marks, now) or on_its_way(to.marks, now)):
            return
        percent = WHOLE if now.version == to.version else round(now.weights.get(to.version, 0) * WHOLE)
        if not self.shifts or self.shifts[-1].percent != percent:
            self.shifts.append(Shift(at=self._hands.now(), percent=percent))
            self._hands.say(f"{to.name}:{to.alias}: {percent} % of the calls go to version {to.version}")


def _spec(to: Shifting, by: ByCodeDeploy) -> AppSpec:
    return AppSpec(function=to.name, alias=to.alias, current=to.marks.before.version, target=to.version,
                   before_hook=by.before_hook, after_hook=by.after_hook)  # fmt: skip


def _stopped(to: Shifting, hands: Hands, deployment: str) -> None:
    """Stop it, and wait until neither it nor the one that undoes it moves the alias.

    Raises:
        IncompleteError: CodeDeploy refused or gave no answer, or it does not end.
    """
    until = hands.now() + _BACK
    patiently(lambda: codedeploy.stop(to.aws, deployment), hands, until, stubborn=True)
    if back := _ended(to, hands, deployment, until).back:
        _ended(to, hands, back, until)


def _ended(to: Shifting, hands: Hands, deployment: str, until: datetime) -> Deploying:
    """A deployment when it has ended.

    Raises:
        IncompleteError: CodeDeploy refused or gave no answer, or it does not end.
    """
    while (told := patiently(lambda: codedeploy.find_deployment(to.aws, deployment), hands, until, stubborn=True)).running:
        if hands.now() >= until:
            raise FinalError(f"Deployment {deployment} of CodeDeploy does not end.", remedy="Look at it in the console of CodeDeploy.")
        hands.sleep(_BETWEEN)
    return told
