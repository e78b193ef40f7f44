"""`ship` in Markdown, for a pull request's comment or the summary of a step. Text from outside renders as itself."""

from collections.abc import Iterable, Iterator

from shipsafe.errors import ExitCode
from shipsafe.model.ship import Shipped
from shipsafe.reports import chains
from shipsafe.reports.escape import for_markdown
from shipsafe.reports.markdown import markdown
from shipsafe.reports.ship import words


def write(shipped: Shipped) -> str:
    """The run: what came of it, the functions, the legs, and in full what stopped it."""
    parts = ["".join(f"{line}\n" for line in _lines(shipped))]
    if shipped.record is not None and not shipped.record.verdict.passes:
        parts.append(markdown(shipped.record))
    if shipped.verification is not None and shipped.verification.exit_code is not ExitCode.PASS:
        parts.append(chains.write(shipped.verification, "markdown"))
    return "\n".join(parts)


def _lines(shipped: Shipped) -> Iterator[str]:
    yield f"## shipsafe ship: {for_markdown(shipped.project)}"
    yield ""
    yield f"**{for_markdown(words.last_line(shipped), 3000)}**"
    if shipped.local:
        yield ""
        yield "LOCAL: what answered is the endpoint on this machine, and not AWS."
    if shipped.overridden:
        yield ""
        yield f"**OVERRIDDEN**: {for_markdown(shipped.overridden, 1000)}"
    if shipped.functions:
        yield ""
        yield from _table(("function", "version", "digest", "signer", "verdict"))
        for one in shipped.functions:
            yield _row((words.where(one), words.version(one), one.sha256, words.signer(one), words.verdict(one)))
        yield ""
        yield from (f"- {for_markdown(f'{words.where(one)}: {one.reason}', 1000)}" for one in shipped.functions if one.reason)
    yield ""
    yield from _table(("leg", "state", "what"))
    for leg in shipped.legs:
        yield _row((leg.leg, leg.went, leg.sentence))
    notes = [note for leg in shipped.legs for note in leg.notes]
    if notes or shipped.remarks:
        yield ""
        yield from (f"- {for_markdown(note, 1000)}" for note in (*notes, *shipped.remarks))


def _table(titles: Iterable[str]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(tuple(titles))}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(for_markdown(cell, 1000) for cell in cells)} |"
