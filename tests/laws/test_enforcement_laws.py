"""Rings and readiness: the first ring that fits counts, tags are asked for only where they matter, and waiting never makes things worse."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from shipsafe.enforce.layers import LayerTrust, Letting
from shipsafe.enforce.readiness import readiness, warned, warned_since
from shipsafe.model.enforcement import EnforcePolicy, Enforcing, Ring

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
names = st.sampled_from(["orders", "orders-api", "billing"])
accounts = st.sampled_from(["111122223333", "222233334444"])
tags = st.dictionaries(st.sampled_from(["team", "tier"]), st.sampled_from(["a", "b"]), max_size=2)
rings = st.builds(
    Ring, name=st.just("r"), functions=st.lists(st.sampled_from(["orders*", "billing", "*"]), max_size=2).map(tuple), tags=tags,
    accounts=st.lists(accounts, max_size=1).map(tuple), mode=st.sampled_from(Enforcing),
)  # fmt: skip
policies = st.builds(EnforcePolicy, mode=st.sampled_from(Enforcing), rings=st.lists(rings, max_size=4).map(tuple))
spans = st.integers(0, 40).map(lambda days: timedelta(days=days))
layers = st.lists(st.sampled_from(Letting), max_size=3).map(
    lambda found: tuple(LayerTrust(arn="a", letting=one, sentence="A layer.") for one in found)
)


@given(policies, names, accounts, tags)
def test_the_mode_of_a_function_is_that_of_the_first_ring_that_has_it(
    policy: EnforcePolicy, name: str, account: str, tagged: Mapping[str, str]
) -> None:
    asked: list[None] = []

    def read() -> Mapping[str, str]:
        asked.append(None)
        return tagged

    mode = policy.mode_of(name, account, read)
    fitting = [ring for ring in policy.rings if ring.has(name, account, tagged)]
    assert mode is (fitting[0].mode if fitting else policy.mode)
    assert not fitting or policy.may_have(name)
    assert bool(asked) == any(ring.tags and ring.may_have(name) for ring in policy.rings)


@given(layers, spans, spans, st.integers(0, 2) | st.none())
def test_what_is_ready_stays_so_and_nothing_is_while_something_speaks_against_it(
    found: tuple[LayerTrust, ...], waited: timedelta, quiet: timedelta, errors: int | None
) -> None:
    def at(time: timedelta) -> bool:
        return readiness(found, since=NOW - time, errors=errors, quiet=quiet, now=NOW).ready

    assert not at(waited) or at(waited + timedelta(days=1))
    assert at(waited) == (all(one.allowed for one in found) and (not quiet or (waited >= quiet and errors == 0)))
    unseen = readiness(found, since=None, errors=errors, quiet=quiet, now=NOW)
    assert not (quiet and unseen.ready)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants them naive, and adds the zone
def test_what_the_tag_says_is_read_back_unless_it_has_not_been_yet(moment: datetime) -> None:
    told = warned_since(warned(moment), NOW)
    assert told == (moment.replace(microsecond=0) if moment.replace(microsecond=0) <= NOW + timedelta(minutes=15) else None)


@example("2026-1-1T0:0:0Z")
@example("\u0662\u0660\u0662\u0666-01-01T00:00:00Z")
@given(st.text(max_size=40))
def test_any_other_tag_says_nothing(text: str) -> None:
    told = warned_since({"shipsafe:warned": text}, NOW)
    assert told is None or warned(told) == {"shipsafe:warned": text}
