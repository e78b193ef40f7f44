"""`shipsafe layers`: who signed the layers that functions use, and a copy of our own of one that nobody signed."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.aws.session import is_local, open_aws
from shipsafe.adapters.files import relative
from shipsafe.adapters.timeline import Timeline
from shipsafe.cli import options, run
from shipsafe.cli.screen import MARK, Screen
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.evidence.keys import open_signers
from shipsafe.flows.layer_copy import Original
from shipsafe.flows.layers import PlaceLayers, exit_code, layers_of
from shipsafe.flows.sign_request import SignRequest
from shipsafe.flows.targets import policy_of
from shipsafe.flows.vendor import Vendored, Vendoring, VendorPlan, VendorRequest, planned, vendored, vendoring
from shipsafe.model.verdict import Decision
from shipsafe.reports import names
from shipsafe.reports.layout import size
from shipsafe.reports.text import plain
from shipsafe.signing.roots import local_root

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
_WORDS = {ExitCode.PASS: "ok", ExitCode.INCOMPLETE: "NOT LOOKED AT", ExitCode.INTEGRITY: "REFUSED"}
_LONGEST_NAME = 64  # characters of a layer's name, as the console takes it


@app.callback()
def _layers() -> None:
    """Layers that functions use: who signed them, and a signed copy of one that nobody did."""


@app.command(name="check")
def _check(
    path: options.ProjectPath = Path(),
    *,
    target: options.Targets = None,
    policy: options.PolicyFile = None,
    parameter_overrides: options.Parameters = None,
) -> int:
    """Look at who signed each layer of a project.

    It says whether each layer that a function names is let in where functions enforce.

    Every layer is looked at in each account and Region that the policy signs for; nothing is changed. Ends with 5 where one would be
    refused, and with 4 where nobody could look.
    """
    now, screen = datetime.now(UTC), Screen(local=is_local())
    found = layers_of(path, policy_of(path, policy, now.date()), open_aws, now=now, clock=time.monotonic, sleep=time.sleep,
                      targets=tuple(target or ()), overrides=options.overrides(parameter_overrides))  # fmt: skip
    for line in _found(found):
        screen.say(line)
    code = exit_code(found)
    wrong = sum(layer.code is not ExitCode.PASS for place in found for layer in place.layers)
    screen.say(f"{'Every layer is let in' if not wrong else f'{wrong} not let in, or not looked at'}. exit {code:d}")
    return code


def _found(found: Sequence[PlaceLayers]) -> Iterator[str]:
    for place in found:
        yield f"account {place.aws.account}, {place.aws.region}, as {place.aws.caller}"
        yield from (f"  {'may sign' if number == 0 else '':8}  {arn}" for number, arn in enumerate(place.publishers))
        for layer in place.layers:
            yield f"  {layer.text}  ({', '.join(layer.functions)})"
            yield f"    {_WORDS[layer.code]}: {layer.sentence}"
            if layer.remedy:
                yield f"    {layer.remedy}"


@app.command(name="vendor")
def _vendor(
    arn: Annotated[str, typer.Argument(metavar="ARN", help="The layer version to copy, whoever published it.", show_default=False)],
    *,
    target: options.Targets = None,
    key: options.Keys = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    policy: options.PolicyFile = None,
    vex: options.Vex = None,
    template: Annotated[
        list[Path] | None,
        typer.Option("--template", metavar="FILE", help="Edit this template instead of the one that lies here; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Where the copy and its evidence go; dist/vendored/NAME-VERSION, if not given."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What our copy is called; else as the original is.")] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option("--runtime", metavar="RUNTIME", help="What it runs on, if the original does not say; may be repeated."),
    ] = None,
    architecture: Annotated[
        list[str] | None, typer.Option("--architecture", metavar="ARCH", help="x86_64 or arm64, if it does not say; may be repeated.")
    ] = None,
    timeout: Annotated[
        int, typer.Option("--timeout", metavar="SECONDS", min=1, max=86400, help="How long uploading, signing and reading back may take.")
    ] = 900,
    local: options.Local = False,
    offline_advisories: options.OfflineAdvisories = False,
    jobs: options.Jobs = None,
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Make a signed copy of a layer version, and pin it.

    Every gate is asked about it; it is signed with our profile, published in our own account, and the template names it from then on.

    Where functions enforce, a layer that nobody signed, or a stranger, keeps them from being deployed. The copy is the original byte for
    byte, by the digest that Lambda names, but for a stranger's signature. What does not pass is not signed. The next run goes on where one
    ended, without a second signature or version.
    """
    original = Original.parse(arn)
    called = name or original.name
    if len(called) > _LONGEST_NAME or not called.replace("-", "").replace("_", "").isalnum() or not called.isascii():
        raise ConfigError(
            f"{called[:80]!r} cannot be the name of a layer.", remedy="Use up to 64 letters, digits, hyphens and underscores."
        )
    targets = options.report_targets(report, names())
    sign = SignRequest(
        out=out or Path("dist") / "vendored" / f"{original.name}-{original.number}",
        today=datetime.now(UTC).date(),
        policy=policy,
        targets=tuple(target or ()),
        vex=tuple(vex or ()),
        offline=offline_advisories,
        jobs=jobs or options.default_jobs(),
        timeout=timeout,
        local_root=local_root(os.environ, local=local),
        signers=open_signers(key or ()),
    )
    request = VendorRequest(
        original=original,
        sign=sign,
        name=called,
        runtimes=tuple(runtime or ()),
        architectures=tuple(architecture or ()),
        templates=tuple(template) if template else None,
    )
    screen = Screen(local=is_local() or local)
    with vendoring(request, run.progress(quiet=quiet, mark=MARK if screen.local else ""), Timeline()) as case:
        record = case.case.record
        run.write_reports(record, targets)
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
