"""`shipsafe ship`: build, sign, check what is enforced, deploy and verify, in one line that ends at the first leg that does not pass."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.aws.session import is_local, open_aws
from shipsafe.adapters.files import disk_errors, write_atomic
from shipsafe.cli import options, run
from shipsafe.cli.deploy import plan_lines as deploy_lines
from shipsafe.cli.screen import MARK, Screen, console, is_terminal
from shipsafe.cli.sign import plan_lines
from shipsafe.errors import ConfigError
from shipsafe.evidence.keys import open_signers
from shipsafe.flows.deploy import Deploying, DeployPlan
from shipsafe.flows.ship import Ahead, nothing, ship
from shipsafe.flows.ship_request import ShipRequest, remembered
from shipsafe.flows.sign import Asking, Planned
from shipsafe.flows.targets import policy_of
from shipsafe.model.ship import Shipped
from shipsafe.reports.ship import FORMS, write
from shipsafe.reports.ship.view import View, live_view, plain_view, silent_view
from shipsafe.signing.roots import local_root

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """Shows each plan, and asks on the terminal."""

    view: View
    screen: Screen
    yes: bool
    dry_run: bool

    def sign(self, case: Asking, plan: Planned) -> bool:
        """Whether to upload and sign."""
        return self._agreed(plan_lines(case, plan))

    def deploy(self, case: Deploying, plan: DeployPlan) -> bool:
        """Whether to change what runs."""
        return self._agreed(deploy_lines(case, plan))

    def _agreed(self, lines: Iterable[str]) -> bool:
        if self.yes and not self.dry_run:
            return True  # what is done is shown, and who said --yes reads no plan
        with self.view.apart():
            return self.screen.confirm(lines, yes=self.yes, dry_run=self.dry_run)


@app.command(name="ship")
def _ship(
    path: options.ProjectPath = Path(),
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Where the release goes (dist, if not given).")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the release in --out where the last run ended, on any machine.")
    ] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="On an AWS endpoint of this process, with all that is needed made there: no account.")
    ] = False,
    policy: options.PolicyFile = None,
    target: options.Targets = None,
    key: options.Keys = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    parameter_overrides: options.Parameters = None,
    prebuilt: options.Prebuilt = None,
    vex: options.Vex = None,
    offline_advisories: Annotated[bool, typer.Option("--offline-advisories", help="Ask only the advisories that are cached here.")] = False,
    jobs: options.Jobs = None,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="What goes to standard output: text, json or markdown.")
    ] = "text",
    report: options.Reports = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the report at the end.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also all that the gates and each link of the chains said.")] = False,
) -> int:
    """Build, sign, check what is enforced, deploy and verify: one line, one report.

    It ends at the first leg that does not pass. What a leg finished is not done again: --resume goes on where the last run ended, also on
    another machine that has the folder. Each leg that changes AWS shows its plan and asks first.
    """
    options.known_format(output, FORMS)
    reports = options.report_targets(report, FORMS)
    request = ShipRequest(
        build=run.request(
            path, policy=policy, overrides=parameter_overrides, functions=None, vex=vex, prebuilt=prebuilt, offline=offline_advisories,
            jobs=jobs, out=out or Path("dist"), keys=key,
        ),
        targets=tuple(target or ()), resume=resume, dry_run=dry_run, signers=open_signers(key or ()), connect=remembered(open_aws),
    )  # fmt: skip
    if sandbox:
        return _in_sandbox(request, kept=out, yes=not dry_run, output=output, reports=reports, quiet=quiet, verbose=verbose)
    return _line(request, yes=yes, output=output, reports=reports, quiet=quiet, verbose=verbose)


def _in_sandbox(
    request: ShipRequest, *, kept: Path | None, yes: bool, output: str, reports: Iterable[tuple[str, Path]], quiet: bool, verbose: bool
) -> int:  # fmt: skip
    """The line on an endpoint of its own. The release goes with it, unless somebody said where to keep it."""
    from shipsafe.flows.sandbox import sandbox, target_of  # noqa: PLC0415 - only a sandbox needs the endpoint

    if request.resume:
        raise ConfigError("A sandbox begins empty, so that there is nothing to resume.", remedy="Leave out --resume or --sandbox.")
    policy = policy_of(request.build.path, request.build.policy, request.build.today)
    target = target_of(policy, request.targets)
    with sandbox(target, next((one.account for one in policy.sign.targets if one.name == target.name), None), request.connect) as box:
        inside = replace(
            request, build=replace(request.build, out=kept or box.folder / "dist"), targets=(target.name,), amend=box.amend
        )  # fmt: skip
        return _line(inside, yes=yes, output=output, reports=reports, quiet=quiet, verbose=verbose, ahead=box.ahead)


def _line(
    request: ShipRequest, *, yes: bool, output: str, reports: Iterable[tuple[str, Path]], quiet: bool, verbose: bool, ahead: Ahead = nothing
) -> int:  # fmt: skip
    local = is_local()
    request = replace(request, local_root=local_root(os.environ, local=False))
    view = _view(local=local, quiet=quiet, title=f"shipsafe ship {request.build.folder.name}")
    screen = Screen(local=local, stream=sys.stdout if output == "text" else sys.stderr)
    with view:
        shipped = ship(request, view, _Ask(view=view, screen=screen, yes=yes, dry_run=request.dry_run), ahead=ahead)
    for form, file in reports:
        write_atomic(file.absolute(), write(shipped, form).encode())
    _show(shipped, output, verbose=verbose)
    _summary(shipped)
    return shipped.exit_code


def _view(*, local: bool, quiet: bool, title: str) -> View:
    mark = MARK if local else ""
    if quiet:
        return silent_view()
    return live_view(mark=mark, title=title) if sys.stderr.isatty() else plain_view(sys.stderr, mark=mark, title=title)


def _show(shipped: Shipped, output: str, *, verbose: bool) -> None:
    """Standard output gets one thing: the chosen format."""
    if output != "text":
        sys.stdout.write(write(shipped, output))
        return
    from shipsafe.reports.ship import text  # noqa: PLC0415 - other formats need no layout

    mark, where = MARK if shipped.local else "", console() if is_terminal() else None
    if where is None:
        Screen(local=shipped.local).say(text.write(shipped, verbose=verbose).removesuffix("\n"))
        return
    where.width -= len(mark)
    with where.capture() as shown:
        text.screen(shipped, where, verbose=verbose)
    sys.stdout.writelines(f"{mark}{line}".rstrip() + "\n" for line in shown.get().splitlines())


def _summary(shipped: Shipped) -> None:
    """The summary of the step, where a pipeline names a file for it.

    Raises:
        IncompleteError: it cannot be written.
    """
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file:
        with disk_errors(Path(file)), Path(file).open("a", encoding="utf-8") as summary:
            summary.write(write(shipped, "markdown"))
