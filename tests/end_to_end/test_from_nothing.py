"""From nothing to a signed release, as the README says it, and bootstrap as a program."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from tests.end_to_end.program import command, environment, shipsafe
from tests.local_endpoint import client

POLICY = """
[[sign.target]]
name = "dev"
region = "eu-west-1"
profile = "orders"
bucket = "orders-${AWS::AccountId}"
"""


@pytest.mark.registry
def test_the_line_of_the_readme(repository: Path, tmp_path: Path) -> None:
    """No account, no settings: one line makes the AWS side, builds and signs; doctor finds nothing missing then."""
    shutil.copytree(repository / "examples" / "orders", tmp_path / "examples" / "orders")
    program = f"{sys.executable} -m shipsafe"
    line = f"{program} bootstrap --yes examples/orders && {program} build examples/orders && {program} sign --yes"
    done = shipsafe("local", "run", "--", "sh", "-c", f"{line} && {program} doctor examples/orders", cwd=tmp_path)
    assert done.code == 0, done.out + done.err
    lines = done.out.splitlines()
    assert any(line.startswith("LOCAL 4 signed; ") for line in lines)
    assert lines[-1].startswith("LOCAL ")
    assert lines[-1].endswith(" exit 0")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shipsafe.toml").write_text(POLICY)
    return tmp_path


def _aws() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "SHIPSAFE_LOCAL"))}


def test_a_bootstrap_that_was_killed_is_continued(local_aws: Endpoint, project: Path) -> None:
    """Killed while Signer had made the profile and had not said so yet: the next run makes neither profile nor bucket again."""
    local_aws.faults.add(Fault(operation="PutSigningProfile", kind="timeout", when="after"))
    null = subprocess.DEVNULL
    with subprocess.Popen(command("bootstrap", "--yes"), cwd=project, env=environment(_aws()), stdout=null, stderr=null) as child:
        while not local_aws.trail.events(operation="PutSigningProfile"):  # a fault is taken before the call has its effect
            assert child.poll() is None
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
    [made] = client("signer").list_signing_profiles()["profiles"]
    done = shipsafe("bootstrap", "--yes", cwd=project, env=_aws())
    assert done.code == 0, done.out + done.err
    changes = [line for line in done.out.splitlines() if line.startswith("LOCAL   done: ")]
    assert changes == ["LOCAL   done: create a code-signing configuration that trusts orders alone"]
    assert f"  {made['profileVersionArn']}" in done.out


def test_words_that_cannot_be_understood(project: Path) -> None:
    """2, and nothing is asked of AWS."""
    for words in (["--print", "pulumi"], ["--target", "nobody"], ["nowhere"]):
        done = shipsafe("bootstrap", *words, cwd=project)
        assert done.code == 2, done.out + done.err
        assert done.out == ""
