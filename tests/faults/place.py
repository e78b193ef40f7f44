"""A place to break deployments at: release 1 of a function runs behind its alias, release 2 is signed and waits to go live.

place.begin()                     # all as it was
ran = place.deploy()              # `shipsafe deploy`, in this process, on a clock that passes when it sleeps
place.function()                  # what there is of it, as Lambda tells
"""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from botocore.config import Config
from moto.cloudwatch.models import cloudwatch_backends

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ExitCode, ShipsafeError
from shipsafe.flows.deploy import Deployed, DeployPlan, deployed, deploying, planned
from shipsafe.flows.deploy_request import DeployRequest
from shipsafe.local.asked import Answered, Asked
from shipsafe.local.call import Call
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.deployment import Deployment
from tests.faults.project import ALIAS, FUNCTION, PLAIN, Releases, artifact
from tests.local_endpoint import ACCOUNT, REGION, client

SERVICES = ("s3", "signer", "lambda", "cloudwatch")
PATIENCE = 600  # seconds: no fault here is a call that is never answered, so one that is answered late is the machine's doing
_US = "shipsafe/faults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run came to: its exit code, what it says of the function, what it said, and what it raised."""

    code: ExitCode
    deployment: Deployment | None = None
    done: Deployed | None = None
    plan: DeployPlan | None = None
    error: ShipsafeError | None = None
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        ending = f"{self.deployment.ending}: {self.deployment.reason} {self.deployment.error!r}" if self.deployment else ""
        return f"exit {int(self.code)} {ending} {self.error or ''}\n" + "\n".join(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What there is of the function: code and layers by version, the alias, and the tags."""

    versions: Mapping[str, tuple[str, tuple[str, ...]]]
    alias: tuple[str, Mapping[str, float]] | None
    tags: Mapping[str, str]
    layers: int

    @property
    def reached(self) -> set[str]:
        """The versions that callers of the alias reach."""
        return {self.alias[0], *self.alias[1]} if self.alias else set()


@dataclass
class Site:
    """The endpoint, the releases, and the state to begin from. `tries`: how often botocore makes a call."""

    endpoint: Endpoint
    releases: Releases
    folder: Path
    tries: int = 1
    snapshots: dict[str, Any] = field(default_factory=dict)
    walked: set[tuple[str, str]] = field(default_factory=set)  # from which state of a deployment to which
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    worked: float = field(default_factory=time.process_time)  # when it began, by what the processor has done for us
    passed: timedelta = timedelta()
    signatures: int = 0
    opened: dict[int, Aws] = field(default_factory=dict)

    @property
    def release(self) -> Path:
        """Where the second release lies: a copy, as records are added to it."""
        return self.folder / "dist"

    def keep(self) -> None:
        """Let the state of now be the one to begin from."""
        self.snapshots = {name: core.snapshot() for name, core in self.endpoint.front.cores.items()}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Let the state of now be the one to begin from, for a while."""
        before, release = self.snapshots, self.releases
        self.keep()
        try:
            left = self.folder / "left"
            shutil.rmtree(left, ignore_errors=True)
            shutil.copytree(self.release, left)
            self.releases = replace(release, second=left)
            yield
        finally:
            self.snapshots, self.releases = before, release

    @contextmanager
    def meanwhile(self, number: int, happens: Callable[[], None]) -> Iterator[None]:
        """Let something happen before the call of that number is answered, counted from 0."""
        front = self.endpoint.front
        answer, calls, lock = front._answer, count(), Lock()

        def answered(asked: Asked) -> Answered:
            with lock:
                due = asked.environ.get("HTTP_USER_AGENT", "").find(_US) >= 0 and next(calls) == number
            if due:
                happens()
            return answer(asked)

        front._answer = answered  # type: ignore[method-assign]  # what stands at the door
        try:
            yield
        finally:
            front._answer = answer  # type: ignore[method-assign]

    def elsewhere(self) -> "Site":
        """Another machine, with a copy of the release."""
        folder = self.folder / "elsewhere"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.release, folder / "dist")
        return replace(self, folder=folder)

    def begin(self) -> None:
        """All as it was."""
        self.endpoint.faults.clear()
        for name, snapshot in self.snapshots.items():
            self.endpoint.front.cores[name].restore(snapshot)
        self.endpoint.trail.clear()
        cloudwatch_backends[ACCOUNT][REGION].metric_data.clear()
        self.endpoint.functions.set_answer(ACCOUNT, REGION, FUNCTION, payload=b"{}")
        self.began, self.worked, self.passed = datetime.now(UTC), time.process_time(), timedelta()
        self._tell_time()
        shutil.rmtree(self.release, ignore_errors=True)
        shutil.copytree(self.releases.second, self.release)

    def now(self) -> datetime:
        """Time in which a machine that stands still is not waited for: how often a run looks in a minute is the same on every machine."""
        return self.began + self.passed + timedelta(seconds=time.process_time() - self.worked)

    def sleep(self, seconds: float) -> None:
        self.passed += timedelta(seconds=seconds)
        self._tell_time()

    def _tell_time(self) -> None:
        """The endpoint's clock shows what ours does."""
        self.endpoint.clock.moved = self.now() - datetime.now(UTC)

    def connect(self, _place: Place) -> Aws:
        """One session for all runs, with clients that call `tries` times."""
        if self.tries not in self.opened:
            aws = open_aws(Place(region=REGION))
            for name in SERVICES:
                for key, tries in ((name, self.tries), (f"{name} once", 1)):
                    config = Config(retries={"mode": "standard", "total_max_attempts": tries}, read_timeout=PATIENCE, user_agent_extra=_US)
                    aws._clients[key] = aws.session.client(name, region_name=REGION, config=config)
            self.opened[self.tries] = aws
        return self.opened[self.tries]

    def deploy(
        self,
        release: Path | None = None,
        *,
        before: Callable[[], None] = lambda: None,
        told: Callable[[str], None] = lambda _line: None,
        **words: Any,
    ) -> Ran:
        """Plan it and carry it out, as the command does. `before` is called between the two, `told` with each line."""
        words = {"functions": ("Pay",), **words}
        request = DeployRequest(out=release or self.release, policy=self.releases.policy, local_root=self.endpoint.fingerprint, **words)
        lines: list[str] = []

        def say(line: str) -> None:
            lines.append(line)
            told(line)

        try:
            with deploying(
                request, say, connect=self.connect, now=self.now, clock=lambda: self.now().timestamp(), sleep=self.sleep
            ) as case:  # fmt: skip
                plan = planned(case)
                if plan.exit_code is not ExitCode.PASS:
                    found = plan.verification.first_broken
                    return Ran(code=plan.exit_code, plan=plan, lines=(*lines, str(found)))
                before()
                done = deployed(case, plan, say)
        except ShipsafeError as error:
            return Ran(code=error.exit_code, error=error, lines=tuple(lines))
        [deployment] = done.deployments
        return Ran(code=done.exit_code, deployment=deployment, done=done, plan=plan, lines=(*lines, str(done.unrecorded or "")))

    def calls(self) -> list[tuple[str, str]]:
        """What was asked since the beginning: service and operation."""
        return [(one["eventSource"].partition(".")[0], one["eventName"]) for one in self.endpoint.trail.events()]

    def function(self) -> Function:
        """What there is of it, as Lambda tells."""
        state = self.endpoint.functions.snapshot()["places"][f"{ACCOUNT}/{REGION}"]
        it = state["functions"][FUNCTION]
        alias = it["aliases"].get(ALIAS)
        return Function(
            versions={
                one["number"]: (one["code"]["code_sha256"], tuple(layer["arn"] for layer in one["layers"]))
                for one in (it["latest"], *it["versions"].values())
            },
            alias=(alias["version"], dict(alias["weights"])) if alias else None,
            tags=dict(it["tags"]),
            layers=sum(len(layer["versions"]) for layer in state["layers"].values()),
        )

    def code(self, name: str) -> str:
        """CodeSha256 of `$LATEST` of a function."""
        functions = self.endpoint.functions.snapshot()["places"][f"{ACCOUNT}/{REGION}"]["functions"]
        return str(functions[name]["latest"]["code"]["code_sha256"])

    def state(self) -> str:
        """All that a later run could see of it, without what is new each time: names of deployments and times."""
        it = self.function()
        tags = {name: value for name, value in it.tags.items() if name != "shipsafe:deploy"}
        records = sorted((file.name, file.stat().st_size) for file in self.release.iterdir())
        return repr((it.versions, it.alias, tags, it.layers, records))

    def jobs(self) -> int:
        """How many signatures were made."""
        return len(self.endpoint.signer.snapshot()["jobs"])

    def codes(self) -> dict[str, str]:
        """CodeSha256 of what was signed: of the first release and of the second."""
        found = {"first": self.releases.first, "second": self.releases.second}
        return {name: artifact(release)["signatures"][0]["code_sha256"] for name, release in found.items()}


