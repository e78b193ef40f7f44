"""The diagram of docs/guides/deployment-states.md is what deployments do: each of its arrows is walked here, and no other."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from shipsafe.deploy.marks import Phase
from shipsafe.local.faults import Fault
from shipsafe.model.deployment import Ending
from tests.faults.calls import DENIED
from tests.faults.place import Site
from tests.faults.project import ALIAS, FUNCTION
from tests.local_endpoint import ACCOUNT, REGION, client

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "deployment-states.md").read_text()
NOWHERE = "[*]"


def drawn() -> set[tuple[str, str]]:
    """The arrows of the diagram."""
    diagram = GUIDE.split("```mermaid")[1].split("```")[0]
    return set(re.findall(r"^\s*(\S+) --> ([^\s:]+)", diagram, re.MULTILINE))


def deny(site: Site, operation: str, skip: int = 0) -> None:
    site.endpoint.faults.add(Fault(service="lambda", operation=operation, times=0, skip=skip, code=DENIED.code, status=DENIED.status))


def clean(site: Site) -> None:
    assert site.deploy().code == 0


def refused_at_once(site: Site) -> None:
    deny(site, "UpdateFunctionConfiguration")
    assert site.deploy().code == 4


def refused_half_way(site: Site) -> None:
    deny(site, "UpdateFunctionCode", skip=1)  # the first is the dry run
    assert site.deploy().code == 6


def the_smoke_test_fails(site: Site) -> None:
    site.endpoint.functions.set_answer(ACCOUNT, REGION, FUNCTION, payload=b"{}", error="Unhandled")
    assert site.deploy().code == 6


def an_alarm(site: Site) -> None:
    """Of the new version alone: its calls fail."""
    traffic = {"account": ACCOUNT, "region": REGION, "function": FUNCTION, "qualifier": ALIAS, "per_second": 50, "errors": {"2": 1.0}}
    site.endpoint.functions.send_traffic(traffic)
    ran = site.deploy()
    assert ran.code == 6
    assert "errors in" in str(ran)
    site.endpoint.functions.send_traffic({**traffic, "per_second": 0})


def somebody_moves_the_alias(site: Site) -> None:
    def move(line: str) -> None:
        if ": 10 % of the calls" in line:
            client("lambda").update_alias(FunctionName=FUNCTION, Name=ALIAS, RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})

    ran = site.deploy(told=move)
    assert ran.deployment is not None
    assert ran.deployment.ending is Ending.UNFINISHED


def after_a_rollback(site: Site) -> None:
    """The version is there, and callers were led away from it: first nothing can be looked at, then it goes live again."""
    clean(site)
    client("lambda").update_alias(FunctionName=FUNCTION, Name=ALIAS, FunctionVersion="1")
    deny(site, "ListVersionsByFunction", skip=1)
    assert site.deploy().code == 4
    site.endpoint.faults.clear()
    clean(site)
    assert len(site.function().versions) == 3


def failed_after_a_killed_one(site: Site) -> None:
    class KilledError(BaseException):
        pass

    def die(line: str) -> None:
        if ": 10 % of the calls" in line:
            raise KilledError

    with pytest.raises(KilledError):
        site.deploy(told=die)
    deny(site, "ListVersionsByFunction", skip=1)
    assert site.deploy().code == 6
    assert site.function().alias == ("1", {})


def without_an_alias(site: Site) -> None:
    assert site.deploy(functions=("Plain",)).code == 0


WALKS: tuple[Callable[[Site], None], ...] = (
    clean,
    refused_at_once,
    refused_half_way,
    the_smoke_test_fails,
    an_alarm,
    somebody_moves_the_alias,
    after_a_rollback,
    failed_after_a_killed_one,
    without_an_alias,
)


def test_every_arrow_is_walked_and_no_other(site: Site) -> None:
    site.walked.clear()
    for walk in WALKS:
        site.begin()
        walk(site)
    settled = {(str(phase), NOWHERE) for phase in (Phase.DONE, Phase.RESTORED, Phase.LEFT)}
    assert site.walked | settled == drawn()


def test_every_state_and_every_ending_is_told() -> None:
    assert {state for arrow in drawn() for state in arrow} - {NOWHERE} == set(map(str, Phase))
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", GUIDE, re.MULTILINE))
    assert rows == {*map(str, Phase), *map(str, Ending)}
