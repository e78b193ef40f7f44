"""How `shipsafe layers vendor` goes: the verdict, the plan, the question, and what came of it. `cli/layers.py` has the options."""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from shipsafe.adapters.aws.session import is_local
from shipsafe.adapters.files import relative
from shipsafe.adapters.timeline import Timeline
from shipsafe.cli import run
from shipsafe.cli.screen import MARK, Screen
from shipsafe.errors import ExitCode
from shipsafe.flows.vendor import Vendored, Vendoring, VendorPlan, VendorRequest, planned, vendored, vendoring
from shipsafe.model.verdict import Decision
from shipsafe.reports.layout import size
from shipsafe.reports.text import plain


def vendor(
    request: VendorRequest, files: Sequence[tuple[str, Path]], *, local: bool, quiet: bool, verbose: bool, yes: bool, dry_run: bool
) -> int:
    """Make the copy that is asked for, and tell of it; gives the exit code.

    Args:
        request: what is asked for.
        files: form and file of each report.
        local: whether the root of the local endpoint is trusted.
        quiet: say only findings, the verdict, and what came of it.
        verbose: also what was allowed, noted and counted.
        yes: go on without asking.
        dry_run: stop after the plan.

    Raises:
        ShipsafeError: it cannot be fetched, asked or planned, there is nobody to ask, or a file cannot be written.
    """
    screen = Screen(local=is_local() or local)
    with vendoring(request, run.progress(quiet=quiet, mark=MARK if screen.local else ""), Timeline()) as case:
        record = case.case.record
        run.write_reports(record, files)
        if screen.local:
            screen.say(plain(record, quiet=quiet, verbose=verbose))
        else:
            run.show(record, "text", quiet=quiet, verbose=verbose)
        if record.verdict.decision is not Decision.PASS or case.case.release is None:
            screen.say("Nothing was signed: what does not pass is not signed.")
            return record.verdict.exit_code
        plan = planned(case, case.case.release)
        if not screen.confirm(_plan(case, plan), yes=yes or not plan.changes, dry_run=dry_run):
            return ExitCode.PASS if dry_run else ExitCode.INTERRUPTED
        done = vendored(case, case.case.release, plan, (lambda _: None) if quiet else _err(screen).say, time.sleep)
        for line in _told(case, plan, done):
            screen.say(line)
        return done.exit_code


def _err(screen: Screen) -> Screen:
    return Screen(local=screen.local, stream=sys.stderr)


def _plan(case: Vendoring, plan: VendorPlan) -> Iterator[str]:
    """The plan, as a person reads it."""
    layer, made = case.copy.layer, plan.signing.made
    yield f"copy {layer.arn}: {size(layer.size)}, CodeSha256 {layer.code_sha256}, {_signer(case)}"
    if layer.licence:
        yield f"  licence: {layer.licence}"
    if left := [one for one in layer.runtimes if one not in case.copy.runtimes]:
        yield f"  not for {', '.join(left)}, which the original names"
    if plan.extensions:
        yield f"  EXTENSIONS run beside every function that has it, and no gate reads them: {', '.join(plan.extensions)}"
    for line in made.lines:
        stand = line.stand
        yield f"target {stand.target.name}: account {stand.aws.account}, {stand.aws.region}, as {stand.aws.caller}"
        yield f"  sign     {', '.join(line.todo())}, with {stand.profile.arn}"
        there = plan.there.get(stand.target.name)
        new = f"a version of layer {case.request.name}, for {_fit(case)}"
        yield f"  publish  {f'nothing: {there.arn} is there' if there else new}"
    for edit in plan.edits:
        where = ", ".join(str(line) for line in edit.lines)
        yield f"edit {relative(edit.path.absolute(), Path.cwd())}: our version in the place of the original, line {where}"
    if not plan.edits:
        yield "edit nothing: no template here names it" if case.request.templates is None else "edit nothing: they do not name it"


def _signer(case: Vendoring) -> str:
    by = case.copy.layer.profile_version
    return f"without the signature of {by}" if by else "not signed"


def _fit(case: Vendoring) -> str:
    return ", ".join((*case.copy.runtimes, *case.copy.architectures)) or "whatever attaches it"


def _told(case: Vendoring, plan: VendorPlan, done: Vendored) -> Iterator[str]:
    """What came of it, and what is left to a person."""
    for target, layer in done.layers.items():
        yield f"{case.copy.layer.arn}"
        yield f"  -> {layer.arn} ({target})"
        yield f"     CodeSha256 {layer.code_sha256}, signed by {layer.profile_version}"
    yield from (f"{relative(path.absolute(), Path.cwd())} written" for path in (*done.signed.written, *done.written))
    for artifact, target, error in done.signed.failed:
        yield f"{artifact} -> {target}: not signed. {error}"
    if done.signed.unproven:
        yield str(done.signed.unproven)
    yield from (f"NOT DONE: {error}" for error in done.failed)
    if done.layers and not plan.edits:
        yield "Attach our version where the original is used (CDK, Terraform, the console), then deploy."
    ours = {stand.aws.account for stand in plan.signing.made.stands} - set(case.case.policy.accounts)
    if done.layers and ours:
        accounts = ", ".join(f'"{one}"' for one in sorted(ours))
        yield f"The gate `layers` does not know that {accounts} is ours: add it to `accounts` in the policy."
    yield f"{len(done.layers)} published. exit {int(done.exit_code)}"
