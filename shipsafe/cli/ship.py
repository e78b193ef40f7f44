"""`shipsafe ship`: build, sign, check what is enforced, deploy and verify, in one line that ends at the first leg that does not pass.

`cli/shipping.py` does it.
"""

from pathlib import Path
from typing import Annotated

import typer

from shipsafe.cli import options
from shipsafe.errors import ConfigError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(name="ship")
def _ship(
    path: options.ProjectPath = Path(),
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Where the release goes: dist, or with --sandbox nowhere.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the release in --out where the last run ended, on whichever machine.")
    ] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="On an AWS endpoint of this process, where all that is needed is made: no account.")
    ] = False,
    seed_alarm: Annotated[
        bool, typer.Option("--seed-alarm", help="With --sandbox: ship a second release then, which fails its callers and goes back.")
    ] = False,
    target: options.Targets = None,
    stage: options.Stage = None,
    skip_stages: options.SkipStages = False,
    policy: options.PolicyFile = None,
    key: options.Keys = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    create: options.Create = False,
    role: options.CreateRole = None,
    atomic: options.Atomic = False,
    approvals: options.Approvals = None,
    break_glass: options.BreakGlass = None,
    second: options.Second = None,
    parameter_overrides: options.Parameters = None,
    prebuilt: options.Prebuilt = None,
    vex: options.Vex = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Build of what is cached here, and ask only advisories that are. AWS is asked all the same.")
    ] = False,
    jobs: options.Jobs = None,
    output: options.PlainFormat = "text",
    report: options.Reports = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the report at the end.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also all that the gates and the links of each chain said.")] = False,
) -> int:
    """Build, sign, check what is enforced, deploy and verify: one line, one report.

    It ends at the first leg that does not pass. What was done is not done again: --resume goes on where the last run ended, also on another
    machine that has the folder. Each leg that changes AWS shows its plan and asks first. In a pipeline the summary of the step has a table
    of the functions.
    """
    from shipsafe.adapters.aws.session import open_aws  # noqa: PLC0415 - the help needs none of what ships
    from shipsafe.cli import run  # noqa: PLC0415 - likewise
    from shipsafe.cli.deploy import role_arn  # noqa: PLC0415 - likewise
    from shipsafe.cli.shipping import Shown, in_sandbox, line  # noqa: PLC0415 - likewise
    from shipsafe.evidence.keys import open_signers  # noqa: PLC0415 - likewise
    from shipsafe.flows.approvals_file import approvals_of  # noqa: PLC0415 - likewise
    from shipsafe.flows.break_glass import words  # noqa: PLC0415 - likewise
    from shipsafe.flows.ship_request import ShipRequest  # noqa: PLC0415 - likewise
    from shipsafe.flows.targets import once_a_place  # noqa: PLC0415 - likewise
    from shipsafe.reports.ship import FORMS  # noqa: PLC0415 - likewise

    options.known_format(output, FORMS)
    if seed_alarm and not sandbox:
        raise ConfigError("--seed-alarm lets a release fail its callers.", remedy="It is for --sandbox alone.")
    built = run.request(
        path, policy=policy, overrides=parameter_overrides, functions=None, vex=vex, prebuilt=prebuilt, offline=offline, jobs=jobs,
        out=out or Path("dist"), keys=key, break_glass=words(break_glass, second, root=path if path.is_dir() else path.parent),
    )  # fmt: skip
    request = ShipRequest(
        build=built, targets=tuple(target or ()), stage=stage, skip_stages=skip_stages, resume=resume,
        dry_run=dry_run, signers=open_signers(key or ()), connect=once_a_place(open_aws), create=create, role=role_arn(role), atomic=atomic,
        approvals=approvals_of(approvals),
    )  # fmt: skip
    shown = Shown(output=output, reports=tuple(options.report_targets(report, FORMS)), quiet=quiet, verbose=verbose, yes=yes or sandbox)
    return in_sandbox(request, shown, kept=out, seed_alarm=seed_alarm) if sandbox else line(request, shown)[1]
