"""Whose root it is."""

import json
from datetime import date
from importlib.resources import files

import pytest

from shipsafe.errors import ConfigError, IntegrityError
from shipsafe.signing import roots
from shipsafe.signing.roots import local_root, pinned, trust

AWS = "410220a72bba4576767ba5941b694a9bddc40817f76957f6919fdac89a7849c7"
MINE, OTHER = "a" * 64, "b" * 64
LOOPBACK = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}


def test_a_pinned_root_is_that_of_aws() -> None:
    assert trust(AWS, policy_roots=(), local_root=None) == "aws"


def test_a_root_of_the_policy_is_the_policys() -> None:
    assert trust(MINE, policy_roots=(OTHER, MINE), local_root=None) == "policy"


def test_a_local_root_is_local_even_where_the_policy_has_it() -> None:
    """What the laptop signed is never taken for anything else."""
    assert trust(MINE, policy_roots=(MINE,), local_root=MINE) == "local"


def test_a_root_that_nobody_knows_is_refused_with_its_fingerprint() -> None:
    with pytest.raises(IntegrityError) as caught:
        trust(MINE, policy_roots=(OTHER,), local_root=OTHER)
    assert str(caught.value) == (
        f"The signature ends in a root that nobody vouches for: {MINE}. "
        'If you know whose it is, add it to the policy: `[sign] roots = ["..."]`; '
        "that of `shipsafe local` counts only where SHIPSAFE_LOCAL_ROOT says it."
    )


def test_a_root_that_is_not_confirmed_is_marked_until_the_policy_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roots, "pinned", lambda: {MINE: "unconfirmed"})
    with pytest.raises(IntegrityError, match="listed as AWS Signer's, and not confirmed"):
        trust(MINE, policy_roots=(), local_root=None)
    assert trust(MINE, policy_roots=(MINE,), local_root=None) == "policy"


def test_the_data_says_of_every_root_where_it_was_seen() -> None:
    document = json.loads((files("shipsafe.signing") / "data" / "roots.json").read_text(encoding="utf-8"))
    assert [root["sha256"] for root in document["roots"]] == list(pinned()) == [AWS]
    for root in document["roots"]:
        assert set(root) == {"sha256", "name", "valid", "partition", "status", "source"}
        assert root["status"] in ("confirmed", "unconfirmed")
        assert [date.fromisoformat(day) for day in root["valid"]]
        assert root["source"].endswith(".")


@pytest.mark.parametrize(
    ("environment", "local", "honoured"),
    [
        ({"SHIPSAFE_LOCAL_ROOT": MINE}, False, None),
        ({"SHIPSAFE_LOCAL_ROOT": MINE}, True, MINE),
        ({"SHIPSAFE_LOCAL_ROOT": MINE} | LOOPBACK, False, MINE),
        ({"SHIPSAFE_LOCAL_ROOT": MINE, "AWS_ENDPOINT_URL": "https://signer.example.com"}, False, None),
        ({"SHIPSAFE_LOCAL_ROOT": MINE, "AWS_ENDPOINT_URL": "http://127.0.0.1.example.com"}, False, None),
        (LOOPBACK, False, None),
        ({}, False, None),
    ],
)
def test_the_local_root_is_honoured_on_loopback_or_when_asked_for(environment: dict[str, str], local: bool, honoured: str | None) -> None:  # noqa: FBT001 - a parameter of the test
    assert local_root(environment, local=local) == honoured


def test_asking_for_a_local_root_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="SHIPSAFE_LOCAL_ROOT, which is not set"):
        local_root({}, local=True)


@pytest.mark.parametrize("text", ["x", MINE.upper(), f"{MINE},{OTHER}", MINE[:-1], MINE + "\n"])
def test_a_local_root_is_one_fingerprint(text: str) -> None:
    with pytest.raises(ConfigError, match="not the SHA-256"):
        local_root({"SHIPSAFE_LOCAL_ROOT": text}, local=True)
