"""The names that follow from what is signed."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shipsafe.model.signing import ProfileVersion, S3Object
from shipsafe.signing.ticket import Ticket, signed_prefix, unsigned_key

PROFILE = ProfileVersion.parse("arn:aws:signer:eu-central-1:111122223333:/signing-profiles/orders_2026/AbCdEf1234")
SOURCE = S3Object(bucket="artifacts", key="unsigned/ab.zip", version="v1")
TICKET = Ticket(account="111122223333", region="eu-central-1", source=SOURCE, profile=PROFILE)


def test_keys_are_addressed_by_content() -> None:
    assert unsigned_key("", "ab12") == "unsigned/ab12.zip"
    assert unsigned_key("team/", "ab12") == "team/unsigned/ab12.zip"
    assert signed_prefix("team/", "ab12") == "team/signed/ab12/"


def test_a_token_is_the_same_on_every_machine() -> None:
    """It must never change between versions of shipsafe: a run that is resumed after an upgrade would sign twice."""
    assert TICKET.token(1) == "31a76126f758cb4a11feb42657dc3cd4a5fca4d1412c31b1c65fd2eb7f1b6572"
    assert TICKET.id == "f279ff71fe1a3a5c622245ec05615a82a832578a5e08ab64fd84ff012a694a52"


def test_whatever_makes_it_another_job_makes_another_token() -> None:
    other = ProfileVersion.parse(PROFILE.arn.replace("AbCdEf1234", "AbCdEf1235"))
    tickets = [
        TICKET,
        replace(TICKET, account="444455556666"),
        replace(TICKET, region="eu-west-1"),
        replace(TICKET, source=replace(SOURCE, bucket="artifacts2")),
        replace(TICKET, source=replace(SOURCE, key="unsigned/ac.zip")),
        replace(TICKET, source=replace(SOURCE, version="v2")),
        replace(TICKET, profile=other),
    ]
    tokens = {ticket.token(attempt) for ticket in tickets for attempt in (1, 2, 12)}
    assert len(tokens) == len(tickets) * 3
    assert all(1 <= len(token) <= 64 for token in tokens)


@given(st.text(min_size=1).filter(lambda text: text != "null"), st.text(min_size=1).filter(lambda text: text != "null"))
def test_no_two_places_are_joined_to_one_text(key: str, version: str) -> None:
    here = replace(TICKET, source=replace(SOURCE, key=key, version=version))
    there = replace(TICKET, source=replace(SOURCE, key=key + version, version=version))
    assert here.token(1) != there.token(1)
    assert here.id != here.token(1)
