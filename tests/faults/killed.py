"""A program that deploys and kills itself, once for each line of its input: `python -m tests.faults.killed FOLDER POLICY ROOT`.

A line is a number: before the call that changes something at AWS, or the renaming of a file, that has this number the process ends as
`kill -9` ends it; before a call that only looks it would leave what it leaves before the next change. Prints how each run ended:
`killed` or `done`. Runs are forked from one process that has everything imported, and no thread.
"""

import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from botocore.config import Config

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.flows.deploy import deployed, deploying, planned
from shipsafe.flows.deploy_request import DeployRequest
from tests.faults.calls import WRITES
from tests.faults.place import PATIENCE, SERVICES
from tests.local_endpoint import REGION

_HAPPEN = ("os.rename", "os.remove")  # how files of the output folder change


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.passed)

    def seconds(self) -> float:
        return time.monotonic() + self.passed


def connected() -> Aws:
    """With clients that call once."""
    aws = open_aws(Place(region=REGION))
    for name in SERVICES:
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=PATIENCE)
        aws._clients[name] = aws._clients[f"{name} once"] = aws.session.client(name, region_name=REGION, config=config)
    return aws


def run(aws: Aws, request: DeployRequest, point: int) -> None:
    """Deploy, and end before the end."""
    happened = count(1)

    def happen() -> None:
        if next(happened) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def call(event_name: str, **_: Any) -> None:
        if event_name.rpartition(".")[2].startswith(WRITES):
            happen()

    for client in {id(client): client for client in aws._clients.values()}.values():
        client.meta.events.register("before-send", call)
    sys.addaudithook(lambda event, _: happen() if event in _HAPPEN else None)
    clock = Clock()
    with deploying(
        request, lambda _line: None, connect=lambda _place: aws, now=clock.now, clock=clock.seconds, sleep=clock.sleep
    ) as case:  # fmt: skip
        done = deployed(case, planned(case), lambda _line: None)
    assert done.exit_code == 0, done


def main() -> None:
    """Each run in a process of its own."""
    folder, policy, root = sys.argv[1:]
    request = DeployRequest(out=Path(folder), policy=Path(policy), local_root=root, functions=("Pay",))
    aws = connected()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(aws, request, int(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
        else:
            assert os.waitstatus_to_exitcode(status) == 0
        print("killed" if os.WIFSIGNALED(status) else "done", flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
