"""Two more things that `shipsafe enforce` does: `--rotate` to the next signing profile, and `--guardrails` that keep all of it so."""

import sys
import time
from collections.abc import Iterator, Sequence

from shipsafe.adapters.aws.session import open_aws
from shipsafe.cli.enforcement import one_line, what_was_done
from shipsafe.cli.screen import Screen
from shipsafe.enforce.guardrails import guardrails
from shipsafe.enforce.rotate import Rotation, Turn
from shipsafe.errors import ExitCode
from shipsafe.flows.enforce import EnforceRequest
from shipsafe.flows.rotate import carry_out, exit_code, for_the_policy, turns
from shipsafe.model.policy import Policy


def print_guardrails(policy: Policy) -> ExitCode:
    """Print the documents on standard output, and what is to be known of them beside it. Asks AWS nothing.

    Raises:
        ConfigError: the policy names no code-signing configuration.
    """
    made = guardrails(policy)
    sys.stdout.write(made.text())
    beside = Screen(local=False, stream=sys.stderr)
    for remark in made.remarks:
        beside.say(remark)
    return ExitCode.PASS


def rotate(request: EnforceRequest, text: str, screen: Screen, *, check: bool, yes: bool, dry_run: bool) -> ExitCode:
    """Go as far with a rotation as it can go now, after showing the plan; with `check` only say how far it is.

    Raises:
        ShipsafeError: as `flows.rotate.turns`.
    """

    def look() -> tuple[Turn, ...]:
        tell = Screen(local=screen.local, stream=sys.stderr).say
        return turns(request, Rotation.parse(text), open_aws, clock=time.monotonic, sleep=time.sleep, say=tell)

    made = look()
    if check:
        _say(screen, _lines(made))
        code = exit_code(made, (), check=True)
        screen.say(f"{_where_it_is(made)} exit {code:d}")
        return code
    changes = [change for turn in made for change in turn.changes]
    if not screen.confirm(_lines(made), yes=yes or not changes, dry_run=dry_run):
        return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
    failed = carry_out(made, lambda change: screen.say(f"done: {what_was_done(change)}"))
    for error in failed:
        screen.say(f"NOT DONE: {error}")
    if changes and not failed:
        made = look()
    for turn in made:
        _say(screen, for_the_policy(turn))
    code = exit_code(made, failed, check=False)
    screen.say(f"{_where_it_is(made)} exit {code:d}")
    return code


def _say(screen: Screen, lines: Iterator[str]) -> None:
    for line in lines:
        screen.say(line)


def _lines(made: Sequence[Turn]) -> Iterator[str]:
    """The plan, place by place: what lets whom in, what is changed, and what keeps the old profile."""
    for turn in made:
        found, aws = turn.found, turn.found.looks.aws
        yield f"account {aws.account}, {aws.region}, as {aws.caller}"
        yield f"  from  {found.old.arn} ({found.old.status})"
        yield f"  to    {found.new.arn if found.new else f'{found.rotation.new}, which is not there yet'}"
        for one in found.configurations:
            who = [name for name, profile in (("old", found.old), ("new", found.new)) if profile and profile.arn in one.publishers]
            yield f"  {one.arn} ({one.policy}) lets in: {' and '.join(who)}"
        yield from (f"  {one_line(change)}" for change in turn.changes)
        yield from (f"  the old one stays: {why}" for why in turn.held)


def _where_it_is(made: Sequence[Turn]) -> str:
    if any(turn.changes for turn in made):
        return "The rotation is not over: there is something to be done."
    if not all(turn.finished for turn in made):
        return "The rotation is not over: both profiles are let in."
    return "The rotation is over: the old profile is let in no more."
