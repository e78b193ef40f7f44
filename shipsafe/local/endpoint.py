"""The local AWS endpoint, put together: the listener, the front, our cores, moto, and the control over them.

with start() as endpoint:
    os.environ["AWS_ENDPOINT_URL"] = endpoint.url
"""

from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self

from shipsafe.local.blobs import MemoryBlobs
from shipsafe.local.call import Clock
from shipsafe.local.faults import Faults
from shipsafe.local.front import CONTROL, Front
from shipsafe.local.functions.core import Lambda
from shipsafe.local.moto_side import Moto
from shipsafe.local.objects import MotoObjects
from shipsafe.local.pki import LocalRoot, open_root
from shipsafe.local.s3_checks import S3Checks
from shipsafe.local.server import LOOPBACK, Listener
from shipsafe.local.signer import DELAY, Signer
from shipsafe.local.trail import Trail


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

    @property
    def url(self) -> str:
        """Such as `http://127.0.0.1:4566`."""
        return f"http://{LOOPBACK}:{self.listener.port}"

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the local root's certificate."""
        return self.root.fingerprint

    def stop(self) -> None:
        """End it; what was asked is answered first."""
        self.faults.stop()
        self.listener.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def start(*, port: int = 0, delay: timedelta = DELAY, root: LocalRoot | None = None) -> Endpoint:
    """Start an endpoint on loopback.

    Args:
        port: 0 takes a free one.
        delay: how long a signing job takes.
        root: under which is signed; the user's own if not given.

    Raises:
        ConfigError: the port cannot be used.
    """
    clock, faults, trail, root = Clock(), Faults(), Trail(), root or open_root()
    front = Front(Moto(), clock=clock, faults=faults, trail=trail)
    objects, blobs = MotoObjects(front.from_moto), MemoryBlobs()
    listener = Listener(front, port)
    signer = Signer(clock, objects, root, delay=delay)
    functions = Lambda(
        clock=clock,
        objects=objects,
        blobs=blobs,
        revoked=signer.revoked,
        roots=frozenset({root.fingerprint}),
        location=f"http://{LOOPBACK}:{listener.port}{CONTROL}packages/{{}}".format,
    )
    front.cores.update({"signer": signer, "lambda": functions})
    front.settle = signer.settle
    front.checks = S3Checks(objects.versioning)
    return Endpoint(
        front=front,
        listener=listener,
        root=root,
        clock=clock,
        faults=faults,
        trail=trail,
        objects=objects,
        signer=signer,
        functions=functions,
    )
