"""How `shipsafe revoke` goes: the plan, the question, and what came of it, both ways. `cli/revoke.py` has the options."""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from shipsafe.adapters.aws.functions import FunctionName
from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.session import open_aws
from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.restore import Rest, let_run, look, places, verifier
from shipsafe.flows.revoke import Survey, carry_out, survey
from shipsafe.flows.targets import policy_of
from shipsafe.model.signing import ProfileVersion, SigningJob
from shipsafe.signing.revoke.users import ITS_BYTES, ITS_CODE, Region, Use
from shipsafe.signing.revoke.wanted import Revocation
from shipsafe.signing.roots import local_root
from shipsafe.verify import open_request

_CALLS = 10.0  # a second in one region: Lambda takes 15, and whoever deploys meanwhile needs some


def revocation(*, job: str | None, profile_version: str | None, reason: str, effective: str | None, now: datetime) -> Revocation:
    """What the options say is revoked, and since when.

    Raises:
        ConfigError: they name nothing, or two things, or what they say is none.
    """
    return Revocation(what=_what(job, profile_version), reason=reason, effective=_moment(effective), now=now)


def _what(job: str | None, profile_version: str | None) -> SigningJob | ProfileVersion:
    if (job is None) == (profile_version is None):
        raise ConfigError("One thing is revoked at a time.", remedy="Name a --job or a --profile-version; or --restore what was stopped.")
    return SigningJob.parse(job) if job is not None else ProfileVersion.parse(profile_version or "")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        told = datetime.fromisoformat(text)
        told = (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError) as error:  # at either end of the calendar there is no such time in UTC
        raise ConfigError(f"--effective {text[:40]!r} is no time.", remedy="Write 2026-11-01T09:00Z, for example.") from error
    return told.replace(microsecond=0)  # Signer takes whole seconds


def revoke(
    wanted: Revocation, regions: Sequence[str], screen: Screen, *, policy: Path | None, evidence: str | None, all_regions: bool,
    stop: bool, yes: bool, dry_run: bool,
) -> int:  # fmt: skip
    """Take a signature back after listing what runs it; gives the exit code.

    Args:
        wanted: what is revoked.
        regions: to look through, besides those of the policy.
        screen: takes the plan, and what came of it.
        policy: the file of the policy; None for the one that is found.
        evidence: where it is kept; None for the policy's.
        all_regions: look through every region that the account can use.
        stop: also set the reserved concurrency of what runs it to 0.
        yes: go on without asking.
        dry_run: stop after the plan.

    Raises:
        ShipsafeError: it cannot be looked at or revoked, or there is nobody to ask.
    """
    found = survey(
        wanted,
        policy_of(Path(), policy, wanted.now.date()),
        open_aws,
        regions=regions,
        all_regions=all_regions,
        evidence=evidence,
        pace=_pace,
        say=Screen(local=screen.local, stream=sys.stderr).say,
    )
    nothing = found.standing.done and not (stop and found.functions)
    if not screen.confirm(_plan(found, stopping=stop), yes=yes or nothing, dry_run=dry_run):
        return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
    done = carry_out(found, stopping=stop, pace=_pace, say=screen.say)
    for error in done.failed:
        screen.say(f"NOT DONE: {error}")
    _say(screen, (f"not looked at: {one}" for one in found.unlooked))
    return done.exit_code(found)


def let_functions_run(
    names: Sequence[str], regions: Sequence[str], screen: Screen, *, policy: Path | None, release: Path | None, evidence: str | None,
    all_regions: bool, yes: bool, dry_run: bool,
) -> int:  # fmt: skip
    """Let stopped functions run again whose chain verifies, after showing the plan; gives the exit code.

    Args:
        names: of functions; none for all that were stopped.
        regions: to look through, besides those of the policy.
        screen: takes the plan.
        policy: the file of the policy; None for the one that is found.
        release: the folder of the release that is to run.
        evidence: where it is kept; None for the policy's.
        all_regions: look through every region that the account can use.
        yes: go on without asking.
        dry_run: stop after the plan.

    Raises:
        ShipsafeError: nothing can be looked at or verified, or there is nobody to ask.
    """
    tell = Screen(local=screen.local, stream=sys.stderr).say
    with open_request(policy=policy, release=release, evidence=evidence, local_root=local_root(os.environ, local=False), online=True,
                      live=True, say=tell) as request:  # fmt: skip
        where = places(request.policy, open_aws, regions, all_regions=all_regions)
        rest = look(where, [FunctionName.parse(name) for name in names], verifier(request), pace=_pace, say=tell)
    if not screen.confirm(_what_runs_again(rest), yes=yes or not rest.whole, dry_run=dry_run):
        return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
    done = let_run(rest, pace=_pace, say=screen.say)
    for error in done.failed:
        screen.say(f"NOT DONE: {error}")
    return max((*(error.exit_code for error in done.failed), rest.exit_code))


