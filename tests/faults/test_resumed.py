"""A deploy that goes on where a killed one stood, and at which something goes wrong in turn."""

from dataclasses import replace

import pytest

from tests.faults.calls import DENIED, FOR_EVER, every_call
from tests.faults.invariants import ended, harmless, truthful
from tests.faults.place import Site
from tests.local_endpoint import ACCOUNT, REGION


class KilledError(BaseException):
    """Nobody catches it."""


def killed(site: Site, percent: int) -> None:
    """A deploy that ended as soon as so many of the calls reached version 2."""

    def die(line: str) -> None:
        if f": {percent} % of the calls" in line:
            raise KilledError

    with pytest.raises(KilledError):
        site.deploy(told=die)
    assert site.function().alias == {10: ("1", {"2": 0.1}), 100: ("2", {})}[percent]


@pytest.mark.parametrize("percent", [10, 100])
def test_something_goes_wrong_once_more(site: Site, percent: int) -> None:
    first = site.function()
    killed(site, percent)
    with site.kept():
        site.begin()
        found, seen = list[str](), set[str]()
        for at in list(every_call(site)):
            site.begin()
            start = site.function()
            site.endpoint.faults.add(replace(DENIED, service=at.service, operation=at.operation, skip=at.skip, times=FOR_EVER))
            ran = site.deploy()
            site.endpoint.faults.clear()
            found += [f"{at}: {why}\n  {ran}" for why in (*harmless(site, first), *truthful(site, start, ran, before=first))]
            if (state := site.state()) not in seen:
                seen.add(state)
                again = site.deploy()
                found += [f"{at}, again: {why}\n  {ran}\n  {again}" for why in ended(site, again)]
    assert not found, "\n".join(found)


def test_the_smoke_test_fails_in_the_canary(site: Site) -> None:
    """Whoever goes on may find out what the killed one did not: the part of the calls goes back, and the report is true."""
    first = site.function()
    killed(site, 10)
    site.endpoint.functions.set_answer(ACCOUNT, REGION, "pay", version="2", payload=b"{}", error="Unhandled")
    start = site.function()
    ran = site.deploy()
    assert list(truthful(site, start, ran, before=first)) == []
    assert ran.code == 6
    assert site.function().alias == ("1", {})
