"""A function with versions behind an alias on the local endpoint; its time is that of the hands, and passes when they sleep."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.deploy import marks
from shipsafe.deploy.marks import Before, Marks
from shipsafe.deploy.shifting import Hands, Shifting
from shipsafe.local.call import Clock
from shipsafe.local.endpoint import Endpoint, start
from shipsafe.local.faults import Fault
from shipsafe.local.pki import LocalRoot
from shipsafe.model.deployment import Rollout, Strategy
from tests.local.functions.world import zipped
from tests.local_endpoint import ACCOUNT, REGION, set_environment

NAME, ALIAS = "orders", "live"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}"
CANARY = Strategy(rollout=Rollout.CANARY, percent=10, every=timedelta(minutes=5))
RELEASE = "ab" * 32
_BEGAN = datetime(2026, 11, 21, 11, 59, 58, 750_000, tzinfo=UTC)  # CloudWatch counts by minutes, and tags know no parts of a second


class StandingClock(Clock):
    """The endpoint's, for which only that time passes by which it is moved: how long a test takes is nothing that it sees."""

    def now(self) -> datetime:
        return _BEGAN + self.moved


@dataclass
class Stage:
    """Version 1 behind the alias, version 2 published beside it."""

    endpoint: Endpoint
    aws: Aws
    lines: list[str] = field(default_factory=list)
    then: list[tuple[timedelta, Callable[[], object]]] = field(default_factory=list)  # after the beginning
    began: datetime = field(init=False)
    signal: str = ""

    def __post_init__(self) -> None:
        self.began = self.time

    @property
    def time(self) -> datetime:
        return self.endpoint.clock.now()

    @property
    def lambda_(self) -> Any:
        return self.aws.client("lambda")

    def sleep(self, seconds: float) -> None:
        self.endpoint.advance(timedelta(seconds=seconds))
        due = [one for one in self.then if self.began + one[0] <= self.time]
        self.then = [one for one in self.then if one not in due]
        for _, what in due:
            what()

    @property
    def hands(self) -> Hands:
        pace = Pace(1e6, 100, lambda: 0.0, lambda _seconds: None)
        return Hands(now=lambda: self.time, sleep=self.sleep, pace=pace, say=self.lines.append, interrupted=lambda: self.signal)

    def publish(self, text: str) -> str:
        self.lambda_.update_function_code(FunctionName=NAME, ZipFile=zipped({"app.py": text.encode()}))
        return str(self.lambda_.publish_version(FunctionName=NAME)["Version"])

    def shifting(self, strategy: Strategy = CANARY, version: str = "2", **words: Any) -> Shifting:
        """A deployment that has written its marks."""
        before = words.pop("before", None) or Before(alias=ALIAS, version="1")
        deadline = words.pop("deadline", timedelta(minutes=30))
        told = Marks(id="0123abcd", began=self.time.replace(microsecond=0), deadline=self.time.replace(microsecond=0) + deadline,
                     release=RELEASE, before=before)  # fmt: skip
        marks.write(self.aws, ARN, told, self.hands.pace)
        return Shifting(aws=self.aws, function=ARN, marks=told, version=version, strategy=strategy, **words)

    def alias(self, name: str = ALIAS) -> tuple[str, dict[str, float]]:
        told = self.lambda_.get_alias(FunctionName=NAME, Name=name)
        return told["FunctionVersion"], told.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    def move(self, version: str, weights: dict[str, float] | None = None) -> None:
        """As somebody else."""
        self.lambda_.update_alias(
            FunctionName=NAME, Name=ALIAS, FunctionVersion=version, RoutingConfig={"AdditionalVersionWeights": weights or {}}
        )

    def remembered(self) -> Marks | None:
        return marks.read(self.aws, ARN, self.hands.pace)

    def calls(self, number: int, version: str = "2", *, errors: int = 0, throttles: int = 0) -> None:
        """What CloudWatch is told of so many calls that a version of the alias took."""
        dimensions = {"FunctionName": NAME, "Resource": f"{NAME}:{ALIAS}", "ExecutedVersion": version}
        said = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        told = {"Invocations": number, "Errors": errors, "Throttles": throttles}
        data = [{"MetricName": name, "Dimensions": said, "Value": value, "Timestamp": self.time} for name, value in told.items()]
        self.aws.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=data)

    def invoke(self, number: int, version: str = "2", *, error: str = "") -> None:
        """Let callers of the alias reach a version so often, as if all of them were led there."""
        self.endpoint.functions.set_answer(ACCOUNT, REGION, NAME, version=version, payload=b"{}", error=error, log="")
        before = self.alias()
        self.move(version)
        for _ in range(number):
            self.lambda_.invoke(FunctionName=NAME, Qualifier=ALIAS)
        self.move(*before)

    def fault(self, operation: str, *, service: str = "lambda", **words: Any) -> None:
        self.endpoint.faults.add(Fault(service=service, operation=operation, **words))

    def alarm(self, name: str = "checkout-errors", state: str = "OK") -> None:
        cloudwatch = self.aws.client("cloudwatch")
        cloudwatch.put_metric_alarm(AlarmName=name, ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, MetricName="Errors",
                                    Namespace="AWS/Lambda", Period=60, Statistic="Sum", Threshold=1)  # fmt: skip
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="5 datapoints were too high")

    def asked(self, operation: str) -> int:
        """How often an operation took effect."""
        return sum(1 for one in self.endpoint.trail.events(operation=operation) if not one["errorCode"])


def hasty(aws: Aws, services: Sequence[str] = ("lambda", "cloudwatch")) -> Aws:
    """With clients that call once."""
    fresh = replace(aws, _clients={})
    for service in services:
        config = Config(retries={"mode": "standard", "total_max_attempts": 1})
        fresh._clients[service] = fresh._clients[f"{service} once"] = aws.session.client(service, region_name=aws.region, config=config)
    return fresh


@contextmanager
def opened_stage(root: LocalRoot, folder: Path) -> Iterator[tuple[Endpoint, Aws]]:
    """An endpoint for many tests: clients take long to make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shipsafe.local.endpoint.Clock", StandingClock)
        with start(delay=timedelta(), root=root) as endpoint:
            set_environment(patch, endpoint, folder)
            yield endpoint, hasty(open_aws(Place(region=REGION)))


def make_stage(endpoint: Endpoint, aws: Aws) -> Stage:
    """A fresh stage: nothing of another test is left."""
    endpoint.reset()
    endpoint.faults.clear()
    endpoint.functions.configure({"creating": 0, "updating": 0})
    stage = Stage(endpoint, aws)
    stage.lambda_.create_function(FunctionName=NAME, Role=f"arn:aws:iam::{ACCOUNT}:role/orders", Runtime="python3.13",
                                  Handler="app.main", Code={"ZipFile": zipped({"app.py": b"1"})}, Publish=True)  # fmt: skip
    stage.lambda_.create_alias(FunctionName=NAME, Name=ALIAS, FunctionVersion="1")
    assert stage.publish("2") == "2"
    return stage
