"""What a person sees while the work goes on: a live table on a terminal, plain lines elsewhere, nothing with `--quiet`.

All three are a `Progress`, may be told from several threads at once, and write to standard error: standard output belongs to
the report. As a context, each leaves the terminal as it found it, also when the run is interrupted.

    with live_progress() as progress:
        progress.start(["function:Orders"], ["lint", "package"])
        progress.update("function:Orders", "stage", State.ANSWERED, "12 files")
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from shipsafe.model.outcome import State
from shipsafe.reports.escape import short

if TYPE_CHECKING:  # rich takes longer to import than `--help` may take
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

_DETAIL = 300  # characters
_CELL = 20
_NOTHING = "0 findings"  # of which a log says nothing
_FRAME = 5  # lines of the terminal that are not rows: head, count, elapsed time, and room for the cursor


class Progress(Protocol):
    """Somebody who is told how the work goes on."""

    def __enter__(self) -> Self:
        """Nothing is shown before `start`."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The work is over, however it ended."""

    def start(self, subjects: Sequence[str], gates: Sequence[str], *, packs: bool = True) -> None:
        """These subjects will be staged, asked by these gates and, where `packs`, packed."""

    def update(self, subject: str, column: str, state: State | None, detail: str = "") -> None:
        """How far a subject is. `column` is `stage`, a gate's id or `pack`; `state` None while somebody works on it."""

    def say(self, text: str) -> None:
        """A remark that stays on the screen."""

    def stop(self) -> None:
        """The work is over; a table goes away. May be called twice."""


def live_progress(console: "Console | None" = None) -> Progress:
    """A table that changes in place, on the terminal of standard error where no console is given."""
    from rich.console import Console  # noqa: PLC0415 - only on a terminal

    return _LiveTable(console or Console(stderr=True))


def plain_progress(stream: TextIO, *, mark: str = "") -> Progress:
    """One line per subject, for logs; each begins with `mark`."""
    return _PlainLines(stream, mark)


def silent_progress() -> Progress:
    """Nothing at all."""
    return _Silence()


class _Silence:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self, subjects: Sequence[str], gates: Sequence[str], *, packs: bool = True) -> None:
        pass

    def update(self, subject: str, column: str, state: State | None, detail: str = "") -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def stop(self) -> None:
        pass


class _PlainLines(_Silence):
    """A line per subject as soon as all is known of it; when the work ends, what is known of the others."""

    def __init__(self, stream: TextIO, mark: str) -> None:
        self._stream = stream
        self._mark = mark
        self._lock = threading.Lock()
        self._columns: tuple[str, ...] = ()
        self._rows: dict[str, dict[str, tuple[State | None, str]]] = {}
        self._told: set[str] = set()

    def start(self, subjects: Sequence[str], gates: Sequence[str], *, packs: bool = True) -> None:
        self._columns = ("stage", *gates, *(("pack",) if packs else ()))
        self._rows = {subject: {} for subject in subjects}

    def update(self, subject: str, column: str, state: State | None, detail: str = "") -> None:
        with self._lock:
            row = self._rows.setdefault(subject, {})
            row[column] = (state, detail)
            if subject not in self._told and _is_done(row, self._columns):
                self._tell(subject)

    def say(self, text: str) -> None:
        with self._lock:
            self._write(text)

    def stop(self) -> None:
        with self._lock:
            for subject, row in self._rows.items():
                if row and subject not in self._told:
                    self._tell(subject)

    def _tell(self, subject: str) -> None:
        self._told.add(subject)
        given = self._rows[subject]
        row = {name: given[name] for name in dict.fromkeys((*self._columns, *given)) if name in given}
        found = [f"{name} {told or 'done'}" for name, (state, told) in row.items() if state is State.ANSWERED and told != _NOTHING]
        silent = {name: told for name, (state, told) in row.items() if state is State.UNANSWERED}
        if silent:
            found.append(f"{', '.join(silent)} unanswered: {next(iter(silent.values()))}")
        self._write(f"{len(self._told)} of {len(self._rows)}: {subject}: {', '.join(found) or 'not asked'}")

    def _write(self, text: str) -> None:
        self._stream.write(f"{self._mark}{short(text, _DETAIL)}\n")
        self._stream.flush()


class _LiveTable(_Silence):
    """A row per subject; where the terminal is too low for all, those that are being worked on."""

    def __init__(self, console: "Console", clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self._columns: tuple[str, ...] = ()
        self._rows: dict[str, dict[str, tuple[State | None, str]]] = {}
        self._live: Live | None = None

    def start(self, subjects: Sequence[str], gates: Sequence[str], *, packs: bool = True) -> None:
        from rich.live import Live  # noqa: PLC0415 - only on a terminal

        self._columns = ("stage", *gates, *(("pack",) if packs else ()))
        self._rows = {subject: {} for subject in subjects}
        self._live = Live(console=self._console, get_renderable=self._table, refresh_per_second=8, transient=True)
        self._live.start()

    def update(self, subject: str, column: str, state: State | None, detail: str = "") -> None:
        with self._lock:
            self._rows.setdefault(subject, {})[column] = (state, detail)

    def say(self, text: str) -> None:
        self._console.print(short(text, _DETAIL), markup=False, highlight=False, emoji=False)

    def stop(self) -> None:
        live, self._live = self._live, None
        if live:
            live.stop()

    def _table(self) -> "Table":
        from rich.table import Table  # noqa: PLC0415 - only on a terminal
        from rich.text import Text  # noqa: PLC0415

        with self._lock:
            rows = {subject: dict(cells) for subject, cells in self._rows.items()}
        done = sum(_is_done(cells, self._columns) for cells in rows.values())
        seconds = int(self._clock() - self._began)
        caption = f"{done} of {len(rows)} done, {seconds // 60}:{seconds % 60:02}"
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", caption=caption, caption_justify="left")
        for name in ("", *self._columns):
            table.add_column(Text(name), no_wrap=True, overflow="ellipsis")
        for subject in self._fitting(rows):
            cells = (_cell(rows[subject].get(column)) for column in self._columns)
            table.add_row(Text(short(subject, 60)), *(Text(word, style) for word, style in cells))
        return table

    def _fitting(self, rows: dict[str, dict[str, tuple[State | None, str]]]) -> list[str]:
        room = max(1, self._console.height - _FRAME)
        if len(rows) <= room:
            return list(rows)
        # Begun and not ended first, then what waits, then what is done; in the order of the project among themselves.
        return sorted(rows, key=lambda subject: (_is_done(rows[subject], self._columns), not rows[subject]))[:room]


def _is_done(cells: Mapping[str, tuple[State | None, str]], columns: Sequence[str]) -> bool:
    return all(cells.get(column, (None, ""))[0] is not None for column in columns)


def _cell(cell: tuple[State | None, str] | None) -> tuple[str, str]:
    """A word and its style."""
    if cell is None:
        return "", ""
    state, detail = cell
    if state is None:
        return short(detail, _CELL) or "...", "cyan"
    words = {
        State.ANSWERED: (short(detail, _CELL) or "done", ""),
        State.UNANSWERED: ("unanswered", "yellow"),
        State.NOT_ASKED: ("not asked", "dim"),
    }
    return words[state]
