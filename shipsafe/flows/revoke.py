"""The straight line of `revoke`: who runs it, the plan, the revocation, the brake, and what nobody could look at.

A region, a version or a layer that could not be looked at is named in the plan and decides the exit code, and stops nothing: an emergency
must not wait for a right that somebody lacks.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.regions import enabled_regions
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import ExitCode, IncompleteError, ShipsafeError
from shipsafe.flows.recorded_code import recorded_code
from shipsafe.flows.targets import place_of
from shipsafe.model.policy import Policy
from shipsafe.model.signing import ProfileVersion, SigningJob
from shipsafe.signing.revoke.brake import stop
from shipsafe.signing.revoke.users import Region, Signature, Use, signed_since, users
from shipsafe.signing.revoke.wanted import Revocation, Standing, revoke, standing

Clock = Callable[[], Pace]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What there is before anything is changed. `home` is the account and region of the job or profile."""

    wanted: Revocation
    home: Aws
    standing: Standing
    regions: tuple[Region, ...]
    notes: tuple[str, ...]

    @property
    def uses(self) -> tuple[tuple[Region, Use], ...]:
        """Every function version that runs code with the signature."""
        return tuple((region, use) for region in self.regions for use in region.uses)

    @property
    def functions(self) -> tuple[tuple[Aws, str], ...]:
        """The functions of these versions (ARNs), each once."""
        return tuple({use.function: (region.aws, use.function) for region, use in self.uses}.values())

    @property
    def unlooked(self) -> tuple[str, ...]:
        """What nobody could look at."""
        return tuple(one for region in self.regions for one in region.unlooked) + self.notes


@dataclass(slots=True, kw_only=True)
class Done:
    """What could not be done."""

    failed: list[ShipsafeError] = field(default_factory=list)

    @contextmanager
    def going_on(self) -> Generator[None]:
        """Keep an error, and go on with what comes next."""
        try:
            yield
        except ShipsafeError as error:
            self.failed.append(error)

    def exit_code(self, found: Survey) -> ExitCode:
        """4 where something could not be done or looked at."""
        return max((error.exit_code for error in self.failed), default=ExitCode.INCOMPLETE if found.unlooked else ExitCode.PASS)


def place_for(what: SigningJob | ProfileVersion, policy: Policy) -> Place:
    """As whom a job or profile is revoked: as at the target of its account and region, else with what AWS's configuration says.

    A job that another account started with a profile of ours belongs to us; one that we started with another's (`profile-owner`) belongs to
    them, and whoever signed it may revoke it where the profile's permissions say so.
    """
    fitting = [target for target in policy.sign.targets if target.region in (None, what.region)]
    for target in fitting:
        if target.account == what.account and (isinstance(what, SigningJob) or target.profile == what.name):
            return replace(place_of(target), region=what.region)
    for target in fitting:
        if isinstance(what, SigningJob) and target.profile_owner == what.account and target.account:
            return replace(place_of(target), region=what.region)
    return Place(region=what.region, account=what.account)


def survey(
    wanted: Revocation,
    policy: Policy,
    connect: Callable[[Place], Aws],
    *,
    regions: Sequence[str],
    all_regions: bool,
    evidence: str | None = None,
    pace: Clock,
    say: Callable[[str], None],
) -> Survey:
    """Look, and change nothing.

    Args:
        wanted: what is to be revoked.
        policy: of the project; its targets say as whom.
        connect: opens a session.
        regions: to look through, beside that of the job or profile.
        all_regions: whether every one that the account can use is meant.
        evidence: where signing records are kept, instead of where the policy says.
        pace: makes the pace of a region's calls.
        say: told how far it is.

    Raises:
        ConfigError: the profile has another version.
        IncompleteError: no credentials; or Signer knows no such job or profile.
        IntegrityError: the credentials are another account's than the ARN's.
    """
    home = connect(place_for(wanted.what, policy))
    stands = standing(home, wanted)
    names, notes = [wanted.what.region, *regions], []
    if all_regions:
        try:
            names += enabled_regions(home)
        except IncompleteError as error:
            names += home.session.get_available_regions("lambda", partition_name=home.partition)
            notes.append(f"{error} Every region that this version of botocore knows was asked instead.")
    places = [home.elsewhere(name) for name in dict.fromkeys(names)]
    code, unread = recorded_code(wanted, policy, place=evidence, today=wanted.now.date(), connect=connect)
    notes += unread
    signature = Signature(arn=wanted.what.arn, code=code)
    since = signed_since(home, wanted.effective)
    found = users(places, signature, pace=pace, since=since, say=say)
    return Survey(wanted=wanted, home=home, standing=stands, regions=found, notes=tuple(notes))


def carry_out(found: Survey, *, stopping: bool, pace: Clock, say: Callable[[str], None]) -> Done:
    """Revoke, then stop what runs it. What cannot be done does not keep the rest from being done."""
    done = Done()
    arn, paces = found.wanted.what.arn, {region.aws.region: pace() for region in found.regions}
    if found.standing.done:
        say(f"{arn}: {found.standing.says}.")
    else:
        with done.going_on():
            revoke(found.home, found.wanted)
            say(f"{arn}: revoked.")
    for aws, function in found.functions if stopping else ():
        with done.going_on():
            say(f"{function}: {stop(aws, function, arn, paces[aws.region])}.")
    return done
