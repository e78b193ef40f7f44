"""A verification in Markdown, for a pull request's comment or the summary of a step. Text from outside renders as itself."""

from collections.abc import Container, Iterator

from shipsafe.model.chain import Chain, Link, Verification
from shipsafe.reports.chains import words
from shipsafe.reports.escape import for_markdown


def write(verification: Verification) -> str:
    """The verification, one table per chain."""
    return "".join(f"{line}\n" for line in _lines(verification))


def _lines(verification: Verification) -> Iterator[str]:
    yield "## shipsafe verify"
    yield ""
    yield f"**{for_markdown(words.first_sentence(verification), 3000)}**"
    remarks = words.remarks(verification.chains, told=lambda _: True)
    apart = {one.text for one in remarks}
    for chain in verification.chains:
        yield ""
        yield f"### {for_markdown(chain.subject)}: {words.links_by_hold(chain)}"
        yield ""
        yield from _chain(chain, apart)
    yield ""
    yield f"- {for_markdown(words.policy(verification), 1000)}"
    for one in remarks:
        yield f"- note: {for_markdown(words.remark(one), 1200)}"
    for note in verification.notes:
        yield f"- note: {for_markdown(note, 1000)}"
    yield ""
    yield words.last_line(verification)


def _chain(chain: Chain, apart: Container[str]) -> Iterator[str]:
    yield "| state | link | what | expected | found |"
    yield "|---|---|---|---|---|"
    for link in chain.links:
        cells = (
            words.WORDS[link.hold],
            for_markdown(words.link_name(link)),
            _what(link, apart),
            for_markdown(link.expected),
            for_markdown(link.found),
        )
        yield f"| {' | '.join(cells)} |"


def _what(link: Link, apart: Container[str]) -> str:
    parts = [for_markdown(link.sentence, 1000)]
    if link.remedy:
        parts.append(f"To do: {for_markdown(link.remedy, 1000)}")
    if link.location:
        parts.append(f"Where: {for_markdown(str(link.location))}")
    parts += [f"Note: {for_markdown(note, 1000)}" for note in link.notes if note not in apart]
    return "<br>".join(parts)
