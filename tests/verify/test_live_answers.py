"""Answers of AWS that are not of AWS's shape: a chain that cannot be looked at, never one that holds, and no traceback."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.reports.chains import write
from tests.verify.live_world import World, told

PUBLISHERS = ("CodeSigningConfig", "AllowedPublishers", "SigningProfileVersionArns")
ODD: tuple[Any, ...] = (None, 7, "", "x\x1b[2J\n", [], [None], [[]], {}, {"a": {}})
# What decides, by operation: whatever stands there instead, the chain does not hold.
COUNTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "GetFunction": (
        *((("Configuration", name)) for name in ("CodeSha256", "FunctionName", "Handler", "Runtime", "SigningJobArn", "Version")),
        ("Configuration",),
    ),
    "DescribeSigningJob": (("status",), ("signedObject", "s3", "key"), ("profileName",), ("source", "s3", "version"), ("platformId",)),
    "GetSigningProfile": (("profileVersionArn",), ("status",), ("platformId",)),
    "GetFunctionCodeSigningConfig": (("CodeSigningConfigArn",),),
    "GetCodeSigningConfig": (
        ("CodeSigningConfig", "CodeSigningConfigArn"), ("CodeSigningConfig", "CodeSigningPolicies"), PUBLISHERS, PUBLISHERS[:1],
    ),
    "ListFunctionsByCodeSigningConfig": (("FunctionArns",),),
}  # fmt: skip


class Proxy:
    """Stands between AWS and whoever asks; `change` gets each answer with the name of its operation."""

    def __init__(self) -> None:
        self.change: Callable[[str, Any], Any] = lambda _operation, answer: answer

    def connect(self, place: Place) -> Aws:
        aws = open_aws(place)
        for service in ("lambda", "signer"):
            aws.client(service).meta.events.register("before-parse.*.*", self._before_parse)
        return aws

    def _before_parse(self, operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
        before = json.loads(response_dict["body"])
        response_dict["body"] = json.dumps(self.change(operation_model.name, before)).encode()


def _replaced(answer: Any, path: tuple[str, ...], value: object) -> Any:
    """The answer with something else at that place."""
    if not path:
        return value
    return {**answer, path[0]: _replaced(answer.get(path[0], {}), path[1:], value)}


def _odd() -> Iterator[tuple[str, tuple[str, ...], object]]:
    return ((operation, path, value) for operation, paths in COUNTS.items() for path in paths for value in ODD)


def test_an_answer_of_another_shape_is_never_one_that_holds(orders: World, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy()
    aws = proxy.connect(Place())
    verify = partial(orders.verify, "orders:live", connect=lambda _place: aws, clock=lambda: 0.0, sleep=lambda _seconds: None)
    assert verify().exit_code == 0
    for operation, path, value in _odd():

        def change(name: str, answer: Any, asked: str = operation, path: tuple[str, ...] = path, value: object = value) -> Any:
            return _replaced(answer, path, value) if name == asked else answer

        monkeypatch.setattr(proxy, "change", change)
        found = verify()
        assert found.exit_code != 0, (operation, path, value, told(found))
        assert "\x1b" not in write(found, "text")


@pytest.mark.parametrize("operation", ["ListAliases", "DescribeSigningJob", "GetSigningProfile", "ListFunctionsByCodeSigningConfig"])
def test_an_answer_that_says_nothing_is_none(orders: World, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    """So botocore reads a page of a proxy, too."""
    proxy = Proxy()
    monkeypatch.setattr(proxy, "change", lambda name, answer: {} if name == operation else answer)
    found = orders.verify("orders", connect=proxy.connect)
    assert found.exit_code == 4, told(found)
    assert "the answer has not the shape of one of AWS's" in told(found)


def test_more_publishers_than_there_can_be_are_no_answer(orders: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be written out one by one, with all of them beside each."""
    proxy = Proxy()

    def many(name: str, answer: Any) -> Any:
        return _replaced(answer, PUBLISHERS, ["arn"] * 101) if name == "GetCodeSigningConfig" else answer

    monkeypatch.setattr(proxy, "change", many)
    found = orders.verify("orders:live", connect=proxy.connect)
    assert found.exit_code == 4, told(found)


@pytest.mark.parametrize("marker", [7, ["x"], {"a": 1}])
def test_a_marker_that_is_none_ends_the_pages(orders: World, monkeypatch: pytest.MonkeyPatch, marker: object) -> None:
    proxy = Proxy()
    monkeypatch.setattr(proxy, "change", lambda name, answer: {**answer, "NextMarker": marker} if name == "ListAliases" else answer)
    assert orders.verify("orders", connect=proxy.connect).exit_code == 4
