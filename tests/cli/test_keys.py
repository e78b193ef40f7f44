"""`shipsafe keys`: a key made by hand and by a pipeline, and the table that lets a policy trust it."""

import json
import os
import pty
import stat
import subprocess
import sys
from contextlib import closing, suppress
from datetime import date
from pathlib import Path

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.evidence.keys import open_signers
from shipsafe.model.attestation import Role
from shipsafe.policy import load
from tests.end_to_end.program import environment
from tests.local_endpoint import client

_PASSWORD = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _never(url: str) -> bytes:
    pytest.fail(f"{url} was fetched")


def test_what_new_prints_is_what_a_policy_reads(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SHIPSAFE_KEY_PASSWORD", _PASSWORD)
    assert run(["keys", "new", "ci.pem", "--for", "builder", "--for", "signer"]) == 0
    told = capsys.readouterr()
    assert told.err.splitlines()[0] == "ci.pem written: the private key. Keep it out of the repository."
    assert stat.S_IMODE((folder / "ci.pem").stat().st_mode) == 0o600
    (folder / "shipsafe.toml").write_text(told.out)
    (key,) = load(folder, offline=True, cache=folder / "cache", fetch=_never, today=date(2026, 11, 21)).attest.keys
    (signer,) = open_signers(["ci.pem"])
    assert (key.name, key.roles, key.spki) == ("ci", frozenset({Role.BUILDER, Role.SIGNER}), signer.public_key.keyid)
    assert run(["keys", "show", "ci.pem.pub", "--for", "builder", "--for", "signer"]) == 0
    assert capsys.readouterr().out == told.out
    monkeypatch.delenv("SHIPSAFE_KEY_PASSWORD")
    (folder / "password").write_text(f"{_PASSWORD}\n")
    monkeypatch.setenv("SHIPSAFE_KEY_PASSWORD_FILE", "password")
    assert run(["keys", "show", "file:ci.pem", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], shown["spki_sha256"], shown["public"]) == ("ci", key.spki, key.pem)
    for printed in (told.out, told.err):
        assert "PRIVATE" not in printed
        assert _PASSWORD not in printed


def test_a_name_of_any_kind_is_one_of_toml(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SHIPSAFE_KEY_PASSWORD", _PASSWORD)
    for name in ('"]\n[attest]\nunsigned = "allow', "Grüße \\ '''", "\x7f\x00"):
        (folder / "shipsafe.toml").unlink(missing_ok=True)
        for file in ("k.pem", "k.pem.pub"):
            (folder / file).unlink(missing_ok=True)
        assert run(["keys", "new", "k.pem", "--name", name]) == 0
        (folder / "shipsafe.toml").write_text(capsys.readouterr().out)
        (key,) = load(folder, offline=True, cache=folder / "cache", fetch=_never, today=date(2026, 11, 21)).attest.keys
        assert key.name == name


def test_nothing_is_overwritten_and_nobody_is_asked_for_nothing(folder: Path) -> None:
    (folder / "ci.pem.pub").write_text("mine")
    with pytest.raises(ConfigError, match="never overwritten"):
        run(["keys", "new", "ci.pem"])
    assert [one.name for one in folder.iterdir()] == ["ci.pem.pub"]


@pytest.mark.usefixtures("folder")
def test_without_a_terminal_and_a_password_there_is_no_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull, encoding="utf-8") as nothing:  # noqa: PTH123 - a stream, not a path
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(ConfigError, match="no terminal to ask on"):
            run(["keys", "new", "ci.pem"])
    assert not list(folder.iterdir())


def test_a_person_types_it_twice_and_sees_nothing_of_it(folder: Path) -> None:
    terminal, end = pty.openpty()
    words = [sys.executable, "-m", "shipsafe", "keys", "new", "ci.pem"]
    with subprocess.Popen(words, cwd=folder, env=environment(), stdin=end, stdout=end, stderr=end, start_new_session=True) as process:
        os.close(end)
        seen = b""
        for question in (b"characters): ", b"again: "):
            while question not in seen:
                seen += os.read(terminal, 4096)
            os.write(terminal, f"{_PASSWORD}\n".encode())
        with suppress(OSError):  # Linux says so when the other end has closed
            while piece := os.read(terminal, 4096):
                seen += piece
    os.close(terminal)
    assert process.returncode == 0, seen
    assert b"[[attest.key]]" in seen
    assert _PASSWORD.encode() not in seen
    assert open_signers(["ci.pem"], environment={"SHIPSAFE_KEY_PASSWORD": _PASSWORD})


def test_a_key_may_lie_open_only_when_that_is_said_twice(folder: Path) -> None:
    assert run(["keys", "new", "open.pem", "--unsafe-no-password"]) == 0
    assert (folder / "open.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")
    with pytest.raises(ConfigError, match="lies open"):
        open_signers(["open.pem"])
    assert open_signers(["unsafe-unencrypted:open.pem"])


@pytest.mark.usefixtures("local_aws")
def test_the_public_half_of_a_key_in_kms_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(client("kms")) as kms:
        arn = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    assert run(["keys", "show", f"awskms:{arn}", "--name", "kms"]) == 0
    assert 'name = "kms"' in capsys.readouterr().out
    with pytest.raises(IncompleteError):
        run(["keys", "show", f"awskms:{arn[:-1]}{'1' if arn.endswith('0') else '0'}"])


@pytest.mark.parametrize(
    ("words", "says"), [(["show", "x", "--for", "boss"], "no role 'boss'"), (["show", "sigstore:"], "has no key to show")]
)
def test_what_cannot_be_shown(words: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        run(["keys", *words])
