"""What `deploy` did, in Markdown: for the summary of a step. Text from outside renders as itself."""

from collections.abc import Iterator

from shipsafe.reports.deployments import Told
from shipsafe.reports.deployments.words import called, ended, last_line, signer, why
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
    reasons = dict[str, list[str]]()  # a stack that went back is the reason of all its functions
    for one in told.deployments:
        reasons.setdefault(why(one), []).append(for_markdown(called(one)))
    for reason in filter(None, reasons):
        yield f"- {', '.join(reasons[reason])}: {for_markdown(reason, 1500)}"
    for one in told.deployments:
        for note in one.notes:
            yield f"- {for_markdown(called(one))}: {for_markdown(note, 1000)}"
    for remark in told.remarks:
        yield f"- {for_markdown(remark, 1000)}"
    yield ""
    yield for_markdown(last_line(told))
