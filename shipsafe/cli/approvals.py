"""`shipsafe policy approvals`: what the policy lets pass, and who approved the changes that brought it."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from shipsafe.adapters.files import write_atomic
from shipsafe.adapters.github_job import on_github
from shipsafe.cli import github_output
from shipsafe.cli.screen import Screen
from shipsafe.errors import ExitCode, gravest
from shipsafe.flows.approvals import ASK, GITHUB, approvals_here, questions, traced, why_not_asked
from shipsafe.flows.approvals_file import read_approvals, write_approvals
from shipsafe.model.approval import Agreed, Approvals
from shipsafe.model.policy import Policy
from shipsafe.policy.chain import Found

_CODES = {Agreed.APPROVED: ExitCode.PASS, Agreed.REFUSED: ExitCode.FINDINGS, Agreed.UNANSWERED: ExitCode.INCOMPLETE}
_NOT_ASKED = "not-asked"


def approvals(policy: Policy, found: Found | None, *, since: str | None, asks: Path | None, out: Path | None, today: date) -> ExitCode:
    """Ask, tell people on the screen and programs in `out` and in the outputs of the step.

    Args:
        policy: that holds.
        found: its file, None where there is none.
        since: what was allowed at this revision is not asked about.
        asks: where to write the questions for another system, and ask nobody.
        out: where to write the answer.
        today: a waiver that ended before it allows nothing.

    Raises:
        ConfigError: as `traced`, `approvals_here` and `read_approvals`.
        IncompleteError: there is no git, or a file cannot be written.
    """
    screen = Screen(local=False)
    if asks is not None and found is not None:
        asked = questions(traced(policy, found, since=since, today=today), asks.name)
        write_atomic(asks.absolute(), f"{write_approvals(asked)}\n".encode())
        screen.say(f"{asks} written: who approved what stands in it is for another system to say.")
        return ExitCode.PASS
    reason = why_not_asked(policy, here=on_github(os.environ)) if found else "there is no policy file, and so no waiver"
    if reason or found is None:
        screen.say(f"Not asked: {reason}.")
        github_output.append({"approvals": "", "approvals-state": _NOT_ASKED})
        return ExitCode.PASS
    if policy.approvals.source == GITHUB:
        told = approvals_here(traced(policy, found, since=since, today=today), policy, os.environ)
    else:
        told = read_approvals(Path(policy.approvals.source))
    text = write_approvals(told)
    if out is not None:
        write_atomic(out.absolute(), f"{text}\n".encode())
    for line in _lines(told):
        screen.say(line)
    state = max((one.agreed for one in told.changes), key=list(Agreed).index, default=Agreed.APPROVED)
    github_output.append({"approvals": text, "approvals-state": str(state)})
    return gravest(_CODES[one.agreed] for one in told.changes)


def _lines(told: Approvals) -> Iterator[str]:
    since = f" since {told.since[:12]}" if told.since else ""
    if not told.changes:
        yield f"Nothing to approve: the policy at {told.commit[:12]} waives nothing{' more' if since else ''}{since}."
    for one in told.changes:
        yield f"{one.agreed}: {one}"
    if told.of(Agreed.REFUSED):
        yield ASK
