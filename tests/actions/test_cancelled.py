"""A job that is cancelled: GitHub gives SIGINT to the process of the step, and to no other, and kills all of it ten seconds later."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

_PROGRAM = f"""\
#!{sys.executable}
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGINT}})  # one that comes before it is waited for stays until then
print(sys.argv[1], flush=True)
signal.sigwait({{signal.SIGINT}})
sys.exit(6)
"""


@pytest.mark.parametrize("name", ["sign", "deploy"])
def test_what_changes_something_is_told_that_its_job_is_cancelled_and_says_how_it_ended(
    repository: Path, tmp_path: Path, name: str
) -> None:
    """A shell that waits would keep the signal to itself, and a canary would stay where it is."""
    program = tmp_path / "shipsafe"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    *_, step = yaml.safe_load((repository / f"actions/{name}/action.yml").read_text())["runs"]["steps"]
    given = {**dict.fromkeys(step["env"], ""), "SHIPSAFE": str(program), "RUNNER_TEMP": str(tmp_path), "PATH": os.environ["PATH"]}
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", f"{step['run']}\n"]
    with subprocess.Popen(command, cwd=tmp_path, env=given, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == f"{name}\n"
        running.send_signal(signal.SIGINT)
        try:
            assert running.wait(timeout=120) == 6
        finally:
            running.kill()
