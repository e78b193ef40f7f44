"""`shipsafe deploy --via`: what is written for another tool, what to run then, and what has landed. `cli/deploy.py` has the options."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from shipsafe.adapters.files import relative
from shipsafe.cli.deployments import tell_deployments, tell_refused
from shipsafe.cli.screen import Screen
from shipsafe.deploy.managed import ManagedError
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.deploy_case import Deploying
from shipsafe.flows.deploy_plan import DeployPlan, planned
from shipsafe.flows.landed import HandedOver, Standing, handed_over, landed, look_around
from shipsafe.flows.via import Handing, ViaRequest, hand_over, source_of
from shipsafe.reports.deployments import Told


def hand(
    case: Deploying, asked: ViaRequest, files: Sequence[tuple[str, Path]], *, output: str, screen: Screen, yes: bool, dry_run: bool,
    quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Hand a release over, or verify that it has landed; gives the exit code.

    Args:
        case: the release, held and verified.
        asked: to whom, and how.
        files: form and file of each report.
        output: the form of standard output.
        screen: takes lines.
        yes: go on without asking.
        dry_run: stop after the plan.
        quiet: of a refusal, no chains.
        verbose: of a refusal, also the links that hold.

    Raises:
        ShipsafeError: it cannot be handed over, there is nobody to ask, or a file cannot be written.
    """
    handing = hand_over(case, asked)
    standing = look_around(case, handing, asked.stack)
    verification = replace(case.verified, chains=(*case.verified.chains, *(one.chain for one in standing)))
    if verification.exit_code is not ExitCode.PASS:
        return tell_refused(verification, files, output, screen, remarks=(), quiet=quiet, verbose=verbose)
    if asked.look or all(one.landed for one in standing):
        done, remarks = landed(case, standing), []
    else:
        commands = list(_commands(handing, standing, asked.stack))
        if not screen.confirm(_plan(handing, standing), yes=yes, dry_run=dry_run):
            return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
        handing.rewritten.write()
        done = handed_over(case, standing)
        again = f"shipsafe deploy {case.request.out} --via {handing.via} --landed"
        remarks = [*(f"{_here(path)} written" for path in handing.rewritten.paths), "Run:", *(f"  {one}" for one in commands),
                   "Then, to verify what has landed, with the same options:", f"  {again}"]  # fmt: skip
    return tell_deployments(told_of(done, remarks), files, output, screen)


def check_via(asked: ViaRequest, *, others: bool = False, stack: bool = False) -> None:
    """Refuse options that do not go together.

    Args:
        asked: as it was given.
        others: options are given that are about deploying it ourselves.
        stack: it goes to a stage that may name a stack.

    Raises:
        ConfigError: they do not.
    """
    if asked.via is None and not stack and asked != ViaRequest():
        what = "--template, --write, --stack, --parameter-overrides and --landed belong to --via, or to a stage with a `stack`."
        raise ConfigError(what, remedy="Name the tool, or the stage.")
    if asked.via is not None and others:
        raise ConfigError("Another tool deploys what its template describes.", remedy="Leave out --function, --create and --atomic.")


def planned_or_handed(case: Deploying, asked: ViaRequest, screen: Screen) -> DeployPlan | ViaRequest:
    """The plan of a deployment of our own; or how it is handed over, where that is asked for or its functions belong to another tool.

    Raises:
        ManagedError: they belong to one, and its template is not here, or something is asked for that it cannot do.
        ShipsafeError: as `planned`.
    """
    if asked.via is not None:
        return asked
    try:
        return planned(case)
    except ManagedError as error:
        if case.request.functions or case.request.atomic:  # another tool deploys all that its template describes
            raise
        try:
            source_of(case.release)
        except ConfigError as lacking:
            raise ManagedError(error.what, remedy=f"{error.remedy} {lacking.what}", manager=error.manager) from error
        by = next((one.name for one in case.policy.deploy.stages if one.stack and one.stack == error.manager.stack), None)
        other = f" With --stage {by} CloudFormation changes it." if by else ""
        screen.say(f"{error.what} So what was signed is handed over to it (--via).{other}")
        return ViaRequest(via=None if error.manager.stack else error.manager.via, stack=error.manager.stack or None)  # its template says


def _plan(handing: Handing, standing: Sequence[Standing]) -> Iterator[str]:
    """What is written, and how each function stands."""
    yield f"via {handing.via}: {_here(handing.source)} is not changed, and nothing is run"
    yield from (f"  writes {_here(path)}" for path in handing.rewritten.paths)
    yield from (f"  {remark}" for remark in handing.rewritten.remarks)
    for one in standing:
        yield f"function {one.called or one.wanted.artifact.name}: {one.link.sentence}"


def _commands(handing: Handing, standing: Sequence[Standing], stack: str | None) -> Iterator[str]:
    """For each Region and stack, once; what nobody knows the stack of is in the only one that is known."""
    seen: set[str] = set()
    known = {one.stack for one in standing if one.stack}
    alone = known.pop() if len(known) == 1 else None
    for one in standing:
        for command in handing.commands(region=one.aws.region, stack=stack or one.stack or alone):
            if command not in seen:
                seen.add(command)
                yield command


def told_of(done: HandedOver, remarks: Sequence[str]) -> Told:
    """What a report says of it."""
    unrecorded = [str(done.unrecorded)] if done.unrecorded else []
    return Told(deployments=done.deployments, verdicts=done.verdicts, verification=done.verification, exit_code=done.exit_code,
                remarks=(*remarks, *done.verification.complaints, *unrecorded))  # fmt: skip


def _here(path: Path) -> str:
    return relative(path.absolute(), Path.cwd())
