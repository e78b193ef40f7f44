"""What a person sees while `ship` goes on.

On a terminal, in place: the legs, the functions, and how many of their calls have moved (`live`). Elsewhere lines; with `--quiet`
nothing. All three are a `View`, may be told from several threads at once, and write to standard error: standard output belongs to the
report.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TextIO

from shipsafe.model.ship import Leg, LegReport, Went
from shipsafe.reports.escape import short
from shipsafe.reports.live import Progress
from shipsafe.reports.ship.counted import Counted

_LINE = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """How far a function is.

    Attributes:
        function: what it is called. alias: that callers use, "" for none.
        before: the version that the alias led to; version: the new one; "" where there is none.
        percent: of its calls that go to the new version; None where no alias is moved.
        state: in a few words. bad: it goes back, or was refused. done: nothing more happens to it.
    """

    function: str
    alias: str = ""
    before: str = ""
    version: str = ""
    percent: int | None = None
    state: str = ""
    bad: bool = False
    done: bool = False


class View(Protocol):
    """Somebody who is told how the line goes on."""

    def __enter__(self) -> Self:
        """Nothing is shown before the first leg begins."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The line is over, however it ended."""

    def begin(self, leg: Leg) -> None:
        """This leg runs now."""

    def end(self, report: LegReport) -> None:
        """It is over."""

    def say(self, text: str) -> None:
        """A remark about what goes on."""

    def move(self, moving: Moving) -> None:
        """A function got further."""

    def progress(self) -> Progress:
        """Whom the gates tell how far they are."""

    @contextmanager
    def apart(self) -> Generator[None]:
        """The screen is somebody else's for a moment: a question is asked."""


def plain_view(stream: TextIO, *, mark: str = "", title: str = "") -> View:
    """Lines for logs; each begins with `mark`."""
    return _Lines(stream, mark, title)


def silent_view() -> View:
    """Nothing at all."""
    return Silence()


class Silence:
    """Nobody who is told anything."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def begin(self, leg: Leg) -> None:
        """As `View`."""

    def end(self, report: LegReport) -> None:
        """As `View`."""

    def say(self, text: str) -> None:
        """As `View`."""

    def move(self, moving: Moving) -> None:
        """As `View`."""

    def progress(self) -> Progress:
        """As `View`."""
        return Counted(self.say)

    @contextmanager
    def apart(self) -> Generator[None]:
        """As `View`."""
        yield


class _Lines(Silence):
    def __init__(self, stream: TextIO, mark: str, title: str) -> None:
        self._stream, self._mark, self._title = stream, mark, title
        self._lock = threading.Lock()
        self._leg: Leg | None = None
        self._last: dict[str, str] = {}

    def begin(self, leg: Leg) -> None:
        if self._leg is None and self._title:
            self._write(self._title)
        self._leg = leg

    def end(self, report: LegReport) -> None:
        if report.went is not Went.NOT_REACHED:
            self._write(f"{report.leg}: {report.went}: {report.sentence} ({report.seconds:.1f} s)")

    def say(self, text: str) -> None:
        self._write(f"{self._leg}: {text}" if self._leg else text)

    def move(self, moving: Moving) -> None:
        line = _words(moving)
        with self._lock:
            known, self._last[moving.function] = self._last.get(moving.function), line
        if line != known:
            self._write(f"{self._leg}: {line}")

    def _write(self, text: str) -> None:
        with self._lock:
            self._stream.write(f"{self._mark}{short(text, _LINE)}\n")
            self._stream.flush()


def _words(moving: Moving) -> str:
    """`orders:live 6 -> 7: 40 %, watched`."""
    name = f"{moving.function}:{moving.alias}" if moving.alias else moving.function
    moved = versions(moving)
    share = f"{moving.percent} %" if moving.percent is not None else ""
    return f"{' '.join(filter(None, (name, moved)))}: {', '.join(filter(None, (share, moving.state)))}"


def versions(moving: Moving) -> str:
    """`6 -> 7`, or what is known of it."""
    return " -> ".join(dict.fromkeys(filter(None, (moving.before, moving.version))))
