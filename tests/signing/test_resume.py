"""`kill -9` at each step of a run: the next one goes on, signs nothing twice and loses nothing."""

import subprocess
import sys
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
    told = subprocess.run(command, cwd=repository, check=False, capture_output=True, text=True, timeout=300)
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
