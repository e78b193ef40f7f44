"""What ran before, in a sandbox: each function of a release as an earlier version, signed, whose alias callers use; and the callers.

Lambda's endpoint on this machine runs no code. So the earlier version is a zip that says so, and calls are counted as they would come: so
many a second, shared out by the weights of the alias. Layers of others are not here either; an empty one stands for each, signed by the
profile of the sandbox, as if it had been taken in with `shipsafe layers vendor`.
"""

import hashlib
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.aws.refusals import aws_errors
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.deploy.wanted import Wanted, wanted
from shipsafe.flows.targets import place_of
from shipsafe.local.call import Call
from shipsafe.model.layer_arn import layer_arn
from shipsafe.model.policy import Policy
from shipsafe.model.signing import S3Object, SignTarget
from shipsafe.packing.release import Release
from shipsafe.signing.journal import Journal
from shipsafe.signing.plan import plan
from shipsafe.signing.roots import trust
from shipsafe.signing.run import carry_out
from shipsafe.signing.ticket import Unsigned

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint

Connect = Callable[[Place], Aws]
CALLS = 50.0  # a second, of each function
_ROLE = "arn:{partition}:iam::{account}:role/shipsafe-sandbox"
_RUNTIME = "python3.13"
_LARGEST = 6 * MEBIBYTE  # of an answer
_WORKERS = 6
_TRIES, _PAUSE = 200, 0.02  # until a function is there; seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A function that was made. `alias_is_ours`: neither policy nor template names one, so that the sandbox chose it."""

    artifact: str
    function: str
    alias: str
    alias_is_ours: bool
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Garden:
    endpoint: "Endpoint"
    aws: Aws
    configuration: str
    code: S3Object
    alias: str


def plant(
    endpoint: "Endpoint",
    release: Release,
    policy: Policy,
    target: SignTarget,
    connect: Connect,
    *,
    alias: str,
    scratch: Path,
    say: Callable[[str], None],
) -> tuple[Planted, ...]:
    """Make every function of the release as it ran before, and let calls come to it.

    Raises:
        ShipsafeError: the endpoint refused something, or the release cannot be deployed (`deploy.wanted`).
    """
    aws = connect(place_of(target))
    functions = [one for one in wanted(release, policy.deploy, target.name) if not one.is_layer]
    with aws_errors("look at the code-signing configurations of the sandbox"):
        configuration = aws.client("lambda").list_code_signing_configs()["CodeSigningConfigs"][0]["CodeSigningConfigArn"]
    code = _signed(endpoint, target, connect, scratch)
    for arn in dict.fromkeys(ref.arn for one in functions for ref in one.artifact.told.layers if ref.arn and not ref.local):
        _stand_in(endpoint, aws, _filled(arn, aws), code, say)
    for alarm in dict.fromkeys(name for one in functions for name in one.how.alarms):
        _alarm(aws, alarm)
    garden = _Garden(endpoint=endpoint, aws=aws, configuration=configuration, code=code, alias=alias)
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="shipsafe-sandbox") as pool:
        return tuple(pool.map(partial(_function, garden), functions))


