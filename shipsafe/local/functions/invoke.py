"""Invoke: what a control call has set. No code is run, and where nothing was set the answer is 501, never an empty success.

The version is chosen as Lambda does, an alias's by its weights. Every invocation is remembered and counted in CloudWatch, so that a canary
can be watched.
"""

import base64
from typing import Any

from shipsafe.local.call import Call
from shipsafe.local.functions.names import Found, qualified
from shipsafe.local.functions.refusals import not_reproduced, refusal
from shipsafe.local.functions.state import Version
from shipsafe.local.functions.windows import check_usable
from shipsafe.local.functions.world import Operation, World

_REMEMBERED = 10_000  # invocations
_ANY = ""  # the answer of every version that has none of its own
_LARGEST = {"RequestResponse": 6_291_556, "Event": 1_048_576}  # bytes of a payload ("Lambda quotas")


def invoke(world: World, call: Call) -> dict[str, Any]:
    """Invoke."""
    given = call.parameters
    if given.get("DurableExecutionName") or given.get("TenantId"):
        raise not_reproduced("durable executions and tenants")
    found = qualified(world, call, given["FunctionName"], given.get("Qualifier"))
    version = _choose(world, found)
    kind = given.get("InvocationType") or "RequestResponse"
    _check(found, version, len(given.get("Payload") or b""), kind)
    if kind == "DryRun":
        return {"StatusCode": 204}
    answers = found.function["answers"]
    answer = answers.get(version["number"]) or answers.get(_ANY)
    if answer is None:
        what = f"no answer was set for version {version['number']} of {found.function['name']} (POST /_shipsafe/functions/answer)"
        raise not_reproduced(f"the running of code: {what}")
    world.state["invocations"].append(
        {
            "account": call.account,
            "region": call.region,
            "function": found.function["name"],
            "qualifier": found.qualifier,
            "version": version["number"],
            "type": kind,
            "error": answer["error"],
        }
    )
    del world.state["invocations"][:-_REMEMBERED]
    _count(world, call, found, version, failed=bool(answer["error"]))
    if kind == "Event":
        return {"StatusCode": 202, "Payload": b""}
    told: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": version["number"], "Payload": base64.b64decode(answer["payload"])}
    if answer["error"]:
        told["FunctionError"] = answer["error"]
    if given.get("LogType") == "Tail":
        told["LogResult"] = base64.b64encode(answer["log"].encode()).decode()
    return told


def answered(payload: bytes, error: str, log: str) -> dict[str, Any]:
    """An answer, as the state keeps it."""
    return {"payload": base64.b64encode(payload).decode(), "error": error, "log": log}


def _count(world: World, call: Call, found: Found, version: Version, *, failed: bool) -> None:
    """Invocations and Errors for the function, the qualifier, and the version behind an alias ("Types of metrics for Lambda functions")."""
    name = found.function["name"]
    dimensions = {"FunctionName": name}
    several = [dict(dimensions)]
    if found.qualifier:
        several.append(dimensions | {"Resource": f"{name}:{found.qualifier}"})
    if found.alias is not None:
        several.append(several[-1] | {"ExecutedVersion": version["number"]})
    world.metric(call, [(metric, value, one) for one in several for metric, value in (("Invocations", 1.0), ("Errors", float(failed)))])


def _choose(world: World, found: Found) -> Version:
    alias = found.alias
    if alias is None or not alias["weights"]:
        return found.version
    other, weight = next(iter(alias["weights"].items()))
    return found.function["versions"][other] if world.chance() < weight else found.version


def _check(found: Found, version: Version, size: int, kind: str) -> None:
    most = _LARGEST.get(kind, size)
    if size > most:
        raise refusal("RequestTooLargeException", f"Request must be smaller than {most} bytes for the InvokeFunction operation")
    check_usable(version)
    if found.function["reserved"] == 0 and kind != "DryRun":
        raise refusal("TooManyRequestsException", "Rate Exceeded.", Reason="ReservedFunctionConcurrentInvocationLimitExceeded")


OPERATIONS = {
    "Invoke": Operation(
        invoke, "runs no code: answers what a control call has set, else 501; counts Invocations and Errors, no other metric"
    )
}
