"""The calls of a deploy, one by one, and what may go wrong at each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from shipsafe.local.faults import Fault
from tests.faults.invariants import ended, truthful
from tests.faults.place import Site

AS_SERVICES_SAY = {"lambda": "TooManyRequestsException", "s3": "SlowDown"}
THROTTLED = Fault(code="ThrottlingException", status=429, message="Rate exceeded")
FAILING = Fault(code="ServiceException", status=500)
LOST = Fault(kind="reset", when="after")
DENIED = Fault(code="AccessDeniedException", status=403, message="User is not authorized")
CONFLICT = Fault(code="ResourceConflictException", status=409, message="The operation cannot be performed at this time.")
FOR_EVER = 0
WRITES = ("Publish", "Update", "Tag", "Untag", "Create", "Delete", "Put", "Invoke")


@dataclass(frozen=True)
class At:
    """A call of a run: the `skip`-th of its operation, from 0."""

    service: str
    operation: str
    skip: int

    def __str__(self) -> str:
        return f"{self.operation} {self.skip + 1}"


def every_call(site: Site) -> Iterator[At]:
    """Every call of a clean deploy, which deploys."""
    start = site.function()
    ran = site.deploy()
    assert list(ended(site, ran)) == [], ran
    assert list(truthful(site, start, ran)) == [], ran
    seen: Counter[tuple[str, str]] = Counter()
    for call in site.calls():
        yield At(*call, seen[call])
        seen[call] += 1