class Watched:
    """Lambda, with an eye on how its tags say that deployments go on: from which state to which."""

    def __init__(self, core: Any, walked: set[tuple[str, str]]) -> None:
        self._core, self._walked = core, walked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def handle(self, call: Call) -> dict[str, Any]:
        arn = call.parameters.get("Resource")
        if call.operation not in ("TagResource", "UntagResource"):
            told: dict[str, Any] = self._core.handle(call)
            return told
        tags = replace(call, operation="ListTags", parameters={"Resource": arn})
        before = self._core.handle(tags)["Tags"]
        told = self._core.handle(call)
        after = self._core.handle(tags)["Tags"]
        was, now = (str(one.get("shipsafe:step", "[*]")).split(" ")[0] for one in (before, after))
        same = before.get("shipsafe:deploy", "").split(" ")[0] == after.get("shipsafe:deploy", "").split(" ")[0]
        if was != now and (same or now == "[*]"):
            self._walked.add((was, now))
        elif not same:  # another deployment begins, whatever there was
            self._walked.add(("[*]", now))
        return told


def make_site(endpoint: Endpoint, releases: Releases, folder: Path) -> Site:
    """Release 1 is live: its deployment is what later ones begin from."""
    endpoint.functions.configure({"creating": 0, "updating": 0})
    site = Site(endpoint, releases, folder)
    endpoint.front.cores = {**endpoint.front.cores, "lambda": Watched(endpoint.front.cores["lambda"], site.walked)}
    config = client("lambda").list_code_signing_configs()["CodeSigningConfigs"][0]["CodeSigningConfigArn"]
    for name, function in (("Pay", FUNCTION), ("Plain", PLAIN)):
        signed = artifact(releases.first, name)["signatures"][0]["object"]
        client("lambda").create_function(
            FunctionName=function, Runtime="python3.13", Handler="app.handler", Role=f"arn:aws:iam::{ACCOUNT}:role/pay",
            Code={"S3Bucket": signed["bucket"], "S3Key": signed["key"], "S3ObjectVersion": signed["version"]}, CodeSigningConfigArn=config,
        )  # fmt: skip
        endpoint.functions.set_answer(ACCOUNT, REGION, function, payload=b"{}")
        first = site.deploy(releases.first, functions=(name,))
        assert first.code == 0, first
    site.signatures = site.jobs()
    site.keep()
    return site
