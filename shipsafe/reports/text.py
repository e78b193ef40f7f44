"""Plain text, and the same on a terminal with colours and a table.

Both are made of the same blocks (`layout`), so nothing can be seen in one that is missing from the other. Plain text is never
wrapped: a log is searched with tools that look at lines. On a terminal, lines wrap below themselves, and markup in texts from
outside is not interpreted.
"""

import io
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shipsafe.model.record import RunRecord
from shipsafe.model.report import Report
from shipsafe.reports.blocks import Grid, Line, Section, Span, Tone
from shipsafe.reports.layout import sections

if TYPE_CHECKING:  # a JSON run and `--help` need no rich
    from rich.console import Console, RenderableType

_STYLES = {
    Tone.PLAIN: "",
    Tone.STRONG: "bold",
    Tone.DIM: "dim",
    Tone.GOOD: "green",
    Tone.WARN: "yellow",
    Tone.BAD: "red",
    Tone.WORST: "bold red",
}
_GAP = "  "
_FOLDED = 24  # columns of the screen that a column of broken words takes at least


def plain(record: RunRecord, *, quiet: bool = False, verbose: bool = False) -> str:
    """The run as lines without colour, ending in the line of the verdict.

    `quiet` keeps what blocks, what is unanswered and the verdict; `verbose` leaves nothing out.
    """
    return lines(sections(record, quiet=quiet, verbose=verbose))


def screen(record: RunRecord, console: "Console", *, quiet: bool, verbose: bool) -> None:
    """Print the run on a terminal as wide as it is; where the console is none, as plain lines that do not wrap."""
    show(sections(record, quiet=quiet, verbose=verbose), console)


def lines(parts: Iterable[Section]) -> str:
    """Sections as plain lines, with an empty one between two."""
    out = io.StringIO()
    for number, section in enumerate(parts):
        if number:
            out.write("\n")
        for block in section.blocks:
            for line in _plain_lines(block):
                out.write(f"{line.rstrip()}\n")
    return out.getvalue()


def show(parts: Iterable[Section], console: "Console") -> None:
    """Print sections on a terminal as wide as it is; where the console is none, as plain lines that do not wrap."""
    if not console.is_terminal:
        console.file.write(lines(parts))
        return
    for number, section in enumerate(parts):
        if number:
            console.print()
        for block in section.blocks:
            console.print(_rich(block, console.width), markup=False, highlight=False, emoji=False)


def _plain_lines(block: Line | Grid) -> Iterator[str]:
    if isinstance(block, Line):
        yield " " * block.indent + _joined(block.spans)
        return
    widths = [max(_width(span.text) for span in column) for column in zip(*block.rows, strict=True)]
    for row in block.rows:
        yield _GAP.join(span.text + " " * (width - _width(span.text)) for span, width in zip(row, widths, strict=True))


def _joined(spans: tuple[Span, ...]) -> str:
    return "".join(f"{span.text}{_gap_after(span, last=span is spans[-1])}" for span in spans)


def _gap_after(span: Span, *, last: bool) -> str:
    """Spans that end in a blank bring their own distance to the next one."""
    return "" if last or span.text.endswith(" ") else _GAP


def _width(text: str) -> int:
    """Columns on a screen: wide characters take two, combining ones none."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def _rich(block: Line | Grid, room: int) -> "RenderableType":
    from rich.console import Group  # noqa: PLC0415 - only on a terminal
    from rich.padding import Padding  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if isinstance(block, Line):
        text = Text(overflow="fold")
        for span in block.spans:
            text.append(span.text, _STYLES[span.tone])
            text.append(_gap_after(span, last=span is block.spans[-1]))
        return Padding(text, (0, 0, 0, block.indent), expand=False)
    head, *rows = block.rows
    widths = _fit(block, room)
    if widths is None:
        return Group(*(_rich(line, room) for row in rows for line in _upright(head, row)))
    table = Table(box=None, padding=(0, len(_GAP), 0, 0), pad_edge=False, header_style="")
    for span, width in zip(head, widths, strict=True):
        table.add_column(Text(span.text, _STYLES[span.tone]), width=width, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(span, width) for span, width in zip(row, widths, strict=True)))
    return table


def _cell(span: Span, width: int) -> "RenderableType":
    """A cell; where it hangs, its first words are a column of their own."""
    from rich.table import Table  # noqa: PLC0415 - only on a terminal
    from rich.text import Text  # noqa: PLC0415

    if not span.hang:
        return Text(span.text, _STYLES[span.tone])
    inner = Table.grid()
    inner.add_column(width=span.hang)
    inner.add_column(width=width - span.hang, overflow="fold")
    inner.add_row(*(Text(part, _STYLES[span.tone]) for part in (span.text[: span.hang], span.text[span.hang :])))
    return inner


def _fit(grid: Grid, room: int) -> list[int] | None:
    """Widths of the columns that break no word but where it `folds`, as rich would; None where the screen is too narrow for that."""
    columns = [[span.text for span in column] for column in zip(*grid.rows, strict=True)]
    widths = [max(_width(text) for text in column) for column in columns]
    least = [max(_width(word) for text in column for word in text.split() or [""]) for column in columns]
    least[0] = widths[0]
    least[-1] = min(least[-1], _FOLDED) if grid.folds else least[-1]
    too_much = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    if sum(widths) - sum(least) < too_much:
        return None
    for _ in range(too_much):
        widest = max(range(len(widths)), key=lambda number: widths[number] - least[number])
        widths[widest] -= 1
    return widths


def _upright(head: tuple[Span, ...], row: tuple[Span, ...]) -> Iterator[Line]:
    """A row of a table that is too wide for the screen, as lines. What goes on with the row above has no title."""
    if not row[0].text:
        yield from (Line((span,), 4) for span in row if span.text)
        return
    yield Line((row[0],))
    for title, span in zip(head[1:], row[1:], strict=True):
        yield Line((Span(f"{title.text}: ", title.tone), span), 2)


REPORT = Report(id="text", summary="Plain text for people and logs.", write=plain)
