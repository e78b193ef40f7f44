"""At every call of a deploy something goes wrong; whatever was left, no caller reaches what was not verified, and the next run ends it."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from shipsafe.local.faults import Fault
from shipsafe.model.deployment import Ending
from tests.faults.calls import AS_SERVICES_SAY, CONFLICT, DENIED, FAILING, FOR_EVER, LOST, THROTTLED, WRITES, At, every_call
from tests.faults.invariants import ended, harmless, truthful
from tests.faults.place import Ran, Site
from tests.faults.project import PLAIN, artifact


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


def test_without_an_alias_what_fails_gives_the_code_back(site: Site) -> None:
    """Callers of `$LATEST` see every change as it happens: what is told of it is true, and the next run ends it."""
    seen = Counter[str]()
    assert site.deploy(functions=("Plain",)).code == 0
    changes = [operation for _, operation in site.calls() if operation.startswith(WRITES)]
    for operation in changes:
        site.begin()
        before = site.code(PLAIN)
        site.endpoint.faults.add(replace(DENIED, service="lambda", operation=operation, skip=seen[operation], times=FOR_EVER))
        seen[operation] += 1
        ran = site.deploy(functions=("Plain",))
        site.endpoint.faults.clear()
        if ran.code != 0:
            assert ran.code in (4, 6), ran
            assert site.code(PLAIN) == before or (ran.deployment is not None and ran.deployment.ending is Ending.UNFINISHED), ran
        again = site.deploy(functions=("Plain",))
        assert again.code == 0, again
        assert site.code(PLAIN) == artifact(site.releases.second, "Plain")["signatures"][0]["code_sha256"]
    assert len(changes) > 4
