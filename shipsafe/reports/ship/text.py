"""`ship` for people: the legs, the functions, what stopped it in full, and one line of what came of it last.

leg      state    what                                     time
build    passed   4 zips pass 5 gates.                     2.1 s
...

function          version  digest    signer           verdict
CreateOrder:live  1 -> 2   9f2c01ab  shipsafe_orders  PASS
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipsafe.errors import ExitCode
from shipsafe.model.deployment import Ending
from shipsafe.model.ship import LegReport, Shipped, Went
from shipsafe.reports import layout
from shipsafe.reports.blocks import Grid, Line, Section, Span, Tone
from shipsafe.reports.chains import text as chains
from shipsafe.reports.ship import words
from shipsafe.reports.text import lines, show

if TYPE_CHECKING:  # plain text needs no rich
    from rich.console import Console

_TONES = {
    Went.PASSED: Tone.GOOD,
    Went.DONE_BEFORE: Tone.GOOD,
    Went.STOPPED: Tone.WORST,
    Went.PLANNED: Tone.WARN,
    Went.DECLINED: Tone.WARN,
    Went.NOT_REACHED: Tone.DIM,
}
_ENDINGS = {Ending.DEPLOYED: Tone.GOOD, Ending.UNCHANGED: Tone.GOOD, Ending.HANDED_OVER: Tone.PLAIN}


def write(shipped: Shipped, *, verbose: bool = False) -> str:
    """The run as lines without colour that do not wrap, ending in the one of the exit code."""
    return lines(_sections(shipped, verbose=verbose))


def screen(shipped: Shipped, console: "Console", *, verbose: bool = False, legs: bool = True) -> None:
    """Print it on a terminal in colour; where the console is none, as `write` does. Without `legs` where they stand above already."""
    show(_sections(shipped, verbose=verbose, legs=legs), console)


def _sections(shipped: Shipped, *, verbose: bool, legs: bool = True) -> Iterator[Section]:
    record, found = shipped.record, shipped.verification
    if record is not None and (verbose or not record.verdict.passes):
        yield from layout.sections(record, verbose=verbose)
    if found is not None and (verbose or found.exit_code is not ExitCode.PASS):
        yield from chains.sections(found, verbose=verbose)
    if legs:
        yield _legs(shipped.legs)
    if shipped.functions:
        yield _functions(shipped)
    remarks = [f"note: {one}" for one in (*(note for leg in shipped.legs for note in leg.notes), *shipped.remarks)]
    if remarks:
        yield Section(tuple(Line((Span(words.sentence(one), Tone.DIM),)) for one in remarks))
    tone = Tone.GOOD if shipped.exit_code is ExitCode.PASS else Tone.WORST
    yield Section((Line((Span(words.last_line(shipped), tone),)),))


def _legs(legs: tuple[LegReport, ...]) -> Section:
    head = tuple(Span(title, Tone.DIM) for title in ("leg", "state", "time", "what"))
    rows = [
        (
            Span(leg.leg, Tone.DIM if leg.went is Went.NOT_REACHED else Tone.PLAIN),
            Span(leg.went.upper() if leg.went is Went.STOPPED else leg.went, _TONES[leg.went]),
            Span(f"{leg.seconds:5.1f} s" if leg.seconds else "", Tone.DIM),
            Span(words.sentence(leg.sentence)),
        )
        for leg in legs
    ]
    return Section((Grid((head, *rows)),))


def _functions(shipped: Shipped) -> Section:
    head = tuple(Span(title, Tone.DIM) for title in ("function", "version", "digest", "signer", "verdict"))
    rows = [
        (
            Span(words.where(one), Tone.STRONG),
            Span(words.version(one)),
            Span(words.digest(one), Tone.DIM),
            Span(words.profile(one), Tone.DIM),
            Span(words.verdict(one), _ENDINGS.get(one.ending, Tone.BAD)),
        )
        for one in shipped.functions
    ]
    reasons = [
        Line((Span(f"{words.where(one)}: {words.sentence(one.reason)}", Tone.BAD if one.ending not in _ENDINGS else Tone.DIM),))
        for one in shipped.functions
        if one.reason
    ]
    return Section((Grid((head, *rows), folds=True), *reasons))
