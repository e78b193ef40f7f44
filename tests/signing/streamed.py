"""A program that signs one zip and prints how many bytes of memory that took at most: `python -m tests.signing.streamed FOLDER ZIP`."""

import hashlib
import sys
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

from shipsafe.signing.journal import Journal
from shipsafe.signing.plan import plan
from shipsafe.signing.run import carry_out
from shipsafe.signing.ticket import Unsigned
from tests.signing.place import TARGET, connect


def main() -> None:
    """Sign, and measure what Python allocates beyond the clients, which are made before."""
    folder, path = Path(sys.argv[1]), Path(sys.argv[2])
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    work = Unsigned(name="large", path=path, sha256=sha256, size=path.stat().st_size)
    aws = connect(TARGET)
    for service in ("s3", "signer"):
        aws.client(service)

    tracemalloc.start()
    made = plan([work], [TARGET], connect=lambda _target: aws, journal=Journal.open(folder), now=lambda: datetime.now(UTC))
    carried = carry_out(
        made,
        trust=lambda _root: "local",
        progress=lambda _line: None,
        now=lambda: datetime.now(UTC),
        clock=time.monotonic,
        sleep=lambda _seconds: time.sleep(0.05),
        deadline=3600,
    )
    assert not carried.failed, carried.failed
    assert carried.signed[0].size > work.size
    print(tracemalloc.get_traced_memory()[1])  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
