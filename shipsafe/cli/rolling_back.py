"""`shipsafe deploy --rollback`: the plan, the question, and what came of it. `cli/deploy.py` has the options."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from shipsafe.cli.chains import tell
from shipsafe.cli.deployments import tell_deployments
from shipsafe.cli.screen import Screen
from shipsafe.deploy.lead import shown
from shipsafe.errors import ExitCode
from shipsafe.flows.attest import names_of
from shipsafe.flows.rollback import Rollback
from shipsafe.flows.rollback_case import RollbackRequest, RolledBack, RollingBack, planned_rollback, rolled_back, rolling_back
from shipsafe.model.chain import Verification
from shipsafe.reports.deployments import Told
from shipsafe.reports.deployments.words import step_lines


def roll_back(
    request: RollbackRequest, files: Sequence[tuple[str, Path]], *, output: str, local: bool, yes: bool, dry_run: bool, quiet: bool,
    verbose: bool,
) -> int:  # fmt: skip
    """Take an alias back, and tell of it; gives the exit code.

    Args:
        request: what is asked for.
        files: form and file of each report.
        output: the form of standard output.
        local: whether the local endpoint answers.
        yes: go on without asking.
        dry_run: stop after the plan.
        quiet: say only what came of it.
        verbose: of a refusal, also the links that hold.

    Raises:
        ShipsafeError: it cannot be planned, there is nobody to ask, or a file cannot be written.
    """
    screen = Screen(local=local, stream=sys.stdout if output == "text" else sys.stderr)
    progress = (lambda _line: None) if quiet else Screen(local=local, stream=sys.stderr).say
    with rolling_back(request, progress) as case:
        plan = planned_rollback(case)
        if (refused := plan.refused) is not None:
            if plan.verified is not None:
                tell(plan.verified, "text", (), local=local, quiet=quiet, verbose=verbose)
            raise refused
        if not screen.confirm(_lines(case, plan), yes=yes or plan.empty, dry_run=dry_run):
            return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
        done = rolled_back(case, plan)
        told = _told(case, done)
    return tell_deployments(told, files, output, screen)


def _lines(case: RollingBack, plan: Rollback) -> Iterator[str]:
    """The plan, as a person reads it."""
    names = ", ".join(names_of(case.request.signers, case.verify.policy.attest))
    unsigned = f"none. {case.mute}" if case.mute else "unsigned, so that nobody vouches for it (--key URI signs it)"
    yield f"deployment record: {f'signed by {names}' if names else unsigned}"
    yield f"account {case.aws.account}, {case.aws.region}, as {case.aws.caller}"
    yield f"function {plan.name}:{plan.now.name}: leads to {shown(plan.now)}"
    yield from step_lines(plan.steps)
    if not plan.steps:
        yield "  nothing of the alias is to be changed"
    if plan.verified is not None and plan.verified.exit_code is not ExitCode.PASS:
        yield "  what most of its calls reach does not verify today, and goes on: deploy something that does"
    yield from (f"  {note}" for note in plan.notes)


def _told(case: RollingBack, done: RolledBack) -> Told:
    one, verified = done.went.deployment, done.went.verified
    policy, broken = case.verify.policy, verified.first_broken if verified else None
    remarks = [f"{broken[0].subject}, {broken[1].id}: {broken[1].sentence} {broken[1].remedy}".rstrip()] if broken else []
    return Told(
        deployments=(one,),
        verdicts={f"{one.account}/{one.region}/{one.function}": verified.verdict} if verified else {},
        verification=verified or Verification(chains=(), policy=policy.path, policy_digest=policy.digest),
        exit_code=done.exit_code,
        remarks=(*remarks, *([str(done.unrecorded)] if done.unrecorded else [])),
    )
