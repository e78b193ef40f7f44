"""How functions go live: what the policy says of it, the steps of a plan, and what came of them.

    deployment of a function: look -> plan -> marks -> code -> publish -> smoke test -> shift the alias, watched -> verify

Weights are whole percents of an alias's calls; durations are `timedelta`s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from shipsafe.errors import ExitCode, ShipsafeError, gravest

WHOLE = 100  # percent


def span_text(span: timedelta) -> str:
    """A duration in words, to the second.

    >>> span_text(timedelta(minutes=5)), span_text(timedelta(seconds=3690)), span_text(timedelta(days=1)), span_text(timedelta())
    ('5 minutes', '1 hour 1 minute 30 seconds', '1 day', '0 seconds')
    """
    rest, parts = max(0, int(span.total_seconds())), []
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        number, rest = divmod(rest, size)
        parts += [f"{number} {unit}{'' if number == 1 else 's'}"] if number else []
    return " ".join(parts) or "0 seconds"


class Rollout(StrEnum):
    """How calls of an alias move to a new version."""

    ALL_AT_ONCE = "all-at-once"
    CANARY = "canary"  # a part, and after one pause all
    LINEAR = "linear"  # the same part again and again, a pause after each


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A roll-out: `percent` of the calls a step, and how long each step is watched."""

    rollout: Rollout = Rollout.ALL_AT_ONCE
    percent: int = 10
    every: timedelta = timedelta(minutes=5)

    @property
    def shares(self) -> tuple[int, ...]:
        """The percents that the new version gets, one after the other; the last is 100.

        >>> Strategy(rollout=Rollout.LINEAR, percent=40).shares
        (40, 80, 100)
        """
        match self.rollout:
            case Rollout.ALL_AT_ONCE:
                return (WHOLE,)
            case Rollout.CANARY:
                return (self.percent, WHOLE)
            case Rollout.LINEAR:
                return (*range(self.percent, WHOLE, self.percent), WHOLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultAlarm:
    """What is watched of the new version alone: at least `errors` errors and `percent` of its invocations, or any throttle."""

    errors: int = 5
    percent: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTest:
    """One invocation of the new version before any caller sees it. Files are absolute; `expect` None takes any answer that is no error."""

    payload: str
    expect: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDeployGroup:
    """An application of CodeDeploy and its deployment group, which shift the alias instead of us."""

    application: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDeploy:
    """How one function goes live.

    Attributes:
        name: what it is called in the account; None for what the template says.
        alias: that callers use; None for what the template says (`AutoPublishAlias`), or for none.
        strategy: how its calls move.
        alarms: names of CloudWatch alarms that stop it. default_alarm: None where the policy switched it off.
        smoke: a test invocation, or None.
        codedeploy: who shifts the alias instead, or None.
        role: the ARN of the execution role that `deploy --create` gives it, or None.
        strategy_stated: whether the policy says `strategy`, so that the template's counts no more.
    """

    name: str | None = None
    alias: str | None = None
    strategy: Strategy = field(default_factory=Strategy)
    alarms: tuple[str, ...] = ()
    default_alarm: DefaultAlarm | None = field(default_factory=DefaultAlarm)
    smoke: SmokeTest | None = None
    codedeploy: CodeDeployGroup | None = None
    role: str | None = None
    strategy_stated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRule:
    """A `[[deploy.function]]`: a pattern of artifact names, and what it changes (fields of `FunctionDeploy` and `Strategy`, by name)."""

    function: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A `[[deploy.stage]]`: the signing target whose signatures run there, and where that is.

    `after` names the stage that must have run the same unsigned digest before, for `soak`.

    Where its functions belong to a stack of CloudFormation: `stack` is its name, and `stack_role` the ARN of the service role as which
    CloudFormation changes it (None: the one that the stack has, else with the rights of whoever deploys).
    """

    name: str
    target: str
    account: str | None = None
    region: str | None = None
    role: str | None = None
    after: str | None = None
    soak: timedelta = timedelta()
    stack: str | None = None
    stack_role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployPolicy:
    """What the policy says of going live. `deadline`: how long one function may take, and how long a lost connection is tried again."""

    default: FunctionDeploy = field(default_factory=FunctionDeploy)
    rules: tuple[DeployRule, ...] = ()
    stages: tuple[Stage, ...] = ()
    deadline: timedelta = timedelta(minutes=30)

    @property
    def groups(self) -> tuple[CodeDeployGroup, ...]:
        """Every deployment group of CodeDeploy that it names."""
        named = (self.default.codedeploy, *(rule.changes.get("codedeploy") for rule in self.rules))
        return tuple(dict.fromkeys(one for one in named if one is not None))

    def of(self, artifact: str) -> FunctionDeploy:
        """How the artifact of that name goes live: the defaults, changed by every rule that fits, the last winning."""
        told = self.default
        for rule in self.rules:
            if fnmatchcase(artifact, rule.function):
                ways = {key: rule.changes[key] for key in ("rollout", "percent", "every") if key in rule.changes}
                rest = {key: value for key, value in rule.changes.items() if key not in ways}
                rest["alarms"] = tuple(dict.fromkeys((*told.alarms, *rest.get("alarms", ()))))
                stated = told.strategy_stated or bool(ways)
                told = replace(told, strategy=replace(told.strategy, **ways), strategy_stated=stated, **rest)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call that a plan makes: `api` as `lambda:UpdateAlias`, its parameters, and why. Printing it changes nothing."""

    api: str
    parameters: Mapping[str, Any]
    why: str


class Ending(StrEnum):
    """What a deployment of one function came to."""

    DEPLOYED = "deployed"
    UNCHANGED = "unchanged"  # it ran exactly this already
    ROLLED_BACK = "rolled-back"  # the alias leads where it led before
    REFUSED = "refused"  # nothing of the function was changed
    UNFINISHED = "unfinished"  # nobody knows, or it stands between: the next run finishes or restores
    HANDED_OVER = "handed-over"  # the user's own tool deploys it


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A moment of a roll-out: which percents of the calls went to the new version from then on."""

    at: datetime
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What came of one function at one place.

    Attributes:
        artifact: its name in the release manifest; `function` what it is called in the account.
        ending: how it ended; `reason` why, for every ending but DEPLOYED and UNCHANGED: a sentence.
        version: the published version that runs now (or was tried), "" where none is; `before` the one that the alias led to.
        alias: "" for `$LATEST`.
        unsigned_sha256, sha256: hex, of the unsigned and the signed zip. code_sha256: as Lambda reports it.
        revision: RevisionId that the plan was made on.
        began, ended: UTC.
        shifts: how the calls moved.
        error: why it failed; decides the exit code.
        overridden: whether it went live under break-glass.
    """

    artifact: str
    function: str
    account: str
    region: str
    ending: Ending
    reason: str = ""
    version: str = ""
    before: str = ""
    alias: str = ""
    unsigned_sha256: str = ""
    sha256: str = ""
    code_sha256: str = ""
    job: str = ""
    profile_version: str = ""
    configuration: str = ""
    revision: str = ""
    strategy: Strategy = field(default_factory=Strategy)
    began: datetime | None = None
    ended: datetime | None = None
    shifts: tuple[Shift, ...] = ()
    notes: tuple[str, ...] = ()
    error: ShipsafeError | None = None
    overridden: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """6 where it went back, that of its error where it has one, else 4 where nobody knows."""
        known = [self.error.exit_code] if self.error else []
        if self.ending is Ending.ROLLED_BACK:
            known.append(ExitCode.ROLLED_BACK)
        elif self.ending in (Ending.REFUSED, Ending.UNFINISHED) and not known:
            known.append(ExitCode.INCOMPLETE)
        return gravest(known)
