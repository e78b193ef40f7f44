"""How `shipsafe sign` goes: what is signed, the plan, the question, and what came of it. `cli/sign.py` has the options."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from shipsafe.adapters.aws.session import is_local
from shipsafe.adapters.files import relative
from shipsafe.adapters.timeline import Timeline
from shipsafe.cli import github_output, run
from shipsafe.cli.screen import MARK, Screen
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.attest import names_of
from shipsafe.flows.bare_said import Bare
from shipsafe.flows.sign import Asking, Planned, Signed, asking, planned, signed
from shipsafe.flows.sign_request import SignRequest
from shipsafe.packing.publish import MANIFEST
from shipsafe.reports.layout import size
from shipsafe.reports.text import plain


def sign(
    request: SignRequest, files: Sequence[tuple[str, Path]], *, output: str, local: bool, quiet: bool, verbose: bool, yes: bool,
    dry_run: bool,
) -> int:  # fmt: skip
    """Sign what is asked for, and tell of it; gives the exit code.

    Args:
        request: what is asked for.
        files: form and file of each report.
        output: the form of standard output.
        local: whether the root of the local endpoint is trusted.
        quiet: say only findings, the verdict, and what came of it.
        verbose: also what was allowed, noted and counted.
        yes: go on without asking.
        dry_run: stop after the plan.

    Raises:
        ShipsafeError: it cannot be asked or planned, there is nobody to ask, or a file cannot be written.
    """
    # Standard output gets one thing: the lines of this command, or a report in another format.
    screen = Screen(local=is_local() or local, stream=sys.stdout if output == "text" else sys.stderr)
    with asking(request, run.progress(quiet=quiet, mark=MARK if screen.local else ""), Timeline()) as case:
        run.write_reports(case.record, files)
        if screen.local and output == "text":
            screen.say(plain(case.record, quiet=quiet, verbose=verbose))
        else:
            run.show(case.record, output, quiet=quiet, verbose=verbose)
        for remark in case.remarks:
            screen.say(remark)
        if not case.record.verdict.passes or case.release is None:
            screen.say("Nothing was signed: what does not pass is not signed.")
            verdict = case.record.verdict
            github_output.append_ended(verdict.exit_code, files, decision=verdict.decision)
            return verdict.exit_code
        plan = planned(case)
        if not screen.confirm(plan_lines(case, plan), yes=yes or not plan.changes, dry_run=dry_run):
            return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED  # so that `shipsafe sign && deploy` does not go on
        done = signed(case, case.release, plan, (lambda _: None) if quiet else Screen(local=screen.local, stream=sys.stderr).say)
        for line in _told(done):
            screen.say(line)
        whole = done.exit_code is ExitCode.PASS
        decision = case.record.verdict.decision if whole else None
        github_output.append_ended(done.exit_code, files, decision=decision, manifest=request.out / MANIFEST if whole else None)
        return done.exit_code


def asked_for(said: Bare, out: Path) -> tuple[Path, Bare | None]:
    """The folder of the release, and the zips that are to become it, or None where it is there.

    Raises:
        ConfigError: folders and zips are mixed, or what is said of zips is said of a folder.
    """
    folders = [path for path in said.zips if not path.name.endswith(".zip") or path.is_dir()]
    if said.zips and not folders:
        return out, said
    if len(said.zips) > 1:
        raise ConfigError("One release is signed at a time, and zips apart from it.", remedy="Name one folder, or zips alone.")
    if said != Bare(zips=said.zips, overrides=said.overrides):
        remedy = "Name zips, or leave out --runtime, --architecture, --handler, --layer, --template and --function."
        raise ConfigError("A release says of itself what its functions run on.", remedy=remedy)
    return (folders[0] if folders else Path("dist")), None


def plan_lines(case: Asking, plan: Planned) -> Iterator[str]:
    """The plan, as a person reads it: who vouches for what, who we are at each target, and what is left to do for each zip."""
    made, names = plan.made, ", ".join(names_of(case.request.signers, case.policy.attest))
    yield f"builder: {case.asked.builder}"
    if override := case.record.verdict.override:
        yield override.sentence
        yield from override.lines
    yield f"evidence: {f'signed by {names}' if names else 'unsigned, so that nobody vouches for it (--key URI signs it)'}"
    if plan.store:
        yield f"  kept in {plan.store.shown}: what is stated about each zip, by its builder and by this run"
        yield f"  {plan.store.guard}"
    width = max(len(", ".join(line.names)) for line in made.lines)
    for stand in made.stands:
        target, aws = stand.target, stand.aws
        yield f"target {target.name}: account {aws.account}, {aws.region}, as {aws.caller}"
        yield f"  bucket   {stand.bucket}: {target.prefix}unsigned/SHA256.zip is signed as {target.prefix}signed/SHA256/JOB.zip"
        yield f"  profile  {stand.profile.arn}"
        for line in made.lines:
            if line.stand == stand:
                yield f"  {', '.join(line.names):<{width}}  {size(line.work.size):>9}  {', '.join(line.todo())}"


def _told(done: Signed) -> Iterator[str]:
    """What came of it."""
    for one in done.signed:
        yield f"{one.artifact} -> {one.target}: {one.object}"
        yield f"  CodeSha256 {one.code_sha256}  until {one.expires:%Y-%m-%d}  root: {one.trust}"
        yield from (f"  {note}" for note in one.notes)
    yield from done.remarks
    yield from (f"{relative(path.absolute(), Path.cwd())} written" for path in done.written)
    for artifact, target, error in done.failed:
        yield f"{artifact} -> {target}: not signed. {error}"
    kept = f", and {done.kept} keeps the evidence" if done.kept else ""
    ends = [f"{len(done.signed)} signed; {done.release.out / 'shipsafe.json'} says where{kept}."] if done.signed else []
    if done.unproven:
        yield str(done.unproven)
    if done.failed:
        again = " Run this again: it goes on where it was." if done.exit_code is ExitCode.INCOMPLETE else ""
        ends.append(f"{len(done.failed)} not signed.{again}")
    yield f"{' '.join(ends)} exit {int(done.exit_code)}"
