"""Carrying out the plan of one function: marks, configuration, code, version, smoke test, alias; each looked at before the next.

    done = Course(plan=plan, work=work, run=run, layers=arns, verify=verify).carry_out()
    done.deployment, done.verified
    done = taken_back(done, work, "Another function failed.")       # `--atomic`

Nothing is raised for what goes wrong at AWS: the `Deployment` says it. Until the alias moves nobody who calls it sees anything; what fails
before that leaves callers where they were. Without an alias callers see `$LATEST` as soon as it changes, and what fails gives it back the
code that it had, where it is known which signed object that was.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shipsafe.adapters.aws.deploying import find_whole
from shipsafe.adapters.aws.functions import Alias, list_aliases
from shipsafe.deploy import codedeploy
from shipsafe.deploy import marks as tags
from shipsafe.deploy.create import created
from shipsafe.deploy.latest import give_back, published, update_latest
from shipsafe.deploy.look import Live
from shipsafe.deploy.marks import Before, Marks, Phase
from shipsafe.deploy.others import check_alone, take_back
from shipsafe.deploy.plan import FunctionPlan
from shipsafe.deploy.restore import restore
from shipsafe.deploy.resume import Resumption, arrived
from shipsafe.deploy.rollout import roll_out
from shipsafe.deploy.shifting import RolledOut, Shifting, nobody
from shipsafe.deploy.smoke import smoke_test
from shipsafe.deploy.work import Work
from shipsafe.errors import ExitCode, RolledBackError, ShipsafeError
from shipsafe.model.chain import Verification
from shipsafe.model.deployment import Deployment, Ending, Shift

_LEAST = timedelta(minutes=2)  # for the way back, also where the deadline is over
Verify = Callable[[str], Verification]  # of `NAME:ALIAS`, or of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of `deploy`: its id, hex; UTC; and the command that goes on with it."""

    id: str
    began: datetime
    deadline: datetime
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a function.

    Attributes:
        deployment: how it ended.
        verified: what looking again has found, None where it came to nothing that could be looked at.
        course: what knows the way back, where there is something to take back.
    """

    deployment: Deployment
    verified: Verification | None = None
    course: "Course | None" = None


@dataclass(slots=True, kw_only=True)
class Course:
    """One function on its way.

    Attributes:
        plan: what is left to do.
        work: time, pace and place. run: which deployment this is.
        layers: ARNs that it is to have.
        verify: looks again at what runs.
    """

    plan: FunctionPlan
    work: Work
    run: Run
    layers: tuple[str, ...]
    verify: Verify
    version: str = ""
    shifts: tuple[Shift, ...] = ()
    notes: tuple[str, ...] = ()
    _touched: bool = False  # whether `$LATEST` is, or may be, another
    _began: datetime | None = None
    _marks: Marks | None = None  # as they were written last

    def carry_out(self) -> Done:
        """Do what the plan says; gives what came of it, whatever that is."""
        self._began = self.work.hands.now()
        if self.plan.empty:
            self.version = self.plan.version
            verified = self.verify(self._called)
            return Done(deployment=self._ended(Ending.UNCHANGED, self._not_held(verified)), verified=verified)
        try:
            live = self._begun()
            latest = update_latest(self.work, self.plan.wanted, live.latest, self.layers, self._touch)
            self.version = published(self.work, self.plan.wanted, latest)
            self._write(Phase.PUBLISHED)
            self._smoke()
            self.work.check()
        except ShipsafeError as error:
            return Done(deployment=self._back(error))
        return self._shifted() if self.plan.wanted.alias else self._as_it_is()

    def _begun(self) -> Live:
        """The marks, and what an earlier deployment has left is taken back; or the function, which is made with the marks.

        Raises:
            ShipsafeError: nothing was changed.
        """
        self.work.check()
        wanted, plan, live = self.plan.wanted, self.plan, self.plan.live
        before, version, began = Before(alias=wanted.alias), "", self.run.began
        if live is not None:
            check_alone(self.work, plan, live)
            alias = live.alias(wanted.alias)
            if plan.resumption is Resumption.TAKE_BACK and plan.earlier is not None:
                self.notes += take_back(self.work, plan, plan.earlier)
                alias = next(
                    (one for one in self.work.look(lambda: list_aliases(self.work.aws, plan.name)) if one.name == wanted.alias), None
                )
            before = Before.of(wanted.alias, alias) if wanted.alias else Before(code_sha256=live.latest.code_sha256)
            if plan.resumption is Resumption.FINISH and plan.earlier is not None:
                # A part of the calls may reach that version already, and what they come to counts from then on.
                before, version, began = self._before(plan.earlier, alias), plan.earlier.version, min(plan.earlier.began, began)
        phase = Phase.CODE if plan.changes or plan.code else Phase.BEGAN
        marks = Marks(id=self.run.id, began=began, deadline=self.run.deadline, release=wanted.artifact.sha256, before=before,
                      phase=phase, version=version)  # fmt: skip
        if live is None:
            self._marks, self._touched = marks, True
            return self._made(marks)
        self._marks = marks
        self._write(phase)
        return live

    def _before(self, earlier: Marks, now: Alias | None) -> Before:
        """Where the alias led before a deployment that this one goes on with.

        Where all calls reach its version already, the tags alone say so, and tags may be anybody's: nobody is taken to a version unseen.
        """
        before = earlier.before
        if now is None or not before.version or before.leads(now) or not arrived(earlier, now):
            return before
        if not before.weights and not self._not_held(self.verify(f"{self._function}:{before.version}")):
            return before
        said = f"The tags alone say that alias {now.name} led to version {before.version} before, and its chain was not proven today"
        self.notes += (f"{said}: whatever happens, it is not led there.",)
        return Before.of(now.name, now)

    def _touch(self) -> None:
        self._touched = True

    def _made(self, marks: Marks) -> Live:
        """The function, which was not there.

        Raises:
            ShipsafeError: it was not made, and then nothing is to be taken back; or it was, and is not ready.
        """
        try:
            return created(self.work, self.plan, marks, self.layers)
        except ShipsafeError:
            if self.work.look(lambda: find_whole(self.work.aws, self.plan.name)) is None:
                self._marks = None
            raise

    @property
    def _called(self) -> str:
        alias = self.plan.wanted.alias
        return f"{self._function}:{alias}" if alias else f"{self._function}:$LATEST"

    @property
    def _function(self) -> str:
        return self.work.aws.function_arn(self.plan.name)

    def _write(self, phase: Phase) -> None:
        """Let the tags say how far it is."""
        if self._marks is not None:
            marks = self._marks = self._marks.at(phase, self.version)
            self.work.again(lambda: tags.write(self.work.aws, self._function, marks, self.work.hands.pace))

    def _smoke(self) -> None:
        smoke = self.plan.wanted.how.smoke
        if smoke is not None:
            self.work.check()
            self.work.hands.say(f"{self.plan.name}: smoke test of version {self.version}")
            smoke_test(self.work.aws, self.plan.name, self.version, smoke)

    def _to(self, marks: Marks) -> Shifting:
        how = self.plan.wanted.how
        return Shifting(aws=self.work.aws, function=self._function, marks=marks, version=self.version, strategy=how.strategy,
                        alarms=how.alarms, default_alarm=how.default_alarm,
                        fresh=self.plan.resumption is not Resumption.FINISH)  # fmt: skip

    def _shifted(self) -> Done:
        """Move the alias, look again, and say that it is done; what does not hold goes back."""
        if self._marks is None:
            raise ValueError(self.plan.name)
        to, hands = self._to(self._marks), self.work.hands
        out = roll_out(to, hands) if self.plan.by is None else codedeploy.roll_out(to, hands, by=self.plan.by)
        self._take(out)
        if out.ending is not Ending.DEPLOYED:
            return Done(deployment=self._ended(out.ending, out.error, out.reason))
        return self._as_it_is()

    def _as_it_is(self) -> Done:
        """Callers have it: look again, and say that it is done; what does not hold goes back."""
        verified = self.verify(self._called)
        error = self._not_held(verified)
        if error is not None and verified.exit_code is ExitCode.INTEGRITY:
            return Done(deployment=self.undone(error), verified=verified)
        try:
            self._write(Phase.DONE)
        except ShipsafeError as failed:
            self.notes += (f"The tags of function {self.plan.name} still say that it is being deployed: {failed}",)
        ending = Ending.UNCHANGED if self.plan.arrived else Ending.DEPLOYED
        return Done(deployment=self._ended(ending, error), verified=verified, course=self)

    def undone(self, error: ShipsafeError) -> Deployment:
        """Callers have it, and are to go back."""
        if not self.plan.wanted.alias or self._marks is None:
            return self._back(error)
        back = restore(self._to(self._marks), self.work.hands, error.what)
        self._take(back)
        return self._ended(back.ending, back.error or error, back.reason)

    def _take(self, out: RolledOut) -> None:
        self.shifts += out.shifts
        self.notes += out.notes
        self._marks = out.marks

    def _back(self, error: ShipsafeError) -> Deployment:
        """Something went wrong where no alias has moved: callers of one are where they were, those of `$LATEST` get back what they had.

        A first change that Lambda refused has changed nothing, nor has a run that got to none. One that goes on with another's may find a
        part of the calls at the new version, and takes that back.
        """
        if self._marks is None:
            return self._ended(Ending.REFUSED, error)
        try:
            if not self._touched and not (self.version or self._marks.version):
                tags.withdraw(self.work.aws, self._function, self._marks, self.plan.earlier, self.work.hands.pace)
                return self._ended(Ending.REFUSED, error)
            if not self.plan.wanted.alias and self._touched:
                self._give_back(error)
            if self.plan.wanted.alias and self.plan.live is not None:
                back = restore(self._to(self._marks), self.work.hands, error.what)
                self._take(back)
                return self._ended(back.ending, back.error or error, back.reason)
            self._write(Phase.RESTORED)
        except ShipsafeError as other:
            what = error.what if other is error else f"{error.what} {other.what}"
            return self._ended(Ending.UNFINISHED, RolledBackError(what, remedy=f"Run: {self.run.command}"))
        return self._ended(Ending.ROLLED_BACK, error)

    def _give_back(self, error: ShipsafeError) -> None:
        """The code that `$LATEST` had.

        Raises:
            ShipsafeError: it could not be had, or not be given.
        """
        live, former = self.plan.live, self.plan.former
        if live is None or former is None:
            raise error  # a function that was made now has nothing to go back to, nor one whose code nobody signed
        self.work.hands.say(f"{self.plan.name}: going back, {error.what}")
        until = max(self.work.until, self.work.hands.now() + _LEAST)
        hands = replace(self.work.hands, interrupted=nobody)
        give_back(replace(self.work, hands=hands, until=until), self.plan.wanted, live.latest, former)

    def not_begun(self, error: ShipsafeError) -> Deployment:
        """Nothing of it was changed, nor will be."""
        return self._ended(Ending.REFUSED, error)

    def _not_held(self, verified: Verification) -> ShipsafeError | None:
        """What looking again has found wrong, as an error of its code."""
        if verified.exit_code in (ExitCode.PASS, ExitCode.FINDINGS):  # what is not allowed is said by its chain
            return None
        return verified.as_error(f"Nothing could be verified of {self._called}.")

    def _ended(self, ending: Ending, error: ShipsafeError | None = None, reason: str = "") -> Deployment:
        return replace(
            self.plan.deployment(self.work.aws, ending),
            reason=reason or (str(error) if error else ""),
            version=self.version,
            before=self._marks.before.version if self._marks else self.plan.before,
            began=self._began,
            ended=self.work.hands.now(),
            shifts=self.shifts,
            notes=self.notes,
            error=error,
        )


def taken_back(done: Done, work: Work, why: str) -> Done:
    """The same, taken back although it went well by itself; one that changed nothing stays as it is."""
    if done.course is None:
        return done
    course = done.course
    course.work = work
    error = RolledBackError(why, remedy=f"When that is mended, run: {course.run.command}")
    return Done(deployment=course.undone(error), verified=None)
