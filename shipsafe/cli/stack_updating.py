"""`shipsafe deploy --stage` of a stage with a stack: a change set is shown, asked about, carried out. `cli/deploy.py` has the options."""

from collections.abc import Sequence
from pathlib import Path

from shipsafe.adapters.files import write_atomic
from shipsafe.cli.deployments import tell_deployments, tell_refused
from shipsafe.cli.handing_over import check_via, told_of
from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.deploy_case import Deploying, Say
from shipsafe.flows.stack_loss import all_lost, refuse_loss, told_loss
from shipsafe.flows.stack_plan import stack_plan
from shipsafe.flows.stack_update import updated
from shipsafe.flows.stages import stage_of
from shipsafe.flows.via import ViaRequest
from shipsafe.model.deployment import Stage


def stage_with_stack(case: Deploying, asked: ViaRequest) -> Stage | None:
    """The stage that it goes to, where that names a stack of CloudFormation and nobody asks for it to be handed over; else None.

    Raises:
        ConfigError: something is asked for that belongs to deploying without a stack, or to handing over.
    """
    request = case.request
    stage = stage_of(case.policy, request.stage) if request.stage and asked.via is None else None
    if stage is None or stage.stack is None:
        check_via(asked)
        return None
    if asked.stack not in (None, stage.stack):
        raise ConfigError(
            f"Stage {stage.name} names stack {stage.stack}.", remedy="Leave out --stack, or correct the policy.", path=case.policy.path
        )
    if request.functions or request.create or request.atomic:
        what = f"CloudFormation deploys all that the template of stack {stage.stack} describes, or nothing."
        raise ConfigError(what, remedy="Leave out --function, --create and --atomic.")
    return stage


def update_stack(
    case: Deploying, asked: ViaRequest, stage: Stage, files: Sequence[tuple[str, Path]], *, output: str, screen: Screen, say: Say,
    yes: bool, dry_run: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Let CloudFormation change the stack, or verify that it runs the release; gives the exit code.

    Args:
        case: the release, held and verified.
        asked: template and parameters; `written`: also a file for the template that is sent.
        stage: names the stack.
        files: form and file of each report.
        output: the form of standard output.
        screen: takes lines.
        say: takes what happens on the way.
        yes: go on without asking.
        dry_run: stop after the plan.
        quiet: of a refusal, no chains.
        verbose: of a refusal, also the links that hold.

    Raises:
        ShipsafeError: the stack cannot be changed, there is nobody to ask, or a file cannot be written.
    """
    with stack_plan(case, asked, stage, say, dry_run=dry_run) as plan:
        if plan.verification.exit_code is not ExitCode.PASS:
            return tell_refused(plan.verification, files, output, screen, remarks=(), quiet=quiet, verbose=verbose)
        lost = () if asked.look else all_lost(plan)
        if yes and not dry_run:
            refuse_loss(plan, lost)
        lines = (*plan.lines, told_loss(plan, lost)) if lost else plan.lines
        if not asked.look and not screen.confirm(lines, yes=yes or not plan.changes, dry_run=dry_run):
            return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
        if asked.written:
            write_atomic(asked.written, plan.request.sent.text.encode())
        done = updated(plan, say)
    return tell_deployments(told_of(done, ()), files, output, screen, release=case.request.out)
