"""The local AWS endpoint, put together: the listener, the front, our cores, moto, their state, and the control over them.

with start() as endpoint:
    os.environ["AWS_ENDPOINT_URL"] = endpoint.url
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import Any, Self

from shipsafe.errors import ConfigError
from shipsafe.local.alarms import Alarms
from shipsafe.local.asked import Answered, Asked, Run
from shipsafe.local.blobs import Blobs, MemoryBlobs
from shipsafe.local.call import Clock, Core
from shipsafe.local.codedeploy.core import CodeDeploy
from shipsafe.local.control import Control
from shipsafe.local.faults import Faults
from shipsafe.local.front import CONTROL, Front
from shipsafe.local.functions.core import Lambda
from shipsafe.local.metrics import Metrics
from shipsafe.local.moto_calls import MotoCalls
from shipsafe.local.moto_side import Moto
from shipsafe.local.objects import MotoObjects
from shipsafe.local.pki import LocalRoot, open_root
from shipsafe.local.s3_checks import S3Checks
from shipsafe.local.server import LOOPBACK, Listener
from shipsafe.local.signer import DELAY, Signer
from shipsafe.local.stacks.core import CloudFormation
from shipsafe.local.state import State
from shipsafe.local.throttle import Throttle
from shipsafe.local.tokens import Issuers
from shipsafe.local.trail import Trail
from shipsafe.local.web_identity import WebIdentity
from shipsafe.signing.roots import pinned

_running = Lock()  # moto's state is the process's: a second endpoint would share it


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A running endpoint, and everything that steers it.

    `url` goes into `AWS_ENDPOINT_URL`, `fingerprint` into `SHIPSAFE_LOCAL_ROOT`.
    """

    front: Front
    listener: Listener
    root: LocalRoot
    clock: Clock
    faults: Faults
    trail: Trail
    objects: MotoObjects
    signer: Signer
    functions: Lambda
    codedeploy: CodeDeploy
    stacks: CloudFormation
    issuers: Issuers
    state: State | None
    empty: dict[str, Any]
    ended: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        """Such as `http://127.0.0.1:4566`."""
        return f"http://{LOOPBACK}:{self.listener.port}"

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the local root's certificate."""
        return self.root.fingerprint

    def advance(self, by: timedelta) -> None:
        """Move the endpoint's time forward. S3 and the other parts of moto have the real time."""
        self.clock.moved += by

    def keep(self) -> None:
        """Write down the state, where there is a folder for it."""
        if self.state is not None:
            self.state.after_core()

    def reset(self) -> None:
        """Forget everything but the root: as after a start with an empty folder."""
        self.faults.clear()
        self.trail.clear()
        self.issuers.clear()
        self.clock.moved = timedelta()
        if self.state is not None:
            self.state.clear()
        for name, core in self.front.cores.items():
            core.restore(self.empty[name])
        self.front.moto.reset()
        self.keep()

    def stop(self) -> None:
        """End it; what was asked is answered first, and the state is written. A second time there is nothing to do."""
        if self.ended.is_set():
            return
        self.ended.set()
        self.faults.stop()
        self.listener.stop()
        try:
            if self.state is not None:
                self.state.close()
        finally:
            _running.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def start(
    *, port: int = 0, state: Path | None = None, throttle: bool = False, delay: timedelta = DELAY, root: LocalRoot | None = None
) -> Endpoint:
    """Start an endpoint on loopback. There can be one in a process at a time.

    Args:
        port: 0 takes a free one.
        state: a folder that holds what the endpoint holds; it is read at the start.
        throttle: whether Lambda and Signer refuse what comes faster than AWS lets it.
        delay: how long a signing job takes.
        root: under which is signed; the user's own if not given.

    Raises:
        ConfigError: the port cannot be used, another endpoint uses the folder, or one runs in this process.
        IncompleteError: the state is damaged, or the disk refuses.
    """
    if not _running.acquire(blocking=False):
        raise ConfigError("An endpoint runs in this process already.", remedy="Stop it first.")
    kept: State | None = None
    try:
        root = root or open_root()
        kept = State(state) if state is not None else None
        return _start(port, kept, throttle=throttle, delay=delay, root=root)
    except BaseException:
        if kept is not None:
            kept.release()
        _running.release()
        raise


def _start(port: int, state: State | None, *, throttle: bool, delay: timedelta, root: LocalRoot) -> Endpoint:
    clock, faults, trail, issuers = Clock(), Faults(), Trail(), Issuers()
    front = Front(Moto(), clock=clock, faults=faults, trail=trail)
    objects, ask_moto = MotoObjects(front.from_moto), MotoCalls(front.from_moto)
    blobs: Blobs = MemoryBlobs() if state is None else state.blobs
    signer = Signer(clock, objects, root, delay=delay)
    functions = Lambda(
        clock=clock,
        objects=objects,
        blobs=blobs,
        revoked=signer.revoked,
        roots=frozenset({root.fingerprint, *pinned()}),  # what AWS Signer signed is as good here
        location=lambda digest: f"http://{LOOPBACK}:{listener.port}{CONTROL}packages/{digest}",
        metric=Metrics(ask_moto, clock),
    )
    alarms = Alarms(clock)

    def alarming(account: str, region: str, names: Sequence[str]) -> list[str]:
        functions.settle()
        return alarms.in_alarm(account, region, names)

    codedeploy = CodeDeploy(clock, ask_lambda=functions.handle, alarming=alarming)
    stacks = CloudFormation(
        clock, ask=lambda call: cores[call.service].handle(call), tag_function=functions.tag_as_aws, ask_moto=ask_moto, objects=objects
    )

    def changing() -> None:
        """Let go on what changes functions."""
        codedeploy.settle()
        stacks.settle()

    def before_cloudwatch(account: str, region: str) -> None:
        changing()
        functions.settle()
        alarms.evaluate(account, region)

    settle: dict[str, Callable[[str, str], None]] = {
        "s3": lambda _account, _region: signer.settle(),
        "lambda": lambda _account, _region: changing(),
        "codedeploy": lambda _account, _region: stacks.settle(),
        "iam": lambda _account, _region: stacks.settle(),
        "monitoring": before_cloudwatch,
    }
    cores: dict[str, Core] = {"signer": signer, "lambda": functions, "codedeploy": codedeploy, "cloudformation": stacks}
    empty = {name: core.snapshot() for name, core in cores.items()}
    if state is not None:
        state.begin(cores, clock, send=front.moto.answer, seed=front.moto.seed)
    checks: dict[str, Callable[[Asked, Run], Answered]] = {
        "s3": S3Checks(objects.versioning, objects.owner),
        "sts": WebIdentity(issuers, clock),
    }
    front.open(cores, checks=checks, settle=settle, package=blobs.get, state=state)
    front.throttle = Throttle() if throttle else None
    listener = Listener(front, port)
    endpoint = Endpoint(
        front=front,
        listener=listener,
        root=root,
        clock=clock,
        faults=faults,
        trail=trail,
        objects=objects,
        signer=signer,
        functions=functions,
        codedeploy=codedeploy,
        stacks=stacks,
        issuers=issuers,
        state=state,
        empty=empty,
    )
    front.control = Control(endpoint).handle
    return endpoint
