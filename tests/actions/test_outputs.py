"""What commands tell the next steps of a job, and that a release which was exchanged on the way is found."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shipsafe.cli import github_output, options
from shipsafe.errors import ConfigError, ExitCode, IncompleteError

HANDLER = "import json\n\n\ndef handler(event, context):\n    return json.dumps(event)\n"
TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.12}
"""


def outputs(text: str) -> dict[str, str]:
    """As GitHub's runner reads it: `NAME<<WORD`, lines, `WORD`."""
    found, rest = {}, text
    while rest:
        head, _, rest = rest.partition("\n")
        name, _, word = head.partition("<<")
        value, _, rest = rest.partition(f"\n{word}\n")
        found[name] = value
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one function, and the file that GITHUB_OUTPUT names."""
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "src" / "app.py").write_text(HANDLER)
    return folder


def shipsafe(project: Path, *argv: str, code: int = 0) -> tuple[dict[str, str], str]:
    """Run it as a step of a job; gives its outputs and what it said."""
    file = project.parent / "output"
    file.write_text("")
    environ = {**os.environ, "GITHUB_OUTPUT": str(file), "SHIPSAFE_CACHE_DIR": str(project.parent / "cache")}
    done = subprocess.run([sys.executable, "-m", "shipsafe", *argv], cwd=project, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return outputs(file.read_text()), done.stdout + done.stderr


def test_a_build_says_how_it_ended_and_what_it_handed_over(project: Path) -> None:
    told, _ = shipsafe(project, "build", "--offline", "--report", "sarif=out.sarif", "--report", "json=out.json")
    manifest = project / "dist" / "shipsafe.json"
    assert told == {
        "decision": "PASS",
        "exit-code": "0",
        "report-sarif": str(project / "out.sarif"),
        "report-json": str(project / "out.json"),
        "manifest": str(manifest),
        "manifest-digest": f"sha256:{hashlib.sha256(manifest.read_bytes()).hexdigest()}",
        "digests": f"{hashlib.sha256((project / 'dist/Orders.zip').read_bytes()).hexdigest()}  Orders.zip",
    }
    assert (project / "out.sarif").is_file()
    again, _ = shipsafe(project, "check", "--offline")
    assert again == {"decision": "PASS", "exit-code": "0"}


def test_a_build_that_fails_hands_nothing_over_though_a_release_of_before_lies_there(project: Path) -> None:
    shipsafe(project, "build", "--offline")
    (project / "src" / ".env").write_text("PASSWORD=hunter2\n")
    told, _ = shipsafe(project, "build", "--offline", "--report", "sarif=out.sarif", code=1)
    assert told == {"decision": "FAIL", "exit-code": "1", "report-sarif": str(project / "out.sarif")}


def test_a_plan_of_shares_is_the_matrix(project: Path) -> None:
    told, said = shipsafe(project, "build", "--plan", "--shards", "3", "--offline")
    assert told["matrix"] == said.strip()
    assert '"shard": "1/3"' in told["matrix"]


@pytest.mark.parametrize("command", ["sign --yes", "deploy --yes", "verify"])
def test_another_manifest_than_was_handed_over_is_refused_before_anything_else(project: Path, command: str) -> None:
    told, _ = shipsafe(project, "build", "--offline")
    manifest = project / "dist" / "shipsafe.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"shipsafe"', b'"shipsafe" ', 1) + b"\n")
    name, *rest = command.split()
    after, said = shipsafe(project, name, "dist", *rest, "--manifest-digest", told["manifest-digest"], code=5)
    assert after == {"decision": "BROKEN", "exit-code": "5"}
    assert "The release is another one than was handed over" in said
    assert told["manifest-digest"] in said


@pytest.mark.parametrize("command", ["sign --yes", "deploy --yes", "verify"])
def test_an_empty_digest_is_never_taken_for_none(project: Path, command: str) -> None:
    name, *rest = command.split()
    after, said = shipsafe(project, name, ".", *rest, "--manifest-digest=", code=2)
    assert after == {"decision": "", "exit-code": "2"}
    assert "is not of the form sha256:HEX" in said


@pytest.mark.parametrize("word", ["sha256:", "sha256:ABC", f"sha512:{'0' * 64}", f"sha256:{'0' * 64}\n"])
def test_what_is_no_digest_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="not of the form"):
        options.manifest_digest(word)


def test_a_release_that_is_what_was_handed_over_is_looked_at(project: Path) -> None:
    told, _ = shipsafe(project, "build", "--offline")
    (project / "shipsafe.toml").write_text('[attest]\nunsigned = "allow"\n')
    after, said = shipsafe(project, "verify", "--policy", "shipsafe.toml", "--manifest-digest", told["manifest-digest"])
    assert "Exit 0: every link that was asked for holds." in said
    assert after == {"decision": "PASS", "exit-code": "0"}
    _, said = shipsafe(project, "verify", "dist/Orders.zip", "--manifest-digest", told["manifest-digest"], code=2)
    assert "is about one release" in said


def test_no_value_can_end_itself_or_begin_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    hostile = "a\nshipsafe-0\nEOF\ndecision=PASS\ndecision<<EOF\nPASS\nEOF"
    github_output.append_ended(ExitCode.FINDINGS, [("sarif", tmp_path / hostile)])
    github_output.append({"matrix": hostile})
    assert outputs(file.read_text()) == {
        "decision": "FAIL", "exit-code": "1", "report-sarif": str(tmp_path / hostile), "matrix": hostile,
    }  # fmt: skip
    words = re.findall(r"<<(shipsafe-[0-9a-f]{32})$", file.read_text(), re.MULTILINE)
    assert len(set(words)) == 2  # one a call


def test_outputs_that_cannot_be_written_end_in_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path))
    with pytest.raises(IncompleteError, match="cannot be written"):
        github_output.append_ended(ExitCode.PASS)


def test_nothing_is_written_where_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    github_output.append_ended(ExitCode.PASS, manifest=tmp_path / "not-there")
    assert list(tmp_path.iterdir()) == []
