"""What a dead deployment has left: gone on with, taken back, or left alone; tags are believed only as far as the alias bears them out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shipsafe.adapters.aws.functions import Alias
from shipsafe.adapters.aws.session import Aws
from shipsafe.deploy.marks import Before, Marks, Phase
from shipsafe.deploy.restore import restore
from shipsafe.deploy.resume import Resumption, believed, resumption
from shipsafe.deploy.rollout import roll_out
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.pki import LocalRoot
from shipsafe.model.deployment import Ending
from tests.deploy.stage import Stage, make_stage, opened_stage

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OURS, OTHER = "ab" * 32, "cd" * 32
LEFT = Marks(id="0123abcd", began=NOON, deadline=NOON + timedelta(minutes=30), release=OURS, before=Before(alias="live", version="7"),
             phase=Phase.SHIFTING, version="8")  # fmt: skip
FRESH, FINISH, TAKE_BACK = Resumption.FRESH, Resumption.FINISH, Resumption.TAKE_BACK


@pytest.mark.parametrize(
    ("where", "same", "other"),
    [
        (("7", {}), FINISH, FRESH),  # not moved yet
        (("7", {"8": 0.1}), FINISH, TAKE_BACK),  # on its way
        (("8", {}), FINISH, FRESH),  # arrived: that version was checked before; going back would rest on tags alone
        (("9", {}), FRESH, FRESH),  # somebody else's
        (("7", {"9": 0.1}), FRESH, FRESH),
        (("8", {"7": 0.1}), FRESH, FRESH),
        (None, FRESH, FRESH),  # deleted
    ],
)
def test_where_the_alias_stands_decides(where: tuple[str, dict[str, float]] | None, same: Resumption, other: Resumption) -> None:
    aliases = [Alias(name="live", version=where[0], weights=where[1])] if where else []
    assert resumption(LEFT, release=OURS, alias="live", aliases=aliases) is same
    assert resumption(LEFT, release=OTHER, alias="live", aliases=aliases) is other


def test_what_is_settled_is_nobodys_business_any_more() -> None:
    aliases = [Alias(name="live", version="7", weights={"8": 0.1})]
    for phase in (Phase.DONE, Phase.RESTORED, Phase.LEFT):
        assert resumption(LEFT.at(phase), release=OTHER, alias="live", aliases=aliases) is FRESH
    assert resumption(None, release=OURS, alias="live", aliases=aliases) is FRESH


def test_a_canary_is_not_taken_back_to_a_version_that_the_tags_alone_name() -> None:
    """Whoever may tag a function could have all calls led to any version of it, once a canary is taken back."""
    forged = replace(LEFT, before=Before(alias="live", version="7", weights={"3": 1.0}))
    on_its_way = [Alias(name="live", version="7", weights={"8": 0.1})]
    assert believed(forged, on_its_way) == LEFT
    assert believed(LEFT, on_its_way) == LEFT
    still = replace(LEFT, before=Before(alias="live", version="7", weights={"6": 0.5}))
    assert believed(still, [Alias(name="live", version="7", weights={"6": 0.5})]) == still, "where it leads, nobody has to believe"
    assert believed(LEFT.at(Phase.DONE), on_its_way) is None
    assert believed(None, on_its_way) is None


def test_another_alias_than_the_one_that_is_wanted_is_taken_back_first() -> None:
    aliases = [Alias(name="live", version="7", weights={"8": 0.1}), Alias(name="blue", version="7", weights={})]
    assert resumption(LEFT, release=OURS, alias="blue", aliases=aliases) is TAKE_BACK


def test_without_an_alias_the_same_release_goes_on() -> None:
    left = replace(LEFT, before=Before(code_sha256="A" * 43 + "="), version="")
    assert resumption(left, release=OURS, alias="", aliases=[]) is FINISH
    assert resumption(left, release=OTHER, alias="", aliases=[]) is FRESH


@pytest.fixture(scope="module")
def opened(local_root: LocalRoot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Endpoint, Aws]]:
    with opened_stage(local_root, tmp_path_factory.mktemp("resume")) as both:
        yield both


@pytest.fixture
def stage(opened: tuple[Endpoint, Aws]) -> Stage:
    return make_stage(*opened)


def test_where_it_leads_already_is_no_way_back(stage: Stage) -> None:
    """And nobody is told that it went back."""
    to = stage.shifting(version="1")
    back = restore(to, stage.hands, "An alarm went off.")
    assert (back.ending, stage.alias(), stage.asked("UpdateAlias")) == (Ending.UNFINISHED, ("1", {}), 0)
    assert back.error is not None
    assert int(back.error.exit_code) == 6
    assert "stays at version 1: nobody knows of one to go back to" in back.reason
    assert f"{to.command} --to VERSION" in back.reason


def test_two_at_once_and_one_of_them_says_so(stage: Stage) -> None:
    """The second takes back the canary of the first, which finds that out at its next step, and overwrites nothing."""
    first = stage.shifting()
    third = stage.publish("3")

    def second() -> None:
        left = stage.remembered()
        assert left is not None
        aliases = [Alias(name="live", version="1", weights={"2": 0.1})]
        assert resumption(left, release=OTHER, alias="live", aliases=aliases) is TAKE_BACK
        assert restore(replace(first, marks=left), stage.hands, "It was not ended.").ending is Ending.ROLLED_BACK
        stage.then = []
        out = roll_out(replace(stage.shifting(version=third), marks=replace(first.marks, id="ffff0000", release=OTHER)), stage.hands)
        assert out.ending is Ending.DEPLOYED

    stage.then = [(timedelta(minutes=2), second)]
    out = roll_out(first, stage.hands)
    assert out.ending is Ending.UNFINISHED
    assert out.error is not None
    assert "Somebody else has moved alias live" in out.error.what
    assert stage.alias() == (third, {})
    told = stage.remembered()
    assert told is not None
    assert told.id == "ffff0000"


def test_of_two_of_the_same_release_at_once_one_says_so(stage: Stage) -> None:
    """The second goes on where the first stands; the first finds the alias where it wanted it, and has not moved it there."""
    first = stage.shifting()

    def second() -> None:
        stage.then = []
        assert roll_out(replace(first, marks=replace(first.marks, id="ffff0000")), stage.hands).ending is Ending.DEPLOYED

    stage.then = [(timedelta(minutes=2), second)]
    out = roll_out(first, stage.hands)
    assert (out.ending, stage.alias()) == (Ending.UNFINISHED, ("2", {}))
    assert "Somebody else has moved alias live" in out.reason
    assert stage.asked("UpdateAlias") == 2


def test_one_that_begins_finds_another_on_its_way(stage: Stage) -> None:
    """Both were planned before either began: whoever looks second is not the one that moves it."""
    first = stage.shifting()

    def second() -> None:
        stage.then = []
        out = roll_out(replace(first, fresh=True, marks=replace(first.marks, id="ffff0000")), stage.hands)
        assert (out.ending, stage.alias()) == (Ending.UNFINISHED, ("1", {"2": 0.1}))
        assert "Somebody else has moved alias live" in out.reason

    stage.then = [(timedelta(minutes=2), second)]
    assert roll_out(first, stage.hands).ending is Ending.DEPLOYED
    assert stage.alias() == ("2", {})
