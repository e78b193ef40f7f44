"""The local root: one per user, whoever asks first, and nobody else's."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.local.pki import LocalRoot, open_root

NOW = datetime(2031, 2, 28, 23, 59, 59, 999000, tzinfo=UTC)


def test_a_root_is_the_same_when_it_is_opened_again(tmp_path: Path) -> None:
    first, second = open_root(tmp_path / "local"), open_root(tmp_path / "local")
    assert first.fingerprint == second.fingerprint
    assert len(first.fingerprint) == 64


def test_it_lies_in_the_users_configuration_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path / "config"))
    root = open_root()
    assert open_root(tmp_path / "config" / "local").fingerprint == root.fingerprint


def test_only_the_user_can_read_the_keys(tmp_path: Path) -> None:
    open_root(tmp_path / "local")
    files = list((tmp_path / "local").iterdir())
    assert [file.name for file in files] == ["root.pem"], "no draft is left"
    assert files[0].stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "local").stat().st_mode & 0o777 == 0o700


def test_processes_that_ask_at_once_get_the_same_root(tmp_path: Path) -> None:
    """Each prints the fingerprint it has got; the first of them made it."""
    program = "import sys, pathlib, shipsafe.local.pki as pki; print(pki.open_root(pathlib.Path(sys.argv[1])).fingerprint)"
    command = [sys.executable, "-c", program, str(tmp_path / "local")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = {process.communicate(timeout=300)[0].strip() for process in running}
    assert told == {open_root(tmp_path / "local").fingerprint}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    open_root(tmp_path)
    (tmp_path / "root.pem").chmod(mode)
    with pytest.raises(IntegrityError, match="Others can read or change the key of the local root"):
        open_root(tmp_path)


@pytest.mark.parametrize("keep", [0, 10, 900, 2000])
def test_a_damaged_root_is_not_silently_replaced(tmp_path: Path, keep: int) -> None:
    open_root(tmp_path)
    path = tmp_path / "root.pem"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(IntegrityError, match="damaged"):
        open_root(tmp_path)
    assert len(path.read_bytes()) <= keep


def test_the_keys_of_another_root_are_noticed(tmp_path: Path) -> None:
    open_root(tmp_path / "a")
    open_root(tmp_path / "b")
    mine, other = ((tmp_path / name / "root.pem").read_bytes().split(b"-----BEGIN PRIVATE KEY-----") for name in "ab")
    mixed = b"-----BEGIN PRIVATE KEY-----".join([mine[0], other[1], *mine[2:]])
    (tmp_path / "a" / "root.pem").write_bytes(mixed)
    with pytest.raises(IntegrityError, match="damaged"):
        open_root(tmp_path / "a")


def test_a_link_to_somebody_elses_file_is_not_followed(tmp_path: Path) -> None:
    open_root(tmp_path / "there")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "root.pem").symlink_to(tmp_path / "there" / "root.pem")
    with pytest.raises(IncompleteError, match="cannot be kept"):
        open_root(tmp_path / "here")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IncompleteError, match="SHIPSAFE_CONFIG_DIR"):
        open_root(tmp_path / "file" / "local")


def test_a_leaf_is_valid_for_three_days_and_says_that_it_is_local(local_root: LocalRoot) -> None:
    leaf = x509.load_der_x509_certificate(local_root.issue(NOW).chain[0])
    assert leaf.not_valid_before_utc == NOW.replace(microsecond=0)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=3)
    assert "LOCAL" in leaf.subject.rfc4514_string()


def test_the_chain_has_the_shape_of_the_genuine_one(local_root: LocalRoot) -> None:
    """Leaf, subordinate, subordinate, root; each signed by the next, and every subject visibly not AWS."""
    chain = [x509.load_der_x509_certificate(certificate) for certificate in local_root.issue(NOW).chain]
    assert len(chain) == 4
    for below, above in zip(chain, [*chain[1:], chain[-1]], strict=True):
        below.verify_directly_issued_by(above)
    assert all("not AWS" in certificate.subject.rfc4514_string() for certificate in chain)
    assert [certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for certificate in chain] == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize("years", [-5, 0, 60])
def test_the_authorities_hold_whatever_the_clock_was_moved_to(local_root: LocalRoot, years: int) -> None:
    """A control call may move the endpoint's clock; OpenSSL verifies a leaf of that day at that day (see test_cms)."""
    now = NOW.replace(year=NOW.year + years, day=1)
    chain = [x509.load_der_x509_certificate(certificate) for certificate in local_root.issue(now).chain]
    assert all(certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc for certificate in chain)


def test_every_leaf_has_its_own_key(local_root: LocalRoot) -> None:
    one, two = local_root.issue(NOW), local_root.issue(NOW)
    assert one.chain[0] != two.chain[0]
    assert one.key.public_key() != two.key.public_key()
    assert one.chain[1:] == two.chain[1:]
