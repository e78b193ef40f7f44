"""`ship` on a terminal: a picture that changes in place, and stays when the line is over."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from shipsafe.model.ship import Leg, LegReport, Went
from shipsafe.reports.escape import short
from shipsafe.reports.ship.view import Moving, Silence, versions

if TYPE_CHECKING:  # rich takes longer to import than `--help` may take
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

_LINE = 300  # characters
_NAME = 48
_BAR = 24  # columns
_NARROW_BAR = 8
_STATE = 27  # columns: a percentage, and `back at version 12`
_SAID = 4  # remarks of the leg that runs
_FRAME = 3  # lines of the terminal that are neither a leg nor a function: the title, and room for the cursor


def live_view(console: "Console | None" = None, *, mark: str = "", title: str = "") -> "LiveView":
    """A picture that changes in place and stays, on the terminal of standard error where no console is given; `mark` begins every line."""
    from rich.console import Console  # noqa: PLC0415 - only on a terminal

    return LiveView(console or Console(stderr=True), mark, title)


class LiveView(Silence):
    """The legs, how far each is, and below `deploy` the functions. Where the terminal is too low for all of them, those that move."""

    def __init__(self, console: "Console", mark: str, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._mark, self._title, self._clock = console, mark, title, clock
        self._lock = threading.Lock()
        self._ended: dict[Leg, LegReport] = {}
        self._leg: Leg | None = None
        self._began = clock()
        self._said: list[str] = []
        self._moving: dict[str, Moving] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop(transient=False)

    def begin(self, leg: Leg) -> None:
        """As `View`."""
        with self._lock:
            self._leg, self._began, self._said = leg, self._clock(), []

    def end(self, report: LegReport) -> None:
        """As `View`."""
        with self._lock:
            self._ended[report.leg], self._leg, self._said = report, None, []

    def say(self, text: str) -> None:
        """As `View`."""
        with self._lock:
            self._said = [*self._said, short(text, _LINE)][-_SAID:]

    def move(self, moving: Moving) -> None:
        """As `View`."""
        with self._lock:
            self._moving[moving.function] = moving

    @contextmanager
    def apart(self) -> Generator[None]:
        """As `View`."""
        self._stop(transient=True)
        try:
            yield
        finally:
            self._start()

    def _start(self) -> None:
        from rich.live import Live  # noqa: PLC0415 - only on a terminal

        self._live = Live(console=self._console, get_renderable=self.picture, refresh_per_second=12)
        self._live.start()

    def _stop(self, *, transient: bool) -> None:
        live, self._live = self._live, None
        if live:
            live.transient = transient
            live.stop()

    def picture(self) -> "Group":
        """As it stands now."""
        from rich.console import Group  # noqa: PLC0415 - only on a terminal
        from rich.text import Text  # noqa: PLC0415

        with self._lock:
            ended, leg, said, moving = dict(self._ended), self._leg, list(self._said), list(self._moving.values())
            seconds = self._clock() - self._began
        width = self._console.width - len(self._mark)
        done = sum(one.done for one in moving)
        rows: list[Text] = [Text(self._title, "bold", no_wrap=True, overflow="ellipsis")]
        for one in Leg:
            now = f"{done} of {len(moving)} done" if one is Leg.DEPLOY and moving else said[-1] if said else ""
            rows.append(self._leg_row(one, ended.get(one), runs=one is leg, seconds=seconds, now=now, width=width))
            if one is Leg.DEPLOY and moving:
                rows += [self._function_row(each, width) for each in self._fitting(moving)]
        return Group(*(_marked(self._mark, row) for row in rows))

    def _fitting(self, moving: list[Moving]) -> list[Moving]:
        room = max(1, self._console.height - len(Leg) - _FRAME)
        if len(moving) <= room or self._live is None:
            return moving
        return sorted(moving, key=lambda one: (one.done and not one.bad, one.percent is None))[:room]

    def _leg_row(self, leg: Leg, report: LegReport | None, *, runs: bool, seconds: float, now: str, width: int) -> "Text":
        from rich.text import Text  # noqa: PLC0415 - only on a terminal

        plain = self._console.options.ascii_only
        if report is None:
            sign, style = (("*" if plain else "●"), "cyan") if runs else (("." if plain else "○"), "dim")
            told, took = (now, f"{seconds:.1f} s") if runs else ("", "")
        else:
            sign, style = _SIGNS[report.went][1 if plain else 0], _STYLES[report.went]
            told, took = report.sentence, f"{report.seconds:.1f} s"
        room = max(10, width - 12 - 8)
        row = Text(no_wrap=True, overflow="ellipsis")
        row.append(f"{sign} ", style)
        row.append(f"{leg:<9}", "bold" if runs else style if report is None else "")
        told = short(told, room)
        row.append(f"{told:<{room}}", "dim" if runs else "")
        row.append(f"{took:>8}", "dim")
        return row

    def _function_row(self, moving: Moving, width: int) -> "Text":
        from rich.text import Text  # noqa: PLC0415 - only on a terminal

        plain = self._console.options.ascii_only
        style = "red" if moving.bad else "green" if moving.done else "cyan"
        row = Text(no_wrap=True, overflow="ellipsis")
        name = f"{moving.function}:{moving.alias}" if moving.alias else moving.function
        row.append(f"    {short(name, _NAME):<{min(_NAME, max(20, width // 4))}} ")
        row.append(f"{versions(moving):<10} ", "dim")
        if moving.percent is not None:
            bar = max(_NARROW_BAR, min(_BAR, width - row.cell_len - _STATE))  # the state's words count for more than a long bar
            full = round(bar * moving.percent / 100)
            row.append(("#" if plain else "━") * full, style)
            row.append(("-" if plain else "╌") * (bar - full), "bright_black")
            row.append(f" {moving.percent:>3} %  ", style)
        row.append(short(moving.state, _LINE), style)
        return row


_SIGNS = {
    Went.PASSED: ("✓", "+"),
    Went.DONE_BEFORE: ("✓", "+"),
    Went.STOPPED: ("✗", "x"),
    Went.PLANNED: ("-", "-"),
    Went.DECLINED: ("-", "-"),
    Went.NOT_REACHED: ("○", "."),
}
_STYLES = {
    Went.PASSED: "green",
    Went.DONE_BEFORE: "green",
    Went.STOPPED: "bold red",
    Went.PLANNED: "yellow",
    Went.DECLINED: "yellow",
    Went.NOT_REACHED: "dim",
}


def _marked(mark: str, row: "Text") -> "Text":
    from rich.text import Text  # noqa: PLC0415 - only on a terminal

    return Text.assemble((mark, "dim"), row, no_wrap=True, overflow="ellipsis")