def _signed(endpoint: "Endpoint", target: SignTarget, connect: Connect, scratch: Path) -> S3Object:
    """A zip that says what it stands for, signed by the target's profile."""
    folder = scratch / "before"
    folder.mkdir(exist_ok=True)
    path = folder / "before.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("before.txt", "What ran before, in a sandbox. No code is run here.\n")
    data = path.read_bytes()
    work = Unsigned(name="before", path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    made = plan([work], [target], connect=lambda one: connect(place_of(one)), journal=Journal.open(folder), now=_now)
    done = carry_out(made, trust=partial(trust, policy_roots=(), local_root=endpoint.fingerprint), progress=lambda _: None, now=_now,
                     clock=time.monotonic, sleep=time.sleep, deadline=60)  # fmt: skip
    if done.failed:
        raise done.failed[0].error
    return done.signed[0].object


def _function(garden: _Garden, one: Wanted) -> Planted:
    aws, told, alias = garden.aws, one.artifact.told, one.alias or garden.alias
    client = aws.client("lambda")
    with aws_errors(f"make function {one.name} in the sandbox"):
        client.create_function(
            FunctionName=one.name,
            Runtime=told.runtimes[0] if told.runtimes else _RUNTIME,
            Handler=told.handler or "app.handler",
            Architectures=list(told.architectures[:1]) or ["x86_64"],
            Role=one.how.role or _ROLE.format(partition=aws.partition, account=aws.account),
            Code=_code(garden.code),
            CodeSigningConfigArn=garden.configuration,
            Description="What ran before, in a sandbox.",
        )
        for _ in range(_TRIES):
            now = client.get_function_configuration(FunctionName=one.name)
            if now["State"] == "Active":
                break
            time.sleep(_PAUSE)
        version = str(client.publish_version(FunctionName=one.name)["Version"])
        client.create_alias(FunctionName=one.name, Name=alias, FunctionVersion=version)
    expected = one.how.smoke.expect if one.how.smoke else None
    answer = read_bounded(Path(expected), limit=_LARGEST) if expected else b"{}"
    garden.endpoint.functions.set_answer(aws.account, aws.region, one.name, payload=answer)
    send_calls(garden.endpoint, aws, one.name, alias)
    return Planted(artifact=one.artifact.name, function=one.name, alias=alias, alias_is_ours=not one.alias, version=version)


def _alarm(aws: Aws, name: str) -> None:
    """An alarm of that name which never goes off: nobody knows here what the real one watches."""
    with aws_errors(f"make alarm {name} in the sandbox"):
        aws.client("cloudwatch").put_metric_alarm(
            AlarmName=name, Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=1e12, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip


def send_calls(endpoint: "Endpoint", aws: Aws, function: str, alias: str, *, well: str = "") -> None:
    """Let calls come to an alias. None fails, or where `well` names a version those that any other one answers."""
    endpoint.functions.send_traffic(
        {"account": aws.account, "region": aws.region, "function": function, "qualifier": alias, "per_second": CALLS,
         "errors": {"*": 1.0, well: 0.0} if well else {}}
    )  # fmt: skip


def _stand_in(endpoint: "Endpoint", aws: Aws, arn: str, code: S3Object, say: Callable[[str], None]) -> None:
    """An empty layer of that very ARN, which anybody may use."""
    found = layer_arn(arn, text=arn, location=None)
    if not found.version or not found.account or found.account == aws.account:
        return  # of what has no version, or is nobody's, `deploy` says so itself
    name = arn.split(":")[6]
    endpoint.functions.count_layers(found.account, aws.region, name, before=found.version - 1)
    for operation, parameters in (
        ("PublishLayerVersion", {"LayerName": name, "Content": _code(code)}),
        ("AddLayerVersionPermission", {"LayerName": name, "VersionNumber": found.version, "StatementId": "all", "Principal": "*",
                                       "Action": "lambda:GetLayerVersion"}),
    ):  # fmt: skip
        endpoint.functions.handle(
            Call(service="lambda", operation=operation, parameters=parameters, account=found.account, region=aws.region)
        )
    say(f"an empty layer stands for {arn}, signed by the sandbox's profile: `shipsafe layers vendor` takes in the real one")


def _filled(arn: str, aws: Aws) -> str:
    """An ARN with what AWS's pseudo parameters stand for."""
    for name, value in (("AccountId", aws.account), ("Region", aws.region), ("Partition", aws.partition)):
        arn = arn.replace(f"${{AWS::{name}}}", value)
    return arn


def _code(place: S3Object) -> dict[str, str]:
    return {"S3Bucket": place.bucket, "S3Key": place.key, "S3ObjectVersion": place.version}


def _now() -> datetime:
    return datetime.now(UTC)
