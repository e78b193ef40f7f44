"""`shipsafe deploy`: what a release holds goes live, step by step, and what runs is looked at again."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.aws.session import is_local
from shipsafe.adapters.timeline import processors
from shipsafe.cli import options
from shipsafe.cli.chains import tell
from shipsafe.cli.deployments import tell_deployments
from shipsafe.cli.handing_over import check_via, hand, planned_or_handed
from shipsafe.cli.rolling_back import roll_back
from shipsafe.cli.screen import Screen
from shipsafe.deploy.managed import Via
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.evidence.keys import open_signers
from shipsafe.flows.attest import names_of
from shipsafe.flows.break_glass import words
from shipsafe.flows.deploy import Deploying, DeployPlan, deployed, deploying
from shipsafe.flows.deploy_request import DeployRequest
from shipsafe.flows.rollback_case import RollbackRequest
from shipsafe.flows.via import ViaRequest
from shipsafe.reports.deployments import FORMS, Told
from shipsafe.reports.deployments.words import step_lines
from shipsafe.signing.roots import local_root

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(name="deploy")
def _deploy(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="The folder of a release (dist, if not given).", show_default=False)
    ] = Path("dist"),
    *,
    target: options.Targets = None,
    stage: options.Stage = None,
    skip_stages: options.SkipStages = False,
    function: Annotated[
        list[str] | None, typer.Option("--function", metavar="NAME", help="Only this function of the release; may be repeated.")
    ] = None,
    rollback: Annotated[
        str | None,
        typer.Option("--rollback", metavar="FUNCTION[:ALIAS]", help="Deploy nothing: lead this alias back to the version before."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="With --rollback: to this version, if its chain verifies.")
    ] = None,
    region: Annotated[str | None, typer.Option("--region", metavar="REGION", help="With --rollback: where the function is.")] = None,
    via: Annotated[
        Via | None,
        typer.Option("--via", help="Deploy nothing: write what this tool then deploys. The default where a function is its own."),
    ] = None,
    template: Annotated[
        Path | None, typer.Option("--template", metavar="FILE", help="With --via: what it deploys; the release says where, if not given.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="FILE", help="With --via: where the result goes; beside the template, if not given.")
    ] = None,
    stack: Annotated[
        str | None, typer.Option("--stack", metavar="NAME", help="With --via: the CloudFormation stack, where its functions do not say it.")
    ] = None,
    parameter_overrides: options.Parameters = None,
    landed: Annotated[bool, typer.Option("--landed", help="With --via: write nothing, verify that it has landed.")] = False,
    policy: options.PolicyFile = None,
    key: options.Keys = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    create: options.Create = False,
    role: options.CreateRole = None,
    atomic: options.Atomic = False,
    break_glass: options.BreakGlass = None,
    second: options.Second = None,
    evidence: options.Evidence = None,
    local: options.Local = False,
    offline_advisories: options.OfflineAdvisories = False,
    jobs: options.Jobs = None,
    output: options.PlainFormat = "text",
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Deploy a signed release to the functions that are there, and verify what runs.

    Before anything is changed every zip, its evidence and its signature are verified under your policy, the code-signing configuration has
    to enforce, and Lambda itself has to take the code in a dry run. Then: configuration and layers, the exact signed object, a published
    version, a smoke test, the alias. What goes wrong takes the alias back;
    --rollback does that later, to a version that verifies today.
    """
    options.known_format(output, FORMS)
    targets = options.report_targets(report, FORMS)
    request = DeployRequest(
        out=folder,
        policy=policy,
        targets=tuple(target or ()),
        stage=stage or "",
        skip_stages=skip_stages,
        create=create,
        role=role_arn(role),
        atomic=atomic,
        break_glass=words(break_glass, second),
        functions=tuple(function or ()),
        jobs=jobs or max(8, processors()),
        offline=offline_advisories,
        evidence=evidence,
        local_root=local_root(os.environ, local=local),
        signers=open_signers(key or ()),
    )
    there = is_local() or local
    if rollback is not None:
        if function or break_glass is not None or len(request.targets) > 1:
            raise ConfigError("--rollback takes one function, at one place.", remedy="Leave out --function, and name one --target.")
        back = RollbackRequest(
            function=rollback, to=to or "", target="".join(request.targets), stage=request.stage, region=region, release=folder,
            policy=policy, evidence=evidence, local_root=request.local_root, offline=offline_advisories, signers=request.signers,
        )  # fmt: skip
        return roll_back(back, targets, output=output, local=there, yes=yes, dry_run=dry_run, quiet=quiet, verbose=verbose)
    asked = ViaRequest(
        via=via, template=template, written=write, stack=stack, overrides=options.overrides(parameter_overrides), look=landed
    )
    check_via(asked, others=bool(function or create or atomic))
    if to or region:
        raise ConfigError("--to and --region belong to --rollback.", remedy="Leave them out: the policy says where to deploy.")
    screen = Screen(local=there, stream=sys.stdout if output == "text" else sys.stderr)
    progress = (lambda _line: None) if quiet else Screen(local=there, stream=sys.stderr).say
    with deploying(request, progress) as case:
        plan = planned_or_handed(case, asked, screen)
        if isinstance(plan, ViaRequest):
            return hand(case, plan, targets, output=output, screen=screen, yes=yes, dry_run=dry_run)
        if plan.exit_code is not ExitCode.PASS:
            if output == "text":
                tell(plan.verification, "text", (), local=there, quiet=quiet, verbose=verbose)
            return tell_deployments(_refused(plan), targets, output, screen)
        if not screen.confirm(plan_lines(case, plan), yes=yes or not plan.changes, dry_run=dry_run):
            return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
        done = deployed(case, plan, progress)
    told = Told(deployments=done.deployments, verdicts=done.verdicts, verification=done.verification, exit_code=done.exit_code,
                remarks=(*done.remarks, *([str(done.unrecorded)] if done.unrecorded else [])))  # fmt: skip
    return tell_deployments(told, targets, output, screen)


