"""What `deploy` did, as lines for a person."""

from collections.abc import Iterator

from shipsafe.model.deployment import Deployment
from shipsafe.reports.deployments import Told
from shipsafe.reports.deployments.words import called, ended, last_line, signer, why


def write(told: Told) -> str:
    """It as text."""
    lines, reasons = list[str](), dict[str, str]()
    for one in told.deployments:
        lines += _lines(one, told.verdict(one), reasons)
    return "".join(f"{line}\n" for line in (*lines, *told.remarks, last_line(told)))


def _lines(one: Deployment, verdict: str, reasons: dict[str, str]) -> Iterator[str]:
    """What became of one function; a reason that another had before it (a stack that went back) is told once."""
    version = f", version {one.version}" if one.version else ""
    before = f" (before: {one.before})" if one.before and one.before != one.version else ""
    yield f"{called(one)}  {ended(one)}{version}{before}{f', verify: {verdict}' if verdict else ''}"
    if one.code_sha256:  # a roll-back that changed nothing has looked at none
        yield f"  {one.artifact}: CodeSha256 {one.code_sha256}, signed by {signer(one)}"
    for shift in one.shifts:
        yield f"  {shift.at:%H:%M:%S}  {shift.percent} % of the calls go to version {one.version}"
    reason = why(one)
    if reason:
        first = reasons.setdefault(reason, called(one))
        yield f"  {reason}" if first == called(one) else f"  for the same reason as {first}"
    yield from (f"  note: {note}" for note in one.notes)
