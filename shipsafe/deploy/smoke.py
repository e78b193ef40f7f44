"""The smoke test: one invocation of the new version, before any caller sees it, and its answer held against what is expected.

    [[deploy.function]]
    function = "Orders"
    smoke-payload = "smoke/orders.json"
    smoke-expect = "smoke/answer.json"

Both are JSON files beside the policy. An object that is expected may be a part of the answer: members that it does not name may be
anything. Without `smoke-expect` every answer will do that is no error. What a function answers is not shown: it may hold what is secret.
"""

import json
from pathlib import Path
from typing import Any

from shipsafe.adapters.aws.deploying import Answer, invoke_once
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.adapters.json_file import read_json
from shipsafe.errors import RolledBackError
from shipsafe.model.deployment import SmokeTest

_LARGEST = 6 * MEBIBYTE  # of a payload of a synchronous invocation ("Lambda quotas")
_DEEPEST = 100


def payload_of(smoke: SmokeTest) -> bytes:
    """What is sent.

    Raises:
        ConfigError: a file of it is missing, too large, or no JSON; also the one with the answer.
    """
    _json(smoke.payload)
    if smoke.expect:
        _json(smoke.expect)
    return read_bounded(Path(smoke.payload), limit=_LARGEST)


def smoke_test(aws: Aws, name: str, version: str, smoke: SmokeTest) -> None:
    """Invoke a version once, and look at its answer.

    Raises:
        RolledBackError: it failed, or answered something else.
        IncompleteError: Lambda refused or gave no answer.
    """
    answer = invoke_once(aws, name, version, payload_of(smoke))
    if answer.error:
        raise _failed(name, version, f"it ended with an error ({answer.error})")
    if answer.version not in ("", version):
        raise _failed(name, version, f"version {answer.version[:20]!r} answered in its place")
    if smoke.expect and (why := _differs(_json(smoke.expect), _answered(name, version, answer), "the answer")):
        raise _failed(name, version, why)


def _failed(name: str, version: str, why: str) -> RolledBackError:
    remedy = f"Look into its log, or run it yourself: aws lambda invoke --function-name {name} --qualifier {version}"
    return RolledBackError(f"The smoke test of {name}:{version} failed: {why}.", remedy=remedy)


def _answered(name: str, version: str, answer: Answer) -> Any:
    try:
        return json.loads(answer.payload)
    except (ValueError, RecursionError) as error:
        raise _failed(name, version, "its answer is no JSON") from error


def _json(file: str) -> Any:
    return read_json(Path(file), limit=_LARGEST, shown=file)


def _differs(expected: Any, found: Any, where: str, depth: int = 0) -> str:
    """Where an answer is not what is expected, as a clause; "" where it is. Values are not named."""
    if isinstance(expected, dict) and isinstance(found, dict) and depth < _DEEPEST:
        for key, value in expected.items():
            if key not in found:
                return f"{where} has no {key[:60]!r}"
            if why := _differs(value, found[key], f"{where}[{key[:60]!r}]", depth + 1):
                return why
        return ""
    same = type(expected) is type(found) and bool(expected == found)
    return "" if same else f"{where} is not the one that is expected"
