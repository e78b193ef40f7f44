"""A program that signs and kills itself: `python -m tests.signing.killed FOLDER STEP...`, once for each step.

A step is an event of botocore: a call is about to be sent, or its answer has just come and nothing was done with it yet. Each step has a
folder (`FOLDER/STEP`) with a zip and its journal, and a prefix in the bucket. Prints how each ended: `killed` or `done`.
"""

import os
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from shipsafe.adapters.aws.session import Aws
from shipsafe.model.signing import SignTarget
from shipsafe.signing.journal import Journal
from shipsafe.signing.plan import plan
from shipsafe.signing.run import carry_out
from tests.signing.place import TARGET, ZIP, connect
from tests.signing.zips import unsigned


def target_of(step: int) -> SignTarget:
    """A place of its own for each step."""
    return replace(TARGET, prefix=f"step{step}/")


def run(aws: Aws, folder: Path, step: int) -> None:
    """Sign, and end before the end."""
    happened = count(1)

    def happen(**_: Any) -> None:
        if next(happened) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    for service in ("s3", "signer"):
        for event in ("before-send", "after-call"):
            aws.client(service).meta.events.register(f"{event}.{service}", happen)
    made = plan(
        [unsigned(folder, "orders", ZIP)],
        [target_of(step)],
        connect=lambda _target: aws,
        journal=Journal.open(folder),
        now=lambda: datetime.now(UTC),
    )
    carried = carry_out(
        made,
        trust=lambda _root: "local",
        progress=lambda _line: None,
        now=lambda: datetime.now(UTC),
        clock=time.monotonic,
        sleep=lambda _seconds: time.sleep(0.01),
        deadline=3600,
    )
    assert not carried.failed, carried.failed


def main() -> None:
    """Each step in a process of its own, made before there are threads and connections to be shared."""
    folder, aws = Path(sys.argv[1]), connect(TARGET)
    for service in ("s3", "signer"):
        aws.client(service)
    for step in map(int, sys.argv[2:]):
        place = folder / str(step)
        place.mkdir(parents=True)
        child = os.fork()
        if not child:
            run(aws, place, step)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
        else:
            assert os.waitstatus_to_exitcode(status) == 0
        print("killed" if os.WIFSIGNALED(status) else "done")  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
