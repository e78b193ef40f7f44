"""How `shipsafe ship` goes: its legs as they are seen, its questions, and its report. `cli/ship.py` has the options."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from shipsafe.adapters.aws.session import is_local
from shipsafe.cli.deploying import plan_lines as deploy_lines
from shipsafe.cli.report_files import write_files
from shipsafe.cli.screen import MARK, Screen, console, is_terminal, is_watched
from shipsafe.cli.signing import plan_lines as sign_lines
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.deploy import Deploying, DeployPlan
from shipsafe.flows.ship import Ahead, nothing, ship
from shipsafe.flows.ship_request import ShipRequest
from shipsafe.flows.sign import Asking, Planned
from shipsafe.model.ship import Shipped
from shipsafe.model.verdict import Decision
from shipsafe.packing.publish import MANIFEST
from shipsafe.reports.ship import write
from shipsafe.reports.ship.live import live_view
from shipsafe.reports.ship.view import View, plain_view, silent_view
from shipsafe.signing.roots import local_root


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
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
        return is_watched() and not self.quiet


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


def in_sandbox(request: ShipRequest, shown: Shown, *, kept: Path | None, seed_alarm: bool) -> int:
    """The line on an endpoint of its own, and then a second one where an alarm is seeded; gives the exit code.

    Args:
        request: what is asked for.
        shown: how it is seen.
        kept: where the release stays; None where it goes with the endpoint.
        seed_alarm: ship a second release, which fails its callers.

    Raises:
        ConfigError: something is asked for that a sandbox has not.
        ShipsafeError: as `line`.
    """
    from shipsafe.flows.sandbox import AT_ONCE, STEPS, sandbox  # noqa: PLC0415 - only a sandbox needs the endpoint
    from shipsafe.flows.sandbox_second import second_release  # noqa: PLC0415 - likewise

    if request.resume or request.stage:
        raise ConfigError("A sandbox begins empty, and has one place.", remedy="Leave out --resume and --stage, or --sandbox.")
    with sandbox(request, kept=kept, steps=AT_ONCE if seed_alarm else STEPS) as box:
        first, code = line(box.request, shown, box.ahead, title="in a sandbox: nothing of it reaches AWS")
        if not seed_alarm or code is not ExitCode.PASS:
            return code
        if shown.output == "text":
            Screen(local=True).say()
        again = second_release(box, first)
        return line(again, shown, box.ahead, title="once more: what is new now fails its callers")[1]


def line(request: ShipRequest, shown: Shown, ahead: Ahead = nothing, *, title: str = "") -> tuple[Shipped, ExitCode]:
    """One run, as it is seen and told; and how it ends.

    Args:
        request: what is asked for.
        shown: how it is seen.
        ahead: is called before each leg.
        title: what stands behind the name of the project.

    Raises:
        ShipsafeError: what no leg of it tells of itself.
    """
    local = is_local()
    request = replace(request, local_root=local_root(os.environ, local=False))
    project = request.build.folder.name
    view = shown.view(local=local, title=f"shipsafe ship {project}{f', {title}' if title else ''}")
    screen = Screen(local=local, stream=sys.stdout if shown.output == "text" else sys.stderr)
    with view:
        shipped = ship(request, view, _Ask(view=view, screen=screen, yes=shown.yes, dry_run=request.dry_run), ahead=ahead)
    with suppress(BrokenPipeError):  # who reads no more (`| head`) changes nothing of what was done
        _show(shipped, shown)
    manifest = request.build.out / MANIFEST if request.build.out and shipped.release else None
    answered_for = shipped.overridden and shipped.exit_code is ExitCode.PASS
    code = write_files(partial(write, shipped), shown.reports, shipped.exit_code, local=local,
                       decision=Decision.OVERRIDDEN if answered_for else None,
                       manifest=manifest if manifest and manifest.is_file() else None)  # fmt: skip
    return shipped, code


def _show(shipped: Shipped, shown: Shown) -> None:
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
