"""A small project that `ship` takes through its whole line, who agrees to it, and who watches."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shipsafe.adapters.aws.session import open_aws
from shipsafe.flows.bootstrap import carry_out, survey
from shipsafe.flows.deploy import Deploying, DeployPlan
from shipsafe.flows.request import Request
from shipsafe.flows.ship_request import ShipRequest
from shipsafe.flows.sign import Asking, Planned
from shipsafe.flows.targets import once_a_place, policy_of, targets_of
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.ship import Leg, LegReport
from shipsafe.reports.live import Progress, silent_progress
from shipsafe.reports.ship.view import Moving
from tests.local_endpoint import ACCOUNT, REGION

TODAY = date(2026, 11, 21)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders"
_TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Pay:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: src/pay/, FunctionName: pay, AutoPublishAlias: live}
  Stock:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: src/stock/}
"""
_POLICY = f"""\
[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"

[gates.sbom]
supplier = "Orders"

[deploy]
alias = "live"

[[sign.target]]
name = "dev"
region = "{REGION}"
profile = "orders_dev"
bucket = "orders-${{AWS::AccountId}}"
"""


def project(folder: Path) -> Path:
    """Two functions without dependencies, and a policy that says where they go."""
    root = folder / "orders"
    (root / "advisories").mkdir(parents=True)
    (root / "template.yaml").write_text(_TEMPLATE)
    (root / "shipsafe.toml").write_text(_POLICY)
    for name in ("pay", "stock"):
        (root / "src" / name).mkdir(parents=True)
        (root / "src" / name / "app.py").write_text(f'def handler(event, context):\n    return "{name}"\n')
    return root


def request(root: Path, endpoint: Endpoint | None = None, **words: Any) -> ShipRequest:
    """What somebody asks who makes functions that are not there."""
    build = Request(path=root, today=TODAY, out=root / "dist")
    made = ShipRequest(
        build=build, connect=once_a_place(open_aws), create=True, role=ROLE, local_root=endpoint.fingerprint if endpoint else None
    )
    return replace(made, **words)


def made(root: Path) -> None:
    """Bucket, profile and configuration of the project's target."""
    targets = targets_of(policy_of(root, None, TODAY), ())
    carry_out(survey(targets, open_aws), say=lambda _line: None, sleep=lambda _seconds: None)


@dataclass
class Agreeing:
    """Agrees, and remembers to what; to `never` it does not."""

    never: Leg | None = None
    asked: list[Leg] = field(default_factory=list)

    def sign(self, case: Asking, plan: Planned) -> bool:
        assert case.release
        assert plan.changes
        return self._agreed(Leg.SIGN)

    def deploy(self, case: Deploying, plan: DeployPlan) -> bool:
        assert case.targets
        assert plan.changes
        return self._agreed(Leg.DEPLOY)

    def _agreed(self, leg: Leg) -> bool:
        self.asked.append(leg)
        return leg is not self.never


@dataclass
class Watching:
    """A view that remembers what it is told."""

    begun: list[Leg] = field(default_factory=list)
    ended: list[LegReport] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    moves: list[Moving] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def begin(self, leg: Leg) -> None:
        self.begun.append(leg)

    def end(self, report: LegReport) -> None:
        self.ended.append(report)

    def say(self, text: str) -> None:
        self.said.append(text)

    def move(self, moving: Moving) -> None:
        self.moves.append(moving)

    def progress(self) -> Progress:
        return silent_progress()

    @contextmanager
    def apart(self) -> Generator[None]:
        yield
