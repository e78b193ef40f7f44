"""`shipsafe check`: the gates without packing."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.cli import github_output, options
from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def check(
    path: options.ProjectPath = Path(),
    *,
    policy: options.PolicyFile = None,
    parameter_overrides: options.Parameters = None,
    function: options.Functions = None,
    prebuilt: options.Prebuilt = None,
    vex: options.Vex = None,
    fail_on: options.FailOn = None,
    baseline: options.Baseline = None,
    write_baseline: options.WriteBaseline = None,
    baseline_owner: options.BaselineOwner = None,
    baseline_expires: options.BaselineExpires = None,
    baseline_ref: options.BaselineRef = None,
    changed_since: options.ChangedSince = None,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Judge every kept release anew instead; PATH is then where evidence is, if not the policy's.")
    ] = False,
    offline: options.Offline = False,
    jobs: options.Jobs = None,
    output: options.Format = "text",
    report: options.Reports = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    profile: options.Profile = False,
) -> int:
    """Ask every gate about every function and layer of a project, and judge, without packing anything.

    The SBOM is made without the digests of a zip, because there is none. With --evidence nothing is asked of a project: every release whose
    evidence is kept is judged by today's policy and advisories, and the worst of them decides how it ends.
    """
    if evidence:
        asked = [parameter_overrides, function, prebuilt, fail_on, baseline, write_baseline, baseline_owner, baseline_expires, baseline_ref]
        if any(asked) or changed_since or profile:
            remedy = "Leave out what is about one: --policy, --vex, --offline, --jobs, --format, --report, --quiet and --verbose hold."
            raise ConfigError("--evidence looks at no project.", remedy=remedy)
        return _kept(path, policy, vex or (), offline=offline, jobs=jobs, output=output, reports=report, quiet=quiet, verbose=verbose)
    from shipsafe.cli import run  # noqa: PLC0415 - neither the help nor evidence needs what asks gates

    request = run.request(
        path,
        policy=policy,
        overrides=parameter_overrides,
        functions=function,
        vex=vex,
        fail_on=fail_on,
        baseline=baseline,
        write_baseline=write_baseline,
        baseline_owner=baseline_owner,
        baseline_expires=baseline_expires,
        baseline_ref=baseline_ref,
        changed_since=changed_since,
        prebuilt=prebuilt,
        offline=offline,
        jobs=jobs,
        out=None,
    )
    return run.examine(request, output=output, reports=report, quiet=quiet, verbose=verbose, profile=profile)


def _kept(
    path: Path, policy: Path | None, vex: Sequence[Path], *, offline: bool, jobs: int | None, output: str,
    reports: Iterable[str] | None, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Judge what is kept, and write it as `verify` does."""
    from shipsafe.cli.chains import tell  # noqa: PLC0415 - a project needs none of these
    from shipsafe.evidence.store import store_of  # noqa: PLC0415 - likewise
    from shipsafe.reports.chains import FORMS  # noqa: PLC0415 - likewise
    from shipsafe.signing.roots import local_root  # noqa: PLC0415 - likewise
    from shipsafe.verify import open_request  # noqa: PLC0415 - likewise
    from shipsafe.verify.kept import verify_kept  # noqa: PLC0415 - likewise

    options.known_format(output, FORMS)
    targets = options.report_targets(reports, FORMS)
    honoured = local_root(os.environ, local=False)
    with open_request(policy=policy, vex=vex, local_root=honoured, online=not offline, jobs=jobs or options.default_jobs(),
                      say=Screen(local=False, stream=sys.stderr).say) as request:  # fmt: skip
        store = store_of(request.policy, folder=Path.cwd(), told=_place(path))
        found = verify_kept(store, request)
    tell(found, output, targets, local=store.local, quiet=quiet, verbose=verbose)
    github_output.append_ended(found.exit_code, targets, decision=found.verdict)
    return found.exit_code


def _place(path: Path) -> str | None:
    """Where evidence is, as it was typed: a path has lost one of the slashes of a bucket's URL."""
    if path == Path():
        return None
    text = str(path)
    return f"s3://{text.removeprefix('s3:/')}" if text.startswith("s3:/") else text
