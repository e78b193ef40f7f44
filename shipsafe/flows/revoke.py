"""The straight line of `revoke`: who runs it, the plan, the revocation, the brake, and what nobody could look at.

A region, a version or a layer that could not be looked at is named in the plan and decides the exit code, and stops nothing: an emergency
must not wait for a right that somebody lacks.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.regions import enabled_regions
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import ConfigError, ExitCode, IncompleteError, IntegrityError, ShipsafeError
from shipsafe.flows.recorded_code import recorded_code
from shipsafe.flows.targets import place_of
from shipsafe.model.policy import Policy
from shipsafe.model.signing import ProfileVersion, SigningJob, SignTarget
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


def _home(what: SigningJob | ProfileVersion, policy: Policy, connect: Callable[[Place], Aws]) -> Aws:
    """As whom a job or profile is revoked: as at the target of its account and region, else with what AWS's configuration says.

    A job belongs to the account whose profile signed it. Where these credentials are another's, who signed with that profile
    (`profile-owner`) may revoke its jobs, if the profile's permissions say so.

    Raises:
        IncompleteError: there are no credentials.
        IntegrityError: they are another account's.
    """
    for target in policy.sign.targets:
        here = target.account == what.account and target.region in (None, what.region)
        if here and (isinstance(what, SigningJob) or target.profile == what.name):
            return connect(replace(place_of(target), region=what.region))
    try:
        return connect(Place(region=what.region, account=what.account))
    except IntegrityError:
        lent = next(_borrowing(what, policy), None) if isinstance(what, SigningJob) else None
        if lent is None:
            raise
        return connect(replace(place_of(lent), region=what.region))


def _borrowing(what: SigningJob | ProfileVersion, policy: Policy) -> Iterator[SignTarget]:
    """Targets of other accounts that sign with a profile of the account of the ARN: what they deploy carries its signatures, too."""
    for target in policy.sign.targets:
        fits = isinstance(what, SigningJob) or target.profile == what.name
        if fits and target.profile_owner == what.account and target.account not in (None, what.account):
            yield target


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
        ConfigError: the profile has another version; the ARN names another partition than its region is in.
        IncompleteError: no credentials; or Signer knows no such job or profile.
        IntegrityError: the credentials are another account's than the ARN's.
    """
    home = _home(wanted.what, policy, connect)
    if wanted.what.partition != home.partition:  # Signer is asked by id: it would find the job, and nobody who runs it
        remedy = f"Write arn:{home.partition}:..., if it is that one."
        raise ConfigError(f"{wanted.what.arn} is no ARN of {home.region}, which is in partition {home.partition}.", remedy=remedy)
    stands = standing(home, wanted)
    names, notes = [wanted.what.region, *regions], []
    if all_regions:
        try:
            names += enabled_regions(home)
        except IncompleteError as error:
            names += home.session.get_available_regions("lambda", partition_name=home.partition)
            notes.append(f"{error} Every region that this version of botocore knows was asked instead.")
    homes = [home]
    for target in _borrowing(wanted.what, policy):
        try:
            homes.append(connect(place_of(target)))
        except ShipsafeError as error:
            notes.append(f"Account {target.account} (target {target.name}): {error}")
    places = [one.elsewhere(name) for one in homes for name in dict.fromkeys([one.region, *names])]
    places = list({(one.account, one.region): one for one in places}.values())
    code, unread = recorded_code(wanted, policy, place=evidence, connect=connect)
    notes += unread
    signature = Signature(arn=wanted.what.arn, code=code)
    since = signed_since(home, wanted.effective)
    found = users(places, signature, pace=pace, since=since, say=say)
    return Survey(wanted=wanted, home=home, standing=stands, regions=found, notes=tuple(notes))


def carry_out(found: Survey, *, stopping: bool, pace: Clock, say: Callable[[str], None]) -> Done:
    """Revoke, then stop what runs it. What cannot be done does not keep the rest from being done."""
    done = Done()
    arn, paces = found.wanted.what.arn, {(region.aws.account, region.aws.region): pace() for region in found.regions}
    if found.standing.done:
        say(f"{arn}: {found.standing.says}.")
    else:
        with done.going_on():
            revoke(found.home, found.wanted)
            say(f"{arn}: revoked.")
    for aws, function in found.functions if stopping else ():
        with done.going_on():
            say(f"{function}: {stop(aws, function, arn, paces[aws.account, aws.region])}.")
    return done
