"""Somebody else works on the same function at the same time: nothing of theirs is overwritten, and each is told what happened."""

import threading
from collections.abc import Callable

import pytest

from shipsafe.model.deployment import Ending
from tests.faults.calls import every_call
from tests.faults.invariants import ended, harmless, truthful
from tests.faults.place import Ran, Site
from tests.faults.project import ALIAS, FUNCTION
from tests.local_endpoint import client

_STORY = "Somebody else"


def memory() -> None:
    """As in the console: a setting of `$LATEST`."""
    client("lambda").update_function_configuration(FunctionName=FUNCTION, MemorySize=512)


def alias() -> None:
    """As in the console: the alias is told to lead where it leads, with another description, which changes its revision."""
    client("lambda").update_alias(FunctionName=FUNCTION, Name=ALIAS, Description="looked at by somebody")


def test_a_console_change_between_plan_and_deploy_is_told_with_the_story_of_its_revision(site: Site) -> None:
    ran = site.deploy(before=memory)
    assert ran.deployment is not None
    assert (ran.code, ran.deployment.ending) == (4, Ending.REFUSED), ran
    assert _STORY in ran.deployment.reason
    assert "RevisionId" in ran.deployment.reason
    assert client("lambda").get_function_configuration(FunctionName=FUNCTION)["MemorySize"] == 512
    assert site.function().alias == ("1", {})
    assert site.function().tags.get("shipsafe:step", "done 1") == "done 1"
    assert list(ended(site, site.deploy())) == []
    assert client("lambda").get_function_configuration(FunctionName=FUNCTION, Qualifier="2")["MemorySize"] == 512


@pytest.mark.parametrize("change", [memory, alias])
def test_a_console_change_before_any_call_of_a_deploy_is_never_overwritten(site: Site, change: Callable[[], None]) -> None:
    """It either goes live as part of what was published and looked at, or the deployment is stopped and says why."""
    found = []
    for number, at in enumerate(list(every_call(site))):
        if not at.operation.startswith(("Update", "Publish", "Tag", "Invoke", "GetAlias")):
            continue
        site.begin()
        start = site.function()
        with site.meanwhile(number, change):
            ran = site.deploy()
        found += [f"{at}: {why}\n  {ran}" for why in (*harmless(site, start), *truthful(site, start, ran))]
        told = client("lambda").get_function_configuration(FunctionName=FUNCTION)["MemorySize"]
        description = client("lambda").get_alias(FunctionName=FUNCTION, Name=ALIAS)["Description"]
        if (told, description) not in ((512, ""), (128, "looked at by somebody")):
            found.append(f"{at}: overwritten: {told} {description!r}\n  {ran}")
        again = site.deploy()
        now = site.function()
        if again.code != 0 or now.alias is None or now.versions[now.alias[0]] != now.versions["$LATEST"] or now.alias[1]:
            found.append(f"{at}, again: {now}\n  {ran}\n  {again}")
    assert not found, "\n".join(found)


def test_of_two_deployments_at_once_one_wins_and_the_other_says_so(site: Site) -> None:
    """From two machines, each with a folder of the release: no lock of ours is between them."""
    start = site.function()
    met, rans = threading.Barrier(2), list[Ran]()
    other = site.elsewhere()

    def meet() -> None:
        met.wait(timeout=600)

    def deploy(place: Site) -> None:
        rans.append(place.deploy(before=meet))

    threads = [threading.Thread(target=deploy, args=(place,)) for place in (site, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [why for why in harmless(site, start) if why != "3 versions of the layer"] == []  # no revision is between two that publish one
    endings = sorted(str(ran.deployment.ending) for ran in rans if ran.deployment is not None)
    assert len(endings) == 2
    winners = [ran for ran in rans if ran.code == 0]
    assert len(winners) == 1, "\n".join(map(str, rans))
    [loser] = [ran for ran in rans if ran.code != 0]
    assert loser.deployment is not None
    assert _STORY in loser.deployment.reason or "Another deployment" in loser.deployment.reason, loser
    assert site.function().alias == ("2", {})
    for place in (site, other):
        again = place.deploy()
        assert again.deployment is not None
        assert (again.code, again.deployment.ending) == (0, Ending.UNCHANGED), again
