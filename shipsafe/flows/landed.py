"""What came of a hand-over: whether each function runs the very object that was signed for here, and what `verify` says of it then.

    standing = look_around(case, handing, stack)
    if all(one.landed for one in standing): done = landed(case, standing)

What runs is compared by Lambda's CodeSha256 and signing job: that some release verifies does not mean that this one has landed. What has
landed is written down in a deployment record, as after a deployment of our own; a hand-over that nobody has run yet is not.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from shipsafe.adapters.aws.deploying import find_whole
from shipsafe.adapters.aws.functions import LATEST, Alias, Running, find_alias, find_function
from shipsafe.adapters.aws.looks import open_looks
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.stacks import functions_of_stack
from shipsafe.deploy.managed import manager_of
from shipsafe.deploy.wanted import Wanted, wanted
from shipsafe.errors import ExitCode, IncompleteError, ShipsafeError, gravest
from shipsafe.flows.deploy_case import Deploying
from shipsafe.flows.deploy_checks import signed_for
from shipsafe.flows.deploy_record import keep_record
from shipsafe.flows.targets import place_of
from shipsafe.flows.via import Handing
from shipsafe.model.chain import Chain, Link, Verification
from shipsafe.model.deployment import Deployment, Ending
from shipsafe.model.signing import SignTarget
from shipsafe.packing.release import Release
from shipsafe.readers.assembly.manifest import read_assembly
from shipsafe.signing.revoke.brake import MEMORY
from shipsafe.verify.links import held, of_error, unanswered
from shipsafe.verify.shelf import open_shelf
from shipsafe.verify.signed_code import Site
from shipsafe.verify.trusted import Trusted

LANDED = "landed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One function of a release at one place.

    Attributes:
        wanted: what it is to be. site: that place. chain: whether what was signed for there still holds.
        name: what it is called there; None where nobody knows (yet).
        running: what its alias, or `$LATEST`, runs; None where it is not there. alias: where that leads, None for none.
        stack: the CloudFormation stack that it is of, None where none is known.
        stopped: `shipsafe revoke` has stopped it.
        error: why it could not be looked at.
    """

    wanted: Wanted
    site: Site
    chain: Chain
    name: str | None = None
    running: Running | None = None
    alias: Alias | None = None
    stack: str | None = None
    stopped: bool = False
    error: ShipsafeError | None = None

    @property
    def aws(self) -> Aws:
        """The account and Region."""
        return self.site.looks.aws

    @property
    def landed(self) -> bool:
        """Whether all of its calls reach what was signed for here."""
        signed, running = self.wanted.signed, self.running
        split = bool(self.alias and self.alias.weights)
        return running is not None and not split and (running.code_sha256, running.job) == (signed.code_sha256, signed.job)

    @property
    def link(self) -> Link:
        """It in a sentence."""
        called = self.called or self.wanted.artifact.subject
        if self.error is not None:
            return of_error(LANDED, self.error)
        if self.name is None:
            sentence = f"Nobody says what {self.wanted.artifact.subject} is called, so that nobody could look at it."
            return unanswered(LANDED, sentence, remedy="Name its stack with --stack, or write [[deploy.function]] function and name.")
        if self.running is None:
            return unanswered(LANDED, f"There is no {called} in account {self.aws.account}, {self.aws.region}, yet.")
        if self.landed:
            return held(LANDED, f"{called} runs what was signed for here.")
        if self.alias and self.alias.weights:
            return unanswered(LANDED, f"The calls of {called} go to several versions: its deployment has not ended.")
        sentence = f"{called} does not run this release yet: CodeSha256 {self.running.code_sha256}, not {self.wanted.signed.code_sha256}."
        return unanswered(LANDED, sentence, remedy="Let its tool deploy what was written, then run this again with --landed.")

    @property
    def called(self) -> str:
        """`NAME:ALIAS`, or the name alone; "" where nobody knows it."""
        return f"{self.name}:{self.wanted.alias}" if self.name and self.wanted.alias else self.name or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """What came of it, for a report.

    Attributes:
        release: with the records of what has landed.
        deployments: one for each function and place.
        verification: of what runs now, where it has landed; `verdicts`: what it came to, a word by `account/region/function`.
        unrecorded: why what landed could not be written down, or None.
    """

    release: Release
    deployments: tuple[Deployment, ...]
    verification: Verification
    verdicts: Mapping[str, str]
    unrecorded: ShipsafeError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """That of the gravest: 0 also where somebody has still to run its tool, and nobody asked whether it has landed."""
        codes = [one.exit_code for one in self.deployments]
        codes += [self.verification.exit_code] if self.verification.chains else []
        return gravest([*codes, *([self.unrecorded.exit_code] if self.unrecorded else [])])


