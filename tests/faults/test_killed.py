"""kill -9 before every change of a deploy, at AWS and on disk: no caller reaches what was not verified, and the next run ends it."""

import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.faults.invariants import ended, harmless
from tests.faults.place import Site

ROOT = Path(__file__).parents[2]


@pytest.fixture
def killer(site: Site) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "tests.faults.killed", str(site.release), str(site.releases.policy), site.endpoint.fingerprint]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0


def test_killed_at_every_point(site: Site, killer: subprocess.Popen[str]) -> None:
    assert killer.stdin is not None
    assert killer.stdout is not None
    found: list[str] = []
    seen: set[str] = set()
    for point in count(1):
        site.begin()
        start = site.function()
        killer.stdin.write(f"{point}\n")
        killer.stdin.flush()
        how = killer.stdout.readline().strip()
        assert how in ("killed", "done")
        found += [f"{point}: {why}" for why in harmless(site, start)]
        state = site.state()
        if state not in seen:
            again = site.deploy()
            found += [f"{point}, again: {why}" for why in ended(site, again)]
            seen.add(state)
        if how == "done":
            break
    assert point > 15  # ten calls that change something, the dry run, and the files of the release
    assert not found, "\n".join(found)
