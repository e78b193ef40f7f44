"""Who calls a function without an alias, as far as Lambda knows: event sources, its resource policy, its URL.

Nobody knows who invokes it with rights of their own. Source: AWS Lambda API Reference (2015-03-31), ListEventSourceMappings, GetPolicy,
GetFunctionUrlConfig.
"""

import json
from collections.abc import Iterator
from typing import Any

from shipsafe.adapters.aws.functions import LATEST
from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.pages import pages
from shipsafe.adapters.aws.refusals import AwsRefusal, aws_errors
from shipsafe.adapters.aws.session import Aws

_MOST = 20  # that are named


def callers_of_latest(aws: Aws, name: str, pace: Pace) -> tuple[str, ...]:
    """Who calls it, each in a few words; none where Lambda knows nobody.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    found = list(dict.fromkeys((*_sources(aws, name, pace), *_granted(aws, name, pace), *_url(aws, name, pace))))
    more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return (*found[:_MOST], *more)


def _sources(aws: Aws, name: str, pace: Pace) -> Iterator[str]:
    doing = f"list the event sources of function {name}"
    pace.turn()
    with aws_errors(doing):
        for page in pages(doing, aws.client("lambda").list_event_source_mappings, "Marker", "NextMarker", FunctionName=name):
            for one in page["EventSourceMappings"]:
                if str(one.get("FunctionArn", "")).endswith((f":function:{name}", f":function:{name}:{LATEST}")):
                    yield f"event source {one.get('EventSourceArn') or one.get('UUID')}"


def _granted(aws: Aws, name: str, pace: Pace) -> Iterator[str]:
    pace.turn()
    try:
        with aws_errors(f"read the policy of function {name}"):
            policy = json.loads(aws.client("lambda").get_policy(FunctionName=name)["Policy"])
            yield from [_grantee(one) for one in policy["Statement"]]
    except AwsRefusal as refusal:
        if not refusal.absent:
            raise


def _grantee(statement: Any) -> str:
    principal = statement["Principal"]
    who = principal if isinstance(principal, str) else ", ".join(map(str, principal.values()))
    source = next((str(value) for keys in statement.get("Condition", {}).values() for value in keys.values()), "")
    return f"{who} ({source})" if source else who


def _url(aws: Aws, name: str, pace: Pace) -> Iterator[str]:
    pace.turn()
    try:
        with aws_errors(f"look at the URL of function {name}"):
            yield f"its URL ({aws.client('lambda').get_function_url_config(FunctionName=name)['AuthType']})"
    except AwsRefusal as refusal:
        if not refusal.absent:
            raise