Tell = Callable[[Standing, Deployment], Deployment]


def _as_it_is(_one: Standing, deployment: Deployment) -> Deployment:
    return deployment


def look_around(case: Deploying, handing: Handing, stack: str | None, *, sure: bool = False) -> tuple[Standing, ...]:
    """How each function stands at each target. Changes nothing.

    Args:
        case: the release, and where it goes.
        handing: what was handed over; its project says what functions are called.
        stack: the name of the CloudFormation stack, where somebody said it.
        sure: its functions are meant, and none that only is called as the policy or the release says.

    Raises:
        ShipsafeError: AWS cannot be asked at all; what could not be looked at of one function stands there.
    """
    return tuple(one for target in case.targets for one in _at(case, handing, stack, target, sure=sure and stack is not None))


def _at(case: Deploying, handing: Handing, stack: str | None, target: SignTarget, *, sure: bool) -> Iterator[Standing]:
    looks = open_looks(case.connect(place_of(target)), case.clock, case.sleep)
    functions = [one for one in wanted(case.release, case.policy.deploy, target.name) if not one.is_layer]
    trusted = Trusted(policy=case.policy.sign, account=looks.aws.account, region=looks.aws.region)
    site = Site(looks=looks, trusted=trusted, shelf=open_shelf(case.verify))
    of_stacks: Mapping[str, str] = {}
    error: ShipsafeError | None = None
    try:
        of_stacks = {} if not sure and all(one.named for one in functions) else named_by_stacks(handing, looks.aws, stack)
    except ShipsafeError as failed:
        error = failed

    def one(wanted_one: Wanted) -> Standing:
        there_called = of_stacks.get(wanted_one.artifact.name)
        known = there_called if sure and there_called else wanted_one.how.name or there_called
        lost = None if known and not sure else error
        there = Standing(wanted=wanted_one, site=site, chain=signed_for(site, wanted_one), name=known, error=lost)
        try:
            return there if lost else _looked_at(there)
        except ShipsafeError as failed:
            return replace(there, error=failed)

    with ThreadPoolExecutor(max_workers=max(1, min(case.request.jobs, len(functions))), thread_name_prefix="look") as pool:
        yield from pool.map(one, functions)


def named_by_stacks(handing: Handing, aws: Aws, stack: str | None) -> dict[str, str]:
    """What functions are called to which CloudFormation gave a name, by the names of artifacts.

    Args:
        handing: its project says where each is written; a cloud assembly names its stacks itself.
        aws: where.
        stack: that somebody named, or None.

    Raises:
        IncompleteError: CloudFormation refused or gave no answer.
    """
    stacks = {stack: ""} if stack else dict(_stacks(handing))
    found: dict[str, str] = {}
    for name, template in stacks.items():
        physical = functions_of_stack(aws, name)
        for one in handing.project.functions:
            if one.trail and template in ("", one.trail[0][0]) and (there := physical.get(".".join(known for _, known in one.trail))):
                found[one.name] = there
    return found


def _stacks(handing: Handing) -> Iterator[tuple[str, str]]:
    """Names of the stacks of a cloud assembly, and the template of each."""
    folder = handing.source if handing.source.is_dir() else handing.source.parent
    if (folder / "manifest.json").is_file():
        root = handing.project.root
        inside = "" if folder.resolve() == root.resolve() else folder.resolve().relative_to(root.resolve()).as_posix()
        for one in read_assembly(root, inside):
            yield one.stack_name, one.template


