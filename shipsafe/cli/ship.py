"""`shipsafe ship`: build, sign, check what is enforced, deploy and verify, in one line that ends at the first leg that does not pass."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.aws.session import is_local, open_aws
from shipsafe.cli import options, run
from shipsafe.cli.deploy import plan_lines as deploy_lines
from shipsafe.cli.deploy import role_arn
from shipsafe.cli.report_files import write_files
from shipsafe.cli.screen import MARK, Screen, console, is_terminal
from shipsafe.cli.sign import plan_lines as sign_lines
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.evidence.keys import open_signers
from shipsafe.flows.break_glass import words
from shipsafe.flows.deploy import Deploying, DeployPlan
from shipsafe.flows.ship import Ahead, nothing, ship
from shipsafe.flows.ship_request import ShipRequest
from shipsafe.flows.sign import Asking, Planned
from shipsafe.flows.targets import once_a_place
from shipsafe.model.ship import Shipped
from shipsafe.reports.ship import FORMS, write
from shipsafe.reports.ship.live import live_view
from shipsafe.reports.ship.view import View, plain_view, silent_view
from shipsafe.signing.roots import local_root

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """How a run is seen: `output` is the format of standard output, `reports` format and file of each further one."""

    output: str
    reports: tuple[tuple[str, Path], ...]
    quiet: bool
    verbose: bool
    yes: bool

    def view(self, *, local: bool, title: str) -> View:
        """A picture on a terminal, lines elsewhere, nothing with `--quiet`."""
        mark = MARK if local else ""
        if self.quiet:
            return silent_view()
        return live_view(mark=mark, title=title) if self.live else plain_view(sys.stderr, mark=mark, title=title)

    @property
    def live(self) -> bool:
        """Whether the legs are painted on the terminal, and stay there."""
        return sys.stderr.isatty() and not self.quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """Shows each plan, and asks on the terminal."""

    view: View
    screen: Screen
    yes: bool
    dry_run: bool

    def sign(self, case: Asking, plan: Planned) -> bool:
        """Whether to upload and sign."""
        return self._agreed(sign_lines(case, plan))

    def deploy(self, case: Deploying, plan: DeployPlan) -> bool:
        """Whether to change what runs."""
        return self._agreed(deploy_lines(case, plan))

    def _agreed(self, lines: Iterable[str]) -> bool:
        if self.yes and not self.dry_run:
            return True  # what is done is shown while it is done
        with self.view.apart():
            return self.screen.confirm(lines, yes=self.yes, dry_run=self.dry_run)


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
    )  # fmt: skip
    shown = _Shown(output=output, reports=tuple(options.report_targets(report, FORMS)), quiet=quiet, verbose=verbose, yes=yes or sandbox)
    return _in_sandbox(request, shown, kept=out, seed_alarm=seed_alarm) if sandbox else _line(request, shown)[1]


def _in_sandbox(request: ShipRequest, shown: _Shown, *, kept: Path | None, seed_alarm: bool) -> int:
    """The line on an endpoint of its own, and then a second one where an alarm is seeded. The release goes with it, unless it is kept."""
    from shipsafe.flows.sandbox import AT_ONCE, STEPS, sandbox  # noqa: PLC0415 - only a sandbox needs the endpoint
    from shipsafe.flows.sandbox_second import second_release  # noqa: PLC0415 - likewise

    if request.resume or request.stage:
        raise ConfigError("A sandbox begins empty, and has one place.", remedy="Leave out --resume and --stage, or --sandbox.")
    with sandbox(request, kept=kept, steps=AT_ONCE if seed_alarm else STEPS) as box:
        first, code = _line(box.request, shown, box.ahead, title="in a sandbox: nothing of it reaches AWS")
        if not seed_alarm or code is not ExitCode.PASS:
            return code
        if shown.output == "text":
            Screen(local=True).say()
        again = second_release(box, first)
        return _line(again, shown, box.ahead, title="once more: what is new now fails its callers")[1]


def _line(request: ShipRequest, shown: _Shown, ahead: Ahead = nothing, *, title: str = "") -> tuple[Shipped, ExitCode]:
    """One run, as it is seen and told; and how it ends."""
    local = is_local()
    request = replace(request, local_root=local_root(os.environ, local=False))
    project = request.build.folder.name
    view = shown.view(local=local, title=f"shipsafe ship {project}{f', {title}' if title else ''}")
    screen = Screen(local=local, stream=sys.stdout if shown.output == "text" else sys.stderr)
    with view:
        shipped = ship(request, view, _Ask(view=view, screen=screen, yes=shown.yes, dry_run=request.dry_run), ahead=ahead)
    with suppress(BrokenPipeError):  # who reads no more (`| head`) changes nothing of what was done
        _show(shipped, shown)
    return shipped, write_files(partial(write, shipped), shown.reports, shipped.exit_code, local=local)


def _show(shipped: Shipped, shown: _Shown) -> None:
    """Standard output gets one thing: the chosen format."""
    if shown.output != "text":
        sys.stdout.write(write(shipped, shown.output))
        return
    from shipsafe.reports.ship import text  # noqa: PLC0415 - other formats need no layout

    if not is_terminal():
        Screen(local=shipped.local).say(text.write(shipped, verbose=shown.verbose).removesuffix("\n"))
        return
    mark, out = MARK if shipped.local else "", console()
    out.width -= len(mark)
    if shown.live:
        sys.stdout.write(f"{mark.rstrip()}\n")
    with out.capture() as captured:
        text.screen(shipped, out, verbose=shown.verbose, legs=not shown.live)
    sys.stdout.writelines(f"{mark}{line}".rstrip() + "\n" for line in captured.get().splitlines())
