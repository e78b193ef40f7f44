"""Carrying out the plan of one function: marks, configuration, code, version, smoke test, alias; each looked at before the next.

    done = Course(plan=plan, live=live, work=work, run=run, layers=arns, verify=verify).carry_out()
    done.deployment, done.verified

Nothing is raised for what goes wrong at AWS: the `Deployment` says it. Until the alias moves nobody who calls it sees anything; what fails
before that leaves callers where they were. Without an alias callers see `$LATEST` as soon as it changes, and what fails gives it back the
code that it had, where it is known which signed object that was.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from shipsafe.deploy import marks as tags
from shipsafe.deploy.latest import published, update_latest
from shipsafe.deploy.look import Live
from shipsafe.deploy.marks import Before, Marks, Phase
from shipsafe.deploy.plan import FunctionPlan
from shipsafe.deploy.restore import restore
from shipsafe.deploy.resume import Resumption, resumption
from shipsafe.deploy.rollout import roll_out
from shipsafe.deploy.settle import ChangedError
from shipsafe.deploy.shifting import Hands, RolledOut, Shifting
from shipsafe.deploy.smoke import smoke_test
from shipsafe.deploy.work import Work
from shipsafe.errors import ExitCode, IncompleteError, IntegrityError, RolledBackError, ShipsafeError
from shipsafe.model.chain import Verification
from shipsafe.model.deployment import Deployment, Ending, Shift

RollOut = Callable[[Shifting, Hands], RolledOut]
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
    """What came of a function. `verified` is what looking again has found, None where it came to nothing that could be looked at."""

    deployment: Deployment
    verified: Verification | None = None
    to: Shifting | None = None


@dataclass(slots=True, kw_only=True)
class Course:
    """One function on its way.

    Attributes:
        plan: what is left to do. live: the function as the plan saw it, or as it was created.
        work: time, pace and place. run: which deployment this is.
        layers: ARNs that it is to have.
        verify: looks again at what runs.
        roll_out: moves the alias.
    """

    plan: FunctionPlan
    live: Live
    work: Work
    run: Run
    layers: tuple[str, ...]
    verify: Verify
    roll_out: RollOut = roll_out
    version: str = ""
    shifts: tuple[Shift, ...] = ()
    notes: tuple[str, ...] = ()
    _touched: bool = False  # whether `$LATEST` is, or may be, another
    _began: datetime | None = None

    def carry_out(self) -> Done:
        """Do what the plan says; gives what came of it, whatever that is."""
        self._began = self.work.hands.now()
        if self.plan.empty:
            self.version = self.plan.version
            verified = self.verify(self._called)
            return Done(deployment=self._ended(Ending.UNCHANGED, self._not_held(verified)), verified=verified)
        if (left := self._taken_back()) is not None:
            return Done(deployment=left)
        marks = self._marks()
        try:
            self._write(marks)
        except ShipsafeError as error:
            return Done(deployment=self._ended(Ending.REFUSED, error))
        try:
            self._touched = bool(self.plan.changes or self.plan.code)
            latest = update_latest(self.work, self.plan.wanted, self.live.latest, self.layers)
            self.version = published(self.work, self.plan.wanted, latest)
            marks = marks.at(Phase.PUBLISHED, self.version)
            self._write(marks)
            self._smoke()
            self.work.check()
        except ShipsafeError as error:
            return Done(deployment=self._back(marks, error))
        return self._shifted(marks) if self.plan.wanted.alias else self._as_it_is(marks)

    @property
    def _called(self) -> str:
        alias = self.plan.wanted.alias
        return f"{self._function}:{alias}" if alias else f"{self._function}:$LATEST"

    @property
    def _function(self) -> str:
        return self.live.latest.function

    @property
    def _resumption(self) -> Resumption:
        """What is made of a deployment that nobody ended."""
        wanted = self.plan.wanted
        return resumption(self.plan.earlier, release=wanted.artifact.sha256, alias=wanted.alias, aliases=self.live.aliases)

    def _taken_back(self) -> Deployment | None:
        """Take back what a dead deployment of another release has left; None where nothing is in the way any more."""
        left = self.plan.earlier
        if left is None or self._resumption is not Resumption.TAKE_BACK:
            return None
        to = Shifting(aws=self.work.aws, function=self._function, marks=left, version=left.version)
        out = restore(to, self.work.hands, f"The deployment of {left.began:%Y-%m-%d %H:%M} UTC was not ended.")
        self._take(out)
        return None if out.ending is Ending.ROLLED_BACK else self._ended(out.ending, out.error, out.reason)

    def _marks(self) -> Marks:
        """What the tags are to say: where callers went before this deployment, or before the one that it goes on with."""
        wanted, earlier, resumed = self.plan.wanted, self.plan.earlier, self._resumption
        alias = wanted.alias
        before = Before.of(alias, self.live.alias(alias)) if alias else Before(code_sha256=self.live.latest.code_sha256)
        if earlier is not None and resumed is not Resumption.FRESH and earlier.before.alias == alias:
            before = earlier.before
        return Marks(
            id=self.run.id,
            began=self.run.began,
            deadline=self.run.deadline,
            release=wanted.artifact.sha256,
            before=before,
            phase=Phase.CODE if self.plan.changes or self.plan.code else Phase.BEGAN,
            version=earlier.version if earlier is not None and resumed is Resumption.FINISH else "",
        )

    def _write(self, marks: Marks) -> None:
        self.work.again(lambda: tags.write(self.work.aws, self._function, marks, self.work.hands.pace))

    def _smoke(self) -> None:
        smoke = self.plan.wanted.how.smoke
        if smoke is not None:
            self.work.check()
            self.work.hands.say(f"{self.plan.name}: smoke test of version {self.version}")
            smoke_test(self.work.aws, self.plan.name, self.version, smoke)

    def _shifted(self, marks: Marks) -> Done:
        """Move the alias, look again, and say that it is done; what does not hold goes back."""
        how, work = self.plan.wanted.how, self.work
        to = Shifting(aws=work.aws, function=self._function, marks=marks, version=self.version, strategy=how.strategy, alarms=how.alarms,
                      default_alarm=how.default_alarm)  # fmt: skip
        out = self.roll_out(to, work.hands)
        self._take(out)
        if out.ending is not Ending.DEPLOYED:
            return Done(deployment=self._ended(out.ending, out.error, out.reason))
        to = replace(to, marks=out.marks)
        verified = self.verify(self._called)
        if verified.exit_code is ExitCode.INTEGRITY:
            error = self._not_held(verified)
            back = restore(to, work.hands, str(error))
            self._take(back)
            return Done(deployment=self._ended(back.ending, back.error or error, back.reason), verified=verified)
        return Done(deployment=self._settled(out.marks, self._not_held(verified)), verified=verified, to=to)

    def _as_it_is(self, marks: Marks) -> Done:
        """Without an alias callers have it already."""
        verified = self.verify(self._called)
        return Done(deployment=self._settled(marks, self._not_held(verified)), verified=verified)

    def _settled(self, marks: Marks, error: ShipsafeError | None) -> Deployment:
        """It runs; what cannot be written of that harms nobody."""
        try:
            self._write(marks.at(Phase.DONE))
        except ShipsafeError as failed:
            self.notes += (f"The tags of function {self.plan.name} still say that it is being deployed: {failed}",)
        return self._ended(Ending.DEPLOYED, error)

    def _take(self, out: RolledOut) -> None:
        self.shifts += out.shifts
        self.notes += out.notes

    def _back(self, marks: Marks, error: ShipsafeError) -> Deployment:
        """Something went wrong before the alias moved: callers of it are where they were.

        A first change that was refused because somebody else was faster has changed nothing; neither has a run that got to none. One that
        goes on with another's may find a part of the calls at the new version, and takes that back.
        """
        first = isinstance(error, ChangedError) and not (self.plan.changes and self.plan.code)
        try:
            if (first or not self._touched) and not (self.version or marks.version):
                tags.withdraw(self.work.aws, self._function, marks, self.plan.earlier, self.work.hands.pace)
                return self._ended(Ending.REFUSED, error)
            if not self.plan.wanted.alias:
                return self._unfinished(error)
        except ShipsafeError as other:
            return self._unfinished(error, other)
        back = restore(Shifting(aws=self.work.aws, function=self._function, marks=marks, version=self.version), self.work.hands, str(error))
        self._take(back)
        return self._ended(back.ending, back.error or error, back.reason)

    def _unfinished(self, error: ShipsafeError, other: ShipsafeError | None = None) -> Deployment:
        what = f"{error.what} {other.what if other else ''}".strip()
        return self._ended(Ending.UNFINISHED, RolledBackError(what, remedy=f"Run: {self.run.command}"))

    def _not_held(self, verified: Verification) -> ShipsafeError | None:
        """What looking again has found wrong, as an error of its code."""
        if verified.exit_code in (ExitCode.PASS, ExitCode.FINDINGS):  # what is not allowed is said by its chain
            return None
        found = verified.first_broken
        what, remedy = (found[1].sentence, found[1].remedy) if found else (f"Nothing could be verified of {self._called}.", "")
        return (IntegrityError if verified.exit_code is ExitCode.INTEGRITY else IncompleteError)(what, remedy=remedy)

    def _ended(self, ending: Ending, error: ShipsafeError | None = None, reason: str = "") -> Deployment:
        plan, signed = self.plan, self.plan.wanted.signed
        return Deployment(
            artifact=plan.wanted.artifact.name,
            function=plan.name,
            account=self.work.aws.account,
            region=self.work.aws.region,
            ending=ending,
            reason=reason or (str(error) if error else ""),
            version=self.version,
            before=plan.before,
            alias=plan.wanted.alias,
            unsigned_sha256=plan.wanted.artifact.sha256,
            sha256=signed.sha256,
            code_sha256=signed.code_sha256,
            job=signed.job,
            profile_version=signed.profile_version,
            configuration=plan.configuration,
            revision=plan.revision,
            strategy=plan.wanted.how.strategy,
            began=self._began,
            ended=self.work.hands.now(),
            shifts=self.shifts,
            notes=self.notes,
            error=error,
        )
