"""What `build` says of zips: large ones, and whether they can be made twice."""

import os
from pathlib import Path

from tests.end_to_end.program import shipsafe
from tests.end_to_end.test_bad_input import project

__all__ = ["project"]


def test_a_zip_over_50_mb_is_a_note_and_passes(project: Path) -> None:
    (project / "src" / "noise.bin").write_bytes(os.urandom(53 << 20))
    done = shipsafe("build", "--format", "json", cwd=project)
    assert done.code == 0, done.err
    [notes] = [outcome["notes"] for outcome in done.report["outcomes"] if outcome["gate"] == "package"]
    assert notes == ["54 MB zipped is more than the 50 MB that Lambda takes directly; deploy it through S3."]


def test_an_archive_can_be_made_twice(project: Path) -> None:
    done = shipsafe("build", "--check-reproducible", cwd=project)
    assert done.code == 0, done.err
    assert "packed a second time, in other circumstances, with the same bytes" in done.err
    assert (project / "dist" / "Hello.zip").is_file()
