"""A function that nobody guarded gets there with all commands together: Warn, a signed release, Enforce, and what runs verifies."""

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ExitCode
from shipsafe.model.deployment import Ending
from tests.deploy.scene import Scene, only
from tests.signing.zips import zip_bytes
from tests.verify.live_world import ROLE

POLICY = """
[deploy]
alias = "live"
[enforce]
quiet = "off"
[[enforce.ring]]
name = "payments"
functions = ["Pay"]
mode = "warn"
"""


def test_from_unsigned_code_without_a_configuration_to_enforce(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """While its ring warns, the signed release goes live; once the ring enforces, nothing goes live before the function does."""
    code = zip_bytes({"app.py": b"def handler(event, context): return 'nobody signed this'\n"})
    scene.lambda_.create_function(FunctionName="Pay", Role=ROLE, Runtime="python3.13", Handler="app.handler", Code={"ZipFile": code})
    scene.lambda_.publish_version(FunctionName="Pay")
    scene.lambda_.create_alias(FunctionName="Pay", Name="live", FunctionVersion="1")
    scene.add(POLICY)
    monkeypatch.chdir(scene.desk.project)
    assert scene.plan().exit_code == ExitCode.INTEGRITY  # it has no configuration at all
    assert run(["enforce", "--yes"]) == ExitCode.PASS
    assert only(scene.deploy()).ending is Ending.DEPLOYED
    scene.policy.write_text(scene.policy.read_text().replace('mode = "warn"\n', ""))
    assert scene.plan().exit_code == ExitCode.INTEGRITY
    assert run(["enforce", "--check"]) == ExitCode.INTEGRITY
    assert run(["enforce", "--yes"]) == ExitCode.PASS
    assert run(["enforce", "--check", "--release", str(scene.desk.dist)]) == ExitCode.PASS
    assert only(scene.deploy()).ending is Ending.UNCHANGED
    with pytest.raises(scene.lambda_.exceptions.CodeVerificationFailedException):
        scene.lambda_.update_function_code(FunctionName="Pay", ZipFile=code)
