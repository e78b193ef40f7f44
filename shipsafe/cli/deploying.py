"""How `shipsafe deploy` goes: the plan, the question, and what came of it. `cli/deploy.py` has the options."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from shipsafe.cli.deployments import tell_deployments, tell_refused
from shipsafe.cli.handing_over import hand, planned_or_handed
from shipsafe.cli.screen import Screen
from shipsafe.cli.stack_updating import stage_with_stack, update_stack
from shipsafe.errors import ExitCode
from shipsafe.flows.attest import names_of
from shipsafe.flows.deploy import Deploying, DeployPlan, deployed, deploying
from shipsafe.flows.deploy_request import DeployRequest
from shipsafe.flows.via import ViaRequest
from shipsafe.reports.deployments import Told
from shipsafe.reports.deployments.words import step_lines


def deploy(
    request: DeployRequest, asked: ViaRequest, files: Sequence[tuple[str, Path]], *, output: str, local: bool, yes: bool, dry_run: bool,
    quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Deploy a release, or hand it over, and tell of it; gives the exit code.

    Args:
        request: what is asked for.
        asked: to whom it is handed over, and how.
        files: form and file of each report.
        output: the form of standard output.
        local: whether the local endpoint answers.
        yes: go on without asking.
        dry_run: stop after the plan.
        quiet: say only what came of it.
        verbose: of a refusal, also the links that hold.

    Raises:
        ShipsafeError: it cannot be planned or handed over, there is nobody to ask, or a file cannot be written.
    """
    screen = Screen(local=local, stream=sys.stdout if output == "text" else sys.stderr)
    progress = (lambda _line: None) if quiet else Screen(local=local, stream=sys.stderr).say
    with deploying(request, progress) as case:
        if stage := stage_with_stack(case, asked):
            return update_stack(case, asked, stage, files, output=output, screen=screen, say=progress, yes=yes, dry_run=dry_run,
                                quiet=quiet, verbose=verbose)  # fmt: skip
        plan = planned_or_handed(case, asked, screen)
        if isinstance(plan, ViaRequest):
            return hand(case, plan, files, output=output, screen=screen, yes=yes, dry_run=dry_run, quiet=quiet, verbose=verbose)
        if plan.exit_code is not ExitCode.PASS:
            return tell_refused(plan.verification, files, output, screen, remarks=plan.remarks, quiet=quiet, verbose=verbose)
        if not screen.confirm(plan_lines(case, plan), yes=yes or not plan.changes, dry_run=dry_run):
            return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
        done = deployed(case, plan, progress)
    told = Told(deployments=done.deployments, verdicts=done.verdicts, verification=done.verification, exit_code=done.exit_code,
                remarks=(*done.remarks, *([str(done.unrecorded)] if done.unrecorded else [])))  # fmt: skip
    return tell_deployments(told, files, output, screen, release=request.out)


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
