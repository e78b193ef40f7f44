"""Marks: what the tags of a function remember, and what they are believed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.session import Place, open_aws
from shipsafe.deploy import marks
from shipsafe.deploy.marks import NAMES, Before, Marks, Phase, of_tags
from shipsafe.errors import IntegrityError
from shipsafe.local.endpoint import Endpoint
from tests.deploy.stage import ARN, make_stage
from tests.local_endpoint import REGION

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MARKS = Marks(id="0123abcd", began=NOON, deadline=NOON + timedelta(minutes=30), release="ab" * 32, before=Before(alias="live", version="7"))
_versions = st.integers(1, 10**18).map(str)
_befores = st.builds(
    Before,
    alias=st.from_regex(r"(?!\d+$)[A-Za-z0-9_-]{1,128}", fullmatch=True).filter(str.isascii),
    version=_versions,
    weights=st.dictionaries(_versions, st.floats(0.000001, 1), max_size=1),
) | st.builds(Before, code_sha256=st.from_regex(r"[A-Za-z0-9+/]{43}=", fullmatch=True))


@given(before=_befores, phase=st.sampled_from(Phase), version=_versions | st.just(""), began=st.datetimes(datetime(2000, 1, 1)))  # noqa: DTZ001 - given its zone below
def test_what_is_written_is_read(before: Before, phase: Phase, version: str, began: datetime) -> None:
    """And fits into tags: 256 characters, of those that AWS takes."""
    began = began.replace(microsecond=0, tzinfo=UTC)
    one = replace(MARKS, before=before, phase=phase, version=version, began=began, deadline=began)
    tags = one.tags()
    assert of_tags(ARN, tags) == one
    assert tuple(tags) == NAMES
    for value in tags.values():
        assert len(value) <= 256
        assert all(character.isalnum() or character in " _.:/=+-@" for character in value)


def test_a_function_without_marks_remembers_nothing() -> None:
    assert of_tags(ARN, {"team": "orders", "shipsafe:stopped": "none"}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shipsafe:before", "live=7+8=0.1+9=0.2"),
        ("shipsafe:before", "live=$LATEST"),
        ("shipsafe:before", "live=07"),
        ("shipsafe:before", "7=7"),
        ("shipsafe:before", "live=7+8=2"),
        ("shipsafe:before", ""),
        ("shipsafe:release", "AB" * 32),
        ("shipsafe:step", "shifting 8 9"),
        ("shipsafe:step", "forgotten"),
        ("shipsafe:step", "done \u0668"),
        ("shipsafe:deploy", "0123abcd 2026-11-21T12:00:00Z"),
        ("shipsafe:deploy", "0123abcd 2026-13-21T12:00:00Z 2026-11-21T12:00:00Z"),
        ("shipsafe:deploy", "$(id) 2026-11-21T12:00:00Z 2026-11-21T12:00:00Z"),
    ],
)  # fmt: skip
def test_what_shipsafe_does_not_write_is_not_believed(name: str, value: str) -> None:
    with pytest.raises(IntegrityError, match="say of a deployment what shipsafe does not write") as caught:
        of_tags(ARN, {**MARKS.tags(), name: value})
    assert "aws lambda untag-resource" in caught.value.remedy


@pytest.mark.parametrize("name", NAMES)
def test_a_part_of_them_is_none(name: str) -> None:
    """They are written in one call: who finds some of them finds what somebody has removed."""
    left = {one: value for one, value in MARKS.tags().items() if one != name}
    with pytest.raises(IntegrityError):
        of_tags(ARN, left)


def test_they_are_written_read_withdrawn_and_cleared(local_aws: Endpoint) -> None:
    """The tags of others stay, and those of another deployment, too."""
    stage = make_stage(local_aws, open_aws(Place(region=REGION)))
    pace = Pace(1e6, 100, lambda: 0.0, lambda _seconds: None)
    aws = stage.aws
    stage.lambda_.tag_resource(Resource=ARN, Tags={"team": "orders"})
    earlier = replace(MARKS, id="ffff0000").at(Phase.DONE, "7")

    def tags() -> dict[str, str]:
        return dict(stage.lambda_.list_tags(Resource=ARN)["Tags"])

    assert marks.read(aws, ARN, pace) is None
    marks.write(aws, ARN, MARKS, pace)
    assert marks.read(aws, ARN, pace) == MARKS
    marks.withdraw(aws, ARN, MARKS, earlier, pace)
    assert marks.read(aws, ARN, pace) == earlier
    marks.withdraw(aws, ARN, MARKS, None, pace)
    assert marks.read(aws, ARN, pace) == earlier
    marks.withdraw(aws, ARN, earlier, None, pace)
    assert tags() == {"team": "orders"}
    marks.write(aws, ARN, MARKS, pace)
    marks.clear(aws, ARN, pace)
    assert tags() == {"team": "orders"}
