"""Children end when we are interrupted, and when their time is up; and not because ours stood still."""

import subprocess
import sys
from pathlib import Path

import pytest

from shipsafe.adapters import process
from shipsafe.errors import IncompleteError

_INTERRUPTED = """
import os, signal, subprocess, sys, threading
from pathlib import Path
from shipsafe.adapters import process

pid, at_once = Path(sys.argv[1]), sys.argv[2] == "at once"

class Started(subprocess.Popen):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        pid.write_text(f"{self.pid}")
        if at_once:
            os.kill(os.getpid(), signal.SIGINT)

    def communicate(self, *args, **more):
        if not at_once:
            threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
        return super().communicate(*args, **more)

subprocess.Popen = Started
try:
    process.run(["sleep", "3600"], cwd=Path("/"))
except KeyboardInterrupt:
    print("interrupted")
"""


def is_running(pid: int) -> bool:
    """Whether a process has not ended; one that nobody has buried yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("when", ["at once", "later"])
def test_an_interrupt_ends_the_child_that_is_waited_for(when: str, tmp_path: Path) -> None:
    """It has a session of its own, so that the terminal's Ctrl-C does not reach it; nobody else would end it."""
    pid = tmp_path / "pid"
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED, pid, when], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "interrupted\n"
    assert not is_running(int(pid.read_text()))


def test_a_child_whose_time_is_up_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE", 0.1)
    with pytest.raises(IncompleteError, match="sh did not end within 2 s and was stopped"):
        process.run(["sh", "-c", "echo $$ > pid; sleep 3600; :"], cwd=tmp_path, timeout=2)
    if (tmp_path / "pid").exists():  # else it did not even begin in that time
        assert not is_running(int((tmp_path / "pid").read_text()))


def test_who_was_stopped_himself_does_not_take_a_child_that_has_ended_for_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after Ctrl-Z: the time is over when we look, and the child has long answered."""
    monkeypatch.setattr(process, "_GRACE", 120.0)
    done = process.run(["sh", "-c", "echo answered"], cwd=tmp_path, timeout=0)
    assert (done.returncode, done.stdout) == (0, "answered\n")