def _refused(plan: DeployPlan) -> Told:
    """What does not hold, where nothing was deployed for its sake."""
    remarks = (*plan.remarks, *plan.verification.complaints)
    return Told(deployments=(), verdicts={}, verification=plan.verification, exit_code=plan.exit_code, remarks=remarks)


def plan_lines(case: Deploying, plan: DeployPlan) -> Iterator[str]:
    """The plan, as a person reads it: as whom and where to, and every step with its reason."""
    names = ", ".join(names_of(case.request.signers, case.policy.attest))
    yield f"deployment record: {f'signed by {names}' if names else 'unsigned, so that nobody vouches for it (--key URI signs it)'}"
    if case.verify.override:
        yield case.verify.override.sentence
        yield from case.verify.override.lines
    for place in plan.places:
        aws = place.aws
        yield f"target {place.target.name}: account {aws.account}, {aws.region}, as {aws.caller}"
        for layer in place.layers:
            yield f"layer {layer.wanted.name}: {layer.arn or 'to be published, as no version holds these bytes; functions come after it'}"
        for one in place.functions:
            how = one.wanted.how.strategy
            alias = f":{one.wanted.alias}" if one.wanted.alias else ""
            yield f"function {one.name}{alias}: {'runs it already' if one.empty else how.rollout}"
            yield from step_lines(one.steps)
    yield from plan.remarks
    if plan.changes and case.verify.policy.evidence is None:
        yield f"evidence: kept in {case.request.out} alone, and going back to this release later needs it (`evidence` in the policy)"


def role_arn(text: str | None) -> str | None:
    """The ARN of a role.

    Raises:
        ConfigError: it is none.
    """
    if text is not None and not _ROLE.fullmatch(text):
        raise ConfigError(f"{text[:120]!r} is not the ARN of a role.", remedy="Write arn:aws:iam::111122223333:role/orders, for example.")
    return text
