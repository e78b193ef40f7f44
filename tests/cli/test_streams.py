"""Standard streams that are closed, gone or full, as shells and services give them: the exit code is the answer's, no traceback comes."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.program import command, environment

EXPLAIN = ("explain", "layers/unpinned")


def ended(line: str, *words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """The program under a line of the shell, in which `"$@"` stands for it."""
    done = subprocess.run(["bash", "-c", line, "bash", *command(*words)], cwd=cwd, env=environment(), capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=300)  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    assert "bug" not in done.stderr
    return done


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_what_the_shell_has_closed_changes_no_exit_code(closed: str, tmp_path: Path) -> None:
    assert ended(f'"$@" {closed}', *EXPLAIN, cwd=tmp_path).returncode == 0
    assert ended(f'"$@" {closed}', "explain", "layers/none-of-that-name", cwd=tmp_path).returncode == 2


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="the system has no disk that is always full")
def test_a_full_disk_is_said_and_is_no_bug(tmp_path: Path) -> None:
    done = ended('"$@" >/dev/full', *EXPLAIN, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (4, "error: Not all could be written (No space left on device), and nothing was published.\n")
    assert ended('"$@" >/dev/full 2>&1', *EXPLAIN, cwd=tmp_path).returncode == 4
    assert ended('"$@" 2>/dev/full', "explain", "layers/none-of-that-name", cwd=tmp_path).returncode == 2


def test_a_reader_that_has_gone_changes_no_exit_code(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(command("explain", "layers/none-of-that-name"), cwd=tmp_path, env=environment(), stdout=write, stderr=write,
                              check=False, timeout=300)  # fmt: skip
    finally:
        os.close(write)
    assert done.returncode == 2
