"""A verification for people: the first sentence names the first link that does not hold, then every chain link by link.

Orders.zip is broken at `sbom`: The SBOM names a file that the zip does not hold. Expected ..., found .... Build it again.

Orders.zip  8 held, 1 broken
state   link  what
held    zip   The zip is the one that the manifest names.
BROKEN  sbom  The SBOM names a file that the zip does not hold.
              expected  ...
              found     ...
              to do     Build it again.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipsafe.errors import ExitCode
from shipsafe.model.chain import Chain, Hold, Link, Verification
from shipsafe.reports.blocks import Grid, Line, Section, Span, Tone
from shipsafe.reports.chains import words
from shipsafe.reports.text import lines, show

if TYPE_CHECKING:  # plain text needs no rich
    from rich.console import Console

_TONES = {Hold.HELD: Tone.GOOD, Hold.BROKEN: Tone.WORST, Hold.UNANSWERED: Tone.WARN, Hold.DISALLOWED: Tone.BAD, Hold.NOT_ASKED: Tone.DIM}
_LOUD = (Hold.BROKEN, Hold.UNANSWERED, Hold.DISALLOWED)


def write(verification: Verification) -> str:
    """The verification as lines without colour that do not wrap, ending in the one of the exit code."""
    return lines(_sections(verification))


def screen(verification: Verification, console: "Console") -> None:
    """Print it on a terminal in colour; where the console is none, as `write` does."""
    show(_sections(verification), console)


def _sections(verification: Verification) -> Iterator[Section]:
    tone = Tone.GOOD if verification.exit_code is ExitCode.PASS else Tone.WORST
    yield Section((Line((Span(words.first_sentence(verification), tone),)),))
    for chain in verification.chains:
        yield _chain(chain)
    rest = [Line((Span(words.policy(verification), Tone.DIM),))]
    rest += [Line((Span(f"note: {words.sentence(note)}", Tone.WARN),)) for note in verification.notes]
    yield Section(tuple(rest))
    yield Section((Line((Span(words.last_line(verification), tone),)),))


def _chain(chain: Chain) -> Section:
    head = Line((Span(words.name(chain.subject), Tone.STRONG), Span(words.links_by_hold(chain), Tone.DIM)))
    if not chain.links:
        return Section((head,))
    titles = tuple(Span(title, Tone.DIM) for title in ("state", "link", "what"))
    return Section((head, Grid((titles, *(row for link in chain.links for row in _rows(link))), folds=True)))


def _rows(link: Link) -> Iterator[tuple[Span, ...]]:
    state = words.WORDS[link.hold]
    yield (
        Span(state.upper() if link.hold in _LOUD else state, _TONES[link.hold]),
        Span(words.link_name(link)),
        Span(words.sentence(link.sentence), Tone.DIM if link.hold is Hold.NOT_ASKED else Tone.PLAIN),
    )
    facts = [("expected", words.value(link.expected)), ("found", words.value(link.found))]
    facts.append(("where", words.value(str(link.location)) if link.location and link.hold in _LOUD else ""))
    facts.append(("to do", words.sentence(link.remedy) if link.hold in _LOUD else ""))
    for title, text in facts:
        if text:
            yield Span(""), Span(""), Span(f"{title:<8}  {text}")
    for note in link.notes:
        yield Span(""), Span(""), Span(f"{'note':<8}  {words.sentence(note)}", Tone.WARN)