def _what_runs_again(rest: Rest) -> Iterator[str]:
    """The plan of --restore: what runs again and how, and the first link that keeps the others stopped."""
    for aws in {(one.aws.account, one.aws.region): one.aws for one in rest.stopped}.values():
        yield f"account {aws.account}, {aws.region}, as {aws.caller}"
    for one in rest.whole:
        yield f"let run {one.function}: its chain holds; with {one.remembered}, as before {one.remembered.reason or 'it was stopped'}"
        if one.old:
            yield f"  delete what calls by number would run: version {', '.join(one.old)}"
    for one in rest.kept:
        first = one.verified.first_broken
        why = f"{first[0].subject}, {first[1].id}: {first[1].sentence}" if first else "nothing was verified."
        yield f"keep {one.function} stopped: {why}"
    yield from (f"{function} was not stopped by shipsafe: left as it is" for function in rest.running)
    yield from (f"not looked at: {error}" for error in rest.unlooked)


def _pace() -> Pace:
    return Pace(_CALLS, int(_CALLS), time.monotonic, time.sleep)


def _say(screen: Screen, lines: Iterable[str]) -> None:
    for line in lines:
        screen.say(line)


def _plan(found: Survey, *, stopping: bool) -> Iterator[str]:
    """The plan, as a person reads it: what is revoked, who runs it, where nobody could look."""
    wanted, home = found.wanted, found.home
    thing = "the signature of" if isinstance(wanted.what, SigningJob) else "all that was signed with"
    yield f"revoke {thing} {wanted.what.arn}"
    yield f"  as      account {home.account}, {home.region}, {home.caller}"
    yield f"  reason  {wanted.reason}"
    if wanted.effective:
        yield f"  from    {wanted.effective:%Y-%m-%d %H:%M:%S} UTC on; what it signed before stays good"
    yield f"  now     {found.standing.says}"
    yield f"  effect  for good, in every region of {home.partition}: it cannot be taken back. Under Enforce no deployment of this code gets"
    yield "          through from then on; what runs goes on running, and functions without a code-signing configuration take it still."
    telling = [region for region in found.regions if region.uses or region.spared or region.unlooked]
    for region in telling:
        yield from _region(region)
    yield from _without([region for region in found.regions if region not in telling])
    for note in found.notes:
        yield f"not looked at: {note}"
    yield "Looked nowhere else."
    if stopping:
        yield from (f"stop {name}: reserved concurrency 0; its tag shipsafe:stopped remembers what it was" for _, name in found.functions)
    elif found.functions:
        yield "Nothing is stopped: --stop would."


def _without(regions: Sequence[Region]) -> Iterator[str]:
    """Where nothing runs code with it: a line for each account, which may have forty regions."""
    for account in dict.fromkeys(region.aws.account for region in regions):
        those = [region for region in regions if region.aws.account == account]
        looked = _looked(sum(one.versions for one in those), sum(one.functions for one in those))
        yield f"account {account}, {', '.join(one.aws.region for one in those)}: none run code with it, {looked}"


def _looked(versions: int, functions: int) -> str:
    return f"of {versions} version{'' if versions == 1 else 's'} of {functions} function{'' if functions == 1 else 's'}"


def _region(region: Region) -> Iterator[str]:
    looked = _looked(region.versions, region.functions)
    number = "1 runs" if len(region.uses) == 1 else f"{len(region.uses) or 'none'} run"
    yield f"account {region.aws.account}, {region.aws.region}: {number} code with it, {looked}"
    yield from _uses(region.uses)
    if region.spared:
        yield "  signed before that time, and not concerned:"
        yield from _uses(region.spared)
    yield from (f"  not looked at: {one}" for one in region.unlooked)


def _uses(uses: Iterable[Use]) -> Iterator[str]:
    """A line for each function and way, with its versions and their aliases."""
    for (name, through), some in groupby(sorted(uses, key=lambda use: (use.name, use.through)), key=lambda use: (use.name, use.through)):
        versions = ", ".join(f"{use.version}{_led_to(use)}" for use in some)
        yield f"  {name}  {versions}  {through if through in (ITS_CODE, ITS_BYTES) else f'through {through}'}"


def _led_to(use: Use) -> str:
    return f" (alias {', '.join(use.aliases)})" if use.aliases else ""
