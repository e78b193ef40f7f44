"""What `deploy` did, in Markdown: for the summary of a step. Text from outside renders as itself."""

from collections.abc import Iterator

from shipsafe.model.deployment import Deployment, Ending
from shipsafe.reports.deployments import Told
from shipsafe.reports.deployments.words import called, ended, last_line, signer
from shipsafe.reports.escape import for_markdown


def write(told: Told) -> str:
    """One table, and a list of what went wrong."""
    return "".join(f"{line}\n" for line in _lines(told))


def _lines(told: Told) -> Iterator[str]:
    yield "## shipsafe deploy"
    yield ""
    yield "| function | how it ended | version | before | CodeSha256 | signer | verify |"
    yield "|---|---|---|---|---|---|---|"
    for one in told.deployments:
        cells = (called(one), ended(one), one.version or "-", one.before or "-", one.code_sha256, signer(one), told.verdict(one) or "-")
        yield f"| {' | '.join(for_markdown(cell) for cell in cells)} |"
    yield ""
    for one in told.deployments:
        yield from _remarks(one)
    for remark in told.remarks:
        yield f"- {for_markdown(remark, 1000)}"
    yield ""
    yield for_markdown(last_line(told))


def _remarks(one: Deployment) -> Iterator[str]:
    why = one.reason if one.ending is not Ending.DEPLOYED else str(one.error or "")
    if why:
        yield f"- {for_markdown(called(one))}: {for_markdown(why, 1500)}"
    for note in one.notes:
        yield f"- {for_markdown(called(one))}: {for_markdown(note, 1000)}"
