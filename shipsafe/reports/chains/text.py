"""A verification for people: the first sentence names the first link that does not hold, then the chains.

Orders.zip is broken at `sbom`: The SBOM names a file that the zip does not hold. Expected ..., found .... Build it again.

Orders.zip  8 held, 1 broken
state   link  what
held    zip   The zip is the one that the manifest names.
BROKEN  sbom  The SBOM names a file that the zip does not hold.
              expected  ...
              found     ...
              to do     Build it again.

state  chain     links
held   Mail.zip  9 held
Each link of what holds: --verbose.

What does not hold is told link by link, and so is a chain that is alone. Of several, each that holds takes a line. A note stands beside
its link; one that more links have, or whose link is not told, stands once at the end.
"""

from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING

from shipsafe.errors import ExitCode
from shipsafe.model.chain import Chain, Hold, Link, Verification
from shipsafe.reports.blocks import Grid, Line, Section, Span, Tone
from shipsafe.reports.chains import words
from shipsafe.reports.text import lines, show

if TYPE_CHECKING:  # plain text needs no rich
    from rich.console import Console

_TONES = {Hold.HELD: Tone.GOOD, Hold.BROKEN: Tone.WORST, Hold.UNANSWERED: Tone.WARN, Hold.DISALLOWED: Tone.BAD, Hold.NOT_ASKED: Tone.DIM}
_TITLE = 10  # columns of `expected` and the blanks behind it
_LOUD = (Hold.BROKEN, Hold.UNANSWERED, Hold.DISALLOWED)


def write(verification: Verification, *, verbose: bool = True) -> str:
    """The verification as lines without colour that do not wrap, ending in the one of the exit code.

    `verbose` tells every chain link by link, also those that hold among several.
    """
    return lines(sections(verification, verbose=verbose))


def screen(verification: Verification, console: "Console", *, verbose: bool = True) -> None:
    """Print it on a terminal in colour; where the console is none, as `write` does."""
    show(sections(verification, verbose=verbose), console)


def sections(verification: Verification, *, verbose: bool) -> Iterator[Section]:
    """The verification in the order of reading. `verbose` tells every chain link by link."""
    tone = Tone.GOOD if verification.exit_code is ExitCode.PASS else Tone.WORST
    yield Section((Line((Span(words.first_sentence(verification), tone),)),))
    whole = verbose or len(verification.chains) == 1

    def told(chain: Chain) -> bool:
        return whole or chain.exit_code is not ExitCode.PASS

    remarks = words.remarks(verification.chains, told=told)
    apart = {one.text for one in remarks}
    yield from (_chain(chain, apart) for chain in verification.chains if told(chain))
    if untold := [chain for chain in verification.chains if not told(chain)]:
        yield _in_short(untold)
    rest = [Line((Span(words.policy(verification), Tone.DIM),))]
    rest += [Line((Span(f"note: {words.remark(one)}", Tone.WARN),)) for one in remarks]
    rest += [Line((Span(f"note: {words.sentence(note)}", Tone.WARN),)) for note in verification.notes]
    yield Section(tuple(rest))
    yield Section((Line((Span(words.last_line(verification), tone),)),))


def _in_short(chains: Sequence[Chain]) -> Section:
    """A line for each chain that holds."""
    rows = [
        (Span(words.WORDS[Hold.HELD], Tone.GOOD), Span(words.name(one.subject)), Span(words.links_by_hold(one), Tone.DIM)) for one in chains
    ]
    titles = tuple(Span(title, Tone.DIM) for title in ("state", "chain", "links"))
    return Section((Grid((titles, *rows), folds=True), Line((Span("Each link of what holds: --verbose.", Tone.DIM),))))


def _chain(chain: Chain, apart: Container[str]) -> Section:
    """A chain link by link, without the notes that stand `apart`."""
    head = Line((Span(words.name(chain.subject), Tone.STRONG), Span(words.links_by_hold(chain), Tone.DIM)))
    if not chain.links:
        return Section((head,))
    titles = tuple(Span(title, Tone.DIM) for title in ("state", "link", "what"))
    return Section((head, Grid((titles, *(row for link in chain.links for row in _rows(link, apart))), folds=True)))


def _rows(link: Link, apart: Container[str]) -> Iterator[tuple[Span, ...]]:
    state = words.WORDS[link.hold]
    yield (
        Span(state.upper() if link.hold in _LOUD else state, _TONES[link.hold]),
        Span(words.link_name(link)),
        Span(words.sentence(link.sentence), Tone.DIM if link.hold is Hold.NOT_ASKED else Tone.PLAIN),
    )
    texts = [("expected", words.value(link.expected)), ("found", words.value(link.found))]
    texts.append(("where", words.value(str(link.location)) if link.location and link.hold in _LOUD else ""))
    texts.append(("to do", words.sentence(link.remedy) if link.hold in _LOUD else ""))
    facts = [(title, text, Tone.PLAIN) for title, text in texts if text]
    facts += [("note", words.sentence(note), Tone.WARN) for note in link.notes if note not in apart]
    for title, text, tone in facts:
        yield Span(""), Span(""), Span(f"{title:<{_TITLE}}{text}", tone, hang=_TITLE)
