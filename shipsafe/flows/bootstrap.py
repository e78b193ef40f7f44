"""The straight line of `bootstrap`: targets, what is there, what is missing, the changes, and a second look that must find nothing missing.

Everything is looked at before anything is changed. A run that was interrupted is continued by the next, which looks again and finds less
to do; when all is there, it changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import ConfigError, ExitCode, IncompleteError
from shipsafe.flows.pipeline_places import Pipeline, pipeline_of, stage_alone
from shipsafe.flows.targets import once_a_place, place_of
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.signing.setup.buckets import bucket_checks
from shipsafe.signing.setup.check import Check, Mend
from shipsafe.signing.setup.configurations import chosen, configuration_checks
from shipsafe.signing.setup.look import Connected, Looked, bucket_name, look
from shipsafe.signing.setup.profiles import profile_checks
from shipsafe.signing.setup.roles import role_checks
from shipsafe.signing.setup.roles_look import look_at_roles
from shipsafe.signing.setup.trust import workflow_checks

# A bucket that was just made is not known everywhere at once, and one setting is refused while another is written.
# So is a role.
_SETTLING = ("NoSuchBucket", "OperationAborted", "ConflictException", "404", "NoSuchEntity", "ConcurrentModification")
_TRIES = 6  # with pauses of 1, 2, 4 ... seconds between
_LATER = (1.0, 2.0, 4.0, 8.0)  # seconds before another look at what was changed: S3 and IAM may show it only after a while


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The targets with their sessions, what was looked at, and what follows. `pipeline`: the policy whose roles are wanted, or None."""

    connected: tuple[Connected, ...]
    pipeline: Pipeline | None
    looked: Looked
    checks: tuple[Check, ...]

    @property
    def places(self) -> tuple[Connected, ...]:
        """The targets with their sessions, or, where only a stage is looked at, what is there."""
        return self.connected or (self.pipeline.going if self.pipeline else ())

    @property
    def stops(self) -> tuple[Check, ...]:
        """What must be put right before anything is changed."""
        return tuple(check for check in self.checks if check.stops)

    @property
    def left(self) -> tuple[Check, ...]:
        """What is not as it should be, and is left to a person."""
        return tuple(check for check in self.checks if not check.mends and (check.remedy or check.code))

    @property
    def mends(self) -> tuple[tuple[Check, Mend], ...]:
        """What is to be changed, in order."""
        return tuple((check, mend) for check in self.checks for mend in check.mends)

    @property
    def exit_code(self) -> ExitCode:
        """That of the gravest check."""
        return max((check.code for check in self.checks), default=ExitCode.PASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a target signs with now; None for what is not there."""

    target: SignTarget
    bucket: str
    profile: str | None
    configuration: str | None


def survey(targets: Sequence[SignTarget], connect: Callable[[Place], Aws], *, unnamed: bool = True, policy: Policy | None = None) -> Survey:
    """Look at all that these targets need. Changes nothing.

    Args:
        targets: of the policy.
        connect: opens a session.
        unnamed: whether a code-signing configuration is wanted where the policy names none.
        policy: whose `[pipeline]` names roles; None looks at no roles.

    Raises:
        ConfigError: no region is named, or two targets contradict each other.
        IncompleteError: there are no credentials.
        IntegrityError: the credentials are another account's.
    """
    opened = once_a_place(connect)
    connected = tuple((target, opened(place_of(target))) for target in targets)
    return surveyed(connected, unnamed=unnamed, pipeline=pipeline_of(policy, connected, opened) if policy else None)


def survey_stage(policy: Policy, name: str, connect: Callable[[Place], Aws]) -> Survey:
    """Look at the roles of a stage alone, in its account; as `survey` besides.

    Raises:
        ConfigError: there is no such stage, or the policy names no roles.
    """
    pipeline = stage_alone(policy, name, once_a_place(connect))
    if pipeline is None:
        remedy = "Add `roles`, `repository` and `workflow` to [pipeline]."
        raise ConfigError("The policy names no roles that a stage could have.", remedy=remedy, path=policy.path)
    return surveyed((), unnamed=False, pipeline=pipeline)


def surveyed(connected: Sequence[Connected], *, unnamed: bool = True, pipeline: Pipeline | None = None) -> Survey:
    """As `survey`, with sessions that are open."""
    looked = look(connected, unnamed=unnamed)
    checks = [check for one in looked.buckets for check in bucket_checks(one)]
    checks += [check for one in looked.profiles for check in profile_checks(one)]
    checks += [check for one in looked.configurations for check in configuration_checks(one)]
    if pipeline is not None:
        versions = {name: one.profile.version if one.profile else None for one in looked.profiles for name in one.targets}
        checks += role_checks(look_at_roles(pipeline.policy, pipeline.signing, pipeline.going, versions))
        checks += [*workflow_checks(pipeline.policy.pipeline), *pipeline.checks]
    return Survey(connected=tuple(connected), pipeline=pipeline, looked=looked, checks=tuple(checks))


def carry_out(made: Survey, *, say: Callable[[str], None], sleep: Callable[[float], None], unnamed: bool = True) -> Survey:
    """Make what is missing, one thing after another, and look again.

    Raises:
        IncompleteError: AWS refused a change; what was changed before it stays, and the next run goes on. Or what was made is not there.
        IntegrityError: a bucket turned out to be somebody else's.
    """
    for _, mend in made.mends:
        _patiently(mend.act, sleep)
        say(f"  done: {mend.what}")
    after = _shown(made, sleep, unnamed=unnamed)
    if after.mends:
        missing = "; ".join(mend.what for _, mend in after.mends)
        raise IncompleteError(f"AWS took every change, and does not show all of them: {missing}.", remedy="Run this again in a minute.")
    return after


def _shown(made: Survey, sleep: Callable[[float], None], *, unnamed: bool) -> Survey:
    """What is there after the changes, as soon as all of them can be seen."""
    pauses = iter(_LATER)
    while True:
        after = surveyed(made.connected, unnamed=unnamed, pipeline=made.pipeline)
        pause = next(pauses, None)
        if pause is None or not (after.mends or after.stops):
            return after
        sleep(pause)


def _patiently(act: Callable[[], None], sleep: Callable[[float], None]) -> None:
    for remaining in range(_TRIES - 1, -1, -1):
        try:
            act()
        except AwsRefusal as refusal:
            if refusal.code not in _SETTLING or not remaining:
                raise
            sleep(2.0 ** (_TRIES - 1 - remaining))
        else:
            return


def standing(found: Survey) -> Iterator[Standing]:
    """Target by target, what is there now."""
    for target, aws in found.connected:
        profile = next(one for one in found.looked.profiles if target.name in one.targets).profile
        mine = [one for one in found.looked.configurations if target.name in one.targets]
        configuration = chosen(mine[0]) if mine else None
        yield Standing(
            target=target,
            bucket=f"arn:{aws.partition}:s3:::{bucket_name(target, aws)}",
            profile=profile.arn if profile else None,
            configuration=configuration.arn if configuration else None,
        )
