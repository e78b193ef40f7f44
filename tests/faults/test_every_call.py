"""At every call of a deploy something goes wrong; whatever was left, no caller reaches what was not verified, and the next run ends it."""

from dataclasses import replace
from typing import Any

import pytest

from shipsafe.local.faults import Fault
from tests.faults.calls import AS_SERVICES_SAY, CONFLICT, DENIED, FAILING, FOR_EVER, LOST, THROTTLED, WRITES, At, every_call
from tests.faults.invariants import ended, harmless, truthful
from tests.faults.place import Ran, Site


class Broken:
    """What was found over all runs. A run from a state that an earlier one has ended is not made again: it would be the same."""

    def __init__(self, site: Site) -> None:
        self.found: list[str] = []
        self._site, self._ended = site, set[str]()

    def run(self, at: At, fault: Fault, **words: Any) -> Ran:
        """One deploy with a fault, and one without."""
        site = self._site
        site.begin()
        start = site.function()
        site.endpoint.faults.add(replace(fault, service=at.service, operation=at.operation, skip=at.skip, **words))
        ran = site.deploy()
        assert not [one for one in site.endpoint.faults.waiting() if one.skip], f"{at} was not reached"
        site.endpoint.faults.clear()
        self._hold(at, ran, [*harmless(site, start), *truthful(site, start, ran)])
        state = site.state()
        if state not in self._ended:
            self._hold(at, again := site.deploy(), [*harmless(site, start), *ended(site, again), *truthful(site, start, again)])
            self._ended.add(state)
        return ran

    def _hold(self, at: At, ran: Ran, wrong: list[str]) -> None:
        self.found += [f"{at}: {why}\n    {ran}" for why in wrong]


@pytest.mark.parametrize("fault", [THROTTLED, FAILING, LOST, CONFLICT], ids=["throttled", "failing", "lost", "conflict"])
def test_something_goes_wrong_once(site: Site, fault: Fault) -> None:
    """Each is asked once by botocore, so that what follows is our own."""
    broken = Broken(site)
    for at in list(every_call(site)):
        code = AS_SERVICES_SAY.get(at.service, fault.code) if fault is THROTTLED else fault.code
        broken.run(at, fault, code=code)
    assert not broken.found, "\n".join(broken.found)


def test_an_answer_is_lost_and_botocore_asks_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second request comes with the revision that the first has made another."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    site.tries = 2
    broken = Broken(site)
    for at in list(every_call(site)):
        if at.operation.startswith(WRITES):
            ran = broken.run(at, LOST)
            assert ran.code == (4 if at.operation == "Invoke" else 0) or at.operation == "Invoke", ran
    assert not broken.found, "\n".join(broken.found)


def test_a_right_is_missing(site: Site) -> None:
    """From one call of an operation on it is refused, as it is where a policy was changed meanwhile."""
    broken = Broken(site)
    for at in list(every_call(site)):
        broken.run(at, DENIED, times=FOR_EVER)
    assert not broken.found, "\n".join(broken.found)


def test_nobody_answers_any_more(site: Site) -> None:
    """From one change on, which is made, there is no answer to anything, until the deadline and beyond it: then it says how it is ended."""
    broken = Broken(site)
    for number, at in enumerate(list(every_call(site))):
        if at.operation.startswith(WRITES):
            broken.run(replace(at, service="*", operation="*", skip=number), LOST, times=FOR_EVER)
    assert not broken.found, "\n".join(broken.found)