def _looked_at(there: Standing) -> Standing:
    """The same after a look at what runs; one whose name nobody says is called as the release calls it, if there is one."""
    one, looks = there.wanted, there.site.looks
    looks.functions.turn()
    whole = find_whole(looks.aws, there.name or one.name)
    if whole is None:
        return there
    manager = manager_of(whole.tags, source=None)
    there = replace(
        there, name=there.name or one.name, stack=manager.stack or None if manager else None, stopped=MEMORY in whole.tags
    )  # fmt: skip
    alias = None
    if one.alias:
        looks.pace.turn()
        alias = find_alias(looks.aws, str(there.name), one.alias)
        if alias is None:
            return there
    looks.functions.turn()
    return replace(there, running=find_function(looks.aws, str(there.name), alias.version if alias else LATEST), alias=alias)


def landed(case: Deploying, standing: tuple[Standing, ...], tell: Tell = _as_it_is) -> HandedOver:
    """Verify what runs, and write it down; what has not landed is an error of its own.

    Args:
        case: the release.
        standing: how each function stands.
        tell: makes of each deployment what is told and written down of it.

    Raises:
        ShipsafeError: nothing could be verified at all.
    """
    now, override = case.now(), case.verify.override
    told: list[tuple[Deployment, Chain | None]] = []
    verdicts: dict[str, str] = {}
    chains: list[Chain] = []
    for one in standing:
        if not one.landed:
            error = one.error or IncompleteError(one.link.sentence, remedy=one.link.remedy)
            told.append((tell(one, deployment_of(one, reason=str(error), error=error)), None))
            continue
        found = case.look_again(replace(one.site, names={str(one.name): one.wanted.artifact.subject}), one.called)
        chains += found.chains
        deployment = tell(one, replace(deployment_of(one), began=now, ended=case.now(), overridden=override is not None))
        verdicts[f"{deployment.account}/{deployment.region}/{deployment.function}"] = found.verdict
        told.append((deployment, next(iter(found.chains), None)))
    verification = replace(case.verified, chains=tuple(chains))
    return written_down(case, told, [one for one in told if one[0].error is None], verification, verdicts)


def written_down(
    case: Deploying, told: Sequence[tuple[Deployment, Chain | None]], kept: Sequence[tuple[Deployment, Chain | None]],
    verification: Verification, verdicts: Mapping[str, str],
) -> HandedOver:  # fmt: skip
    """What came of it, of which `kept` gets deployment records."""
    release, unrecorded = case.release, None
    try:
        release = keep_record(case.output, case.release, kept, case.records(secrets.token_hex(8))) if kept else case.release
    except ShipsafeError as error:
        unrecorded = error
    return HandedOver(release=release, deployments=tuple(one for one, _ in told), verification=verification, verdicts=verdicts,
                      unrecorded=unrecorded)  # fmt: skip


def handed_over(case: Deploying, standing: tuple[Standing, ...]) -> HandedOver:
    """What is told of a hand-over that somebody has still to run: nothing is verified and nothing recorded."""
    waiting = "Handed over: it runs this release when its own tool has deployed it."
    return HandedOver(
        release=case.release, deployments=tuple(deployment_of(one, reason=waiting) for one in standing),
        verification=replace(case.verified, chains=()), verdicts={},
    )  # fmt: skip


def deployment_of(one: Standing, *, reason: str = "", error: ShipsafeError | None = None) -> Deployment:
    """A function as a report names it, handed over."""
    signed, running = one.wanted.signed, one.running if one.landed else None
    return Deployment(
        artifact=one.wanted.artifact.name,
        function=one.name or one.wanted.artifact.name,
        account=one.aws.account,
        region=one.aws.region,
        ending=Ending.HANDED_OVER,
        reason=reason,
        version=running.version if running and running.version != LATEST else "",
        alias=one.wanted.alias,
        unsigned_sha256=one.wanted.artifact.sha256,
        sha256=signed.sha256,
        code_sha256=signed.code_sha256,
        job=signed.job,
        profile_version=signed.profile_version,
        revision=running.revision if running else "",
        error=error,
    )
