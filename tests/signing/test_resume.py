"""`kill -9` at each step of a run: the next one goes on, signs nothing twice and loses nothing."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from shipsafe.signing.journal import NAME, Journal
from shipsafe.signing.plan import plan
from tests.signing.killed import target_of
from tests.signing.place import ZIP, Site
from tests.signing.zips import unsigned

STEPS = range(1, 21)


def test_a_run_that_was_killed_at_any_step_is_finished_by_the_next(site: Site, tmp_path: Path, repository: Path) -> None:
    """With the journal that it left, and without (on another machine): counted are the jobs and versions that there are in the end."""
    command = [sys.executable, "-m", "tests.signing.killed", str(tmp_path / "killed"), *map(str, STEPS)]
    told = subprocess.run(command, cwd=repository, check=False, capture_output=True, text=True, timeout=1200)
    assert told.returncode == 0, told.stderr
    ends = told.stdout.split()
    assert len(ends) == len(STEPS)
    assert ends[-1] == "done"  # there are no more steps than those that were tried
    assert ends.count("killed") >= 18  # before and after each of nine calls

    for step in STEPS:
        folder = tmp_path / "killed" / str(step)
        if step % 2 and (folder / NAME).exists():
            (folder / NAME).unlink()
        journal = Journal.open(folder)
        assert journal.unreadable == 0
        made = plan([unsigned(folder, "orders", ZIP)], [target_of(step)], connect=site.connect, journal=journal, now=site.now)

        signed, failed = site.carry_out(made)

        assert (len(signed), failed) == (1, []), step
        assert len(site.versions(f"step{step}/unsigned/")) == 1, step
        assert len(site.versions(f"step{step}/signed/")) == 1, step
    assert site.started() == len(STEPS)


def test_a_run_that_is_interrupted_ends_at_once_and_is_finished_by_the_next(site: Site, tmp_path: Path, repository: Path) -> None:
    """Its threads wait an hour for a job that does not end; nobody waits for them."""
    site.endpoint.signer.delay = timedelta(hours=1)
    folder = tmp_path / "interrupted"
    command = [sys.executable, "-m", "tests.signing.killed", str(folder), "999"]
    with subprocess.Popen(command, cwd=repository, stderr=subprocess.PIPE, start_new_session=True) as running:
        while not site.started():
            assert running.poll() is None, running.stderr and running.stderr.read()
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        _, told = running.communicate(timeout=300)
    assert b"KeyboardInterrupt" in told

    site.endpoint.clock.moved = timedelta(hours=2)
    work = unsigned(folder / "999", "orders", ZIP)
    made = plan([work], [target_of(999)], connect=site.connect, journal=Journal.open(folder / "999"), now=site.now)
    signed, failed = site.carry_out(made)
    assert (len(signed), failed) == (1, [])
    assert site.started() == 1
