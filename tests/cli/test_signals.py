"""A second signal while a run is ending: the exit code stays that of the first."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.program import environment

_ENDING = """
import os, signal, sys, threading, time
from shipsafe import __main__ as program
from shipsafe.adapters import process

def ending():
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
    print("children were ended", flush=True)

class Waiting(threading.Thread):
    def join(self, timeout=None):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(3600)

process.end_all = ending
program._run = lambda: run()
if sys.argv[1] == "while a thread waits":
    Waiting(target=time.sleep, args=(3600,)).start()

def run():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        return program._ended("Interrupted", program.ExitCode.INTERRUPTED)

sys.argv = ["shipsafe"]
program.main()
"""


@pytest.mark.parametrize("when", ["while children are ended", "while a thread waits"])
def test_a_second_signal_changes_no_exit_code(when: str, tmp_path: Path) -> None:
    """GitHub sends SIGINT and, 7.5 s later, SIGTERM: as a traceback it would end with 1, which means findings."""
    done = subprocess.run([sys.executable, "-c", _ENDING, when], cwd=tmp_path, env=environment(), capture_output=True, text=True,
                          check=False, timeout=300)  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "children were ended\n"), done.stderr
    assert done.stderr == "Interrupted: children were ended, nothing was published.\n"
