"""Keys in files: made once, closed, and opened before anything else is done."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.key_file import make
from shipsafe.evidence.keys import open_signers, public_key_of
from shipsafe.evidence.passwords import new_password, password_of
from tests.evidence.speakers import key

_PASSWORD = "correct horse battery"
_ENVIRONMENT = {"SHIPSAFE_KEY_PASSWORD": _PASSWORD}


def _nobody(question: str) -> str:
    pytest.fail(f"somebody was asked: {question}")


def _private(path: Path, private: object, password: bytes | None = None) -> Path:
    closed = BestAvailableEncryption(password) if password else NoEncryption()
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, closed))  # type: ignore[attr-defined]  # each has it
    path.chmod(0o600)
    return path


def test_a_new_key_is_closed_and_its_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = make(tmp_path / "deep" / "ci.pem", password=_PASSWORD.encode())
    finally:
        os.umask(old)
    path, public = tmp_path / "deep" / "ci.pem", tmp_path / "deep" / "ci.pem.pub"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert public.read_text().strip() == made.pem
    assert sorted(one.name for one in path.parent.iterdir()) == ["ci.pem", "ci.pem.pub"]
    (signer,) = open_signers([str(path)], environment=_ENVIRONMENT, ask=_nobody)
    assert signer.public_key.keyid == made.spki == public_key_of(str(public), environment={}, ask=_nobody).spki
    assert public_key_of(f"file:{path}", environment=_ENVIRONMENT, ask=_nobody) == made


def test_openssl_opens_what_we_write_and_finds_a_slow_derivation(tmp_path: Path) -> None:
    make(tmp_path / "ci.pem", password=_PASSWORD.encode())
    run = ("openssl", "pkey", "-in", "ci.pem", "-pubout", "-passin", f"pass:{_PASSWORD}")
    assert subprocess.run(run, cwd=tmp_path, check=True, capture_output=True).stdout == (tmp_path / "ci.pem.pub").read_bytes()
    told = subprocess.run(("openssl", "asn1parse", "-in", "ci.pem"), cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert {"PBES2", "scrypt", "aes-256-cbc"} <= {line.rpartition(":")[2] for line in told.splitlines()}
    assert ":4000" in told  # 2**14 rounds


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    for name in ("ci.pem", "ci.pem.pub"):
        folder = tmp_path / name.replace(".", "")
        folder.mkdir()
        (folder / name).symlink_to("nowhere")
        with pytest.raises(ConfigError, match="never overwritten"):
            make(folder / "ci.pem", password=None)
        assert [one.name for one in folder.iterdir()] == [name]


def test_a_disk_that_refuses_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IncompleteError):
        make(tmp_path / "file" / "ci.pem", password=None)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    make(tmp_path / "ci.pem", password=_PASSWORD.encode())
    (tmp_path / "ci.pem").chmod(mode)
    with pytest.raises(ConfigError, match="Others than its owner") as refused:
        open_signers([str(tmp_path / "ci.pem")], environment=_ENVIRONMENT)
    assert refused.value.remedy.startswith("chmod 600 ")


def test_a_wrong_password_is_told_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "ci.pem"
    make(path, password=_PASSWORD.encode())
    for wrong in ("sesame open please", "~"):  # no letter that may stand in the name of the folder
        with pytest.raises(ConfigError, match="does not open this key") as refused:
            open_signers([str(path)], environment={"SHIPSAFE_KEY_PASSWORD": wrong})
        assert wrong not in str(refused.value)


def test_a_key_that_lies_open_is_taken_only_by_a_uri_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "open.pem"
    made = make(path, password=None)
    with pytest.raises(ConfigError, match="lies open") as refused:
        open_signers([str(path)], environment=_ENVIRONMENT)
    assert f"unsafe-unencrypted:{path}" in refused.value.remedy
    (signer,) = open_signers([f"unsafe-unencrypted:{path}"], environment={}, ask=_nobody)
    assert signer.public_key.keyid == made.spki


def test_keys_of_openssl_and_other_curves_are_opened(tmp_path: Path) -> None:
    run = ("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-aes-256-cbc", "-pass", f"pass:{_PASSWORD}")
    subprocess.run((*run, "-out", tmp_path / "openssl.pem"), check=True, capture_output=True)
    (tmp_path / "openssl.pem").chmod(0o600)
    _private(tmp_path / "p256.pem", key("x", ec.SECP256R1), _PASSWORD.encode())
    _private(tmp_path / "ed25519.pem", ed25519.Ed25519PrivateKey.generate(), _PASSWORD.encode())
    uris = [str(tmp_path / name) for name in ("openssl.pem", "p256.pem", "ed25519.pem")]
    signers = open_signers(uris, environment=_ENVIRONMENT)
    for signer in signers:
        signer.public_key.verify_signature(signer.sign(b"x"), b"x")
        assert signer.sign(b"x") == signer.sign(b"x")


def test_signatures_are_those_of_rfc_6979() -> None:
    """Appendix A.2.6, SHA-384 of "sample": so any machine makes the same."""
    private = 0x6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5
    r = 0x94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46
    s = 0x99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8
    signature = FileSigner(ec.derive_private_key(private, ec.SECP384R1())).sign(b"sample")
    assert decode_dss_signature(bytes.fromhex(signature.signature)) == (r, s)


def test_what_is_no_key_that_can_be_used_is_refused(tmp_path: Path) -> None:
    cases = {
        "rsa": (rsa.generate_private_key(public_exponent=65537, key_size=2048), "not a key on"),
        "p521": (ec.generate_private_key(ec.SECP521R1()), "not a key on"),
        "bitcoin": (ec.generate_private_key(ec.SECP256K1()), "not a key on"),
    }
    for name, (private, says) in cases.items():
        with pytest.raises(ConfigError, match=says):
            open_signers([str(_private(tmp_path / name, private, _PASSWORD.encode()))], environment=_ENVIRONMENT)
    texts = {
        "empty": ("", "no key in PKCS#8"),
        "words": ("hello", "no key in PKCS#8"),
        "closed": ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "no encrypted key"),
        "half": ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA", "no encrypted key"),
        "old": (_sec1(tmp_path), "no key in PKCS#8"),
    }
    for name, (text, says) in texts.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
        with pytest.raises(ConfigError, match=says):
            open_signers([str(tmp_path / name)], environment=_ENVIRONMENT)
    (tmp_path / "large").write_bytes(b"-----BEGIN PRIVATE KEY-----" * 10_000)
    with pytest.raises(ConfigError, match="Larger than"):
        open_signers([str(tmp_path / "large")], environment=_ENVIRONMENT)


def _sec1(folder: Path) -> str:
    done = subprocess.run(("openssl", "ecparam", "-genkey", "-noout", "-name", "secp384r1"), cwd=folder, check=True, capture_output=True)
    return done.stdout.decode()


def test_a_key_that_would_take_an_hour_to_open_is_refused_at_once(tmp_path: Path) -> None:
    """Its own header says how slow it is; whoever wrote the file chose that."""
    from asn1crypto import keys, pem  # noqa: PLC0415 - only this test rewrites a header

    _, _, der = pem.unarmor(key("x").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    info = keys.EncryptedPrivateKeyInfo.load(der)
    parameters = info["encryption_algorithm"]["parameters"]["key_derivation_func"]["parameters"]
    parameters["iteration_count"] = 2**31 - 1
    (tmp_path / "slow.pem").write_bytes(pem.armor("ENCRYPTED PRIVATE KEY", info.dump(force=True)))
    (tmp_path / "slow.pem").chmod(0o600)
    with pytest.raises(ConfigError, match="too much time"):
        open_signers([str(tmp_path / "slow.pem")], environment=_ENVIRONMENT)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("", "names no key"),
        ("gcpkms:projects/x", "names no key"),
        ("file:", "names no key"),
        ("awskms:", "names no key"),
        ("sigstore:mallory", "names no key"),
        ("a\0b", "names no key"),
        ("awskms:alias/ci", "not the ARN"),
        ("awskms:arn:aws:kms:eu-central-1:123456789012:key/a\n", "not the ARN"),
        ("no-such-file.pem", "No such file"),
        (".", "Not a regular file"),
    ],
)
def test_a_uri_that_names_no_key_ends_before_anything_is_done(uri: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        open_signers([uri], environment=_ENVIRONMENT, connect=_never)


def _never(place: Place) -> Aws:
    pytest.fail(f"AWS was asked: {place}")


def test_the_same_key_twice_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "ci.pem", password=_PASSWORD.encode())
    (tmp_path / "copy.pem").write_bytes((tmp_path / "ci.pem").read_bytes())
    (tmp_path / "copy.pem").chmod(0o600)
    with pytest.raises(ConfigError, match="given before"):
        open_signers([str(tmp_path / "ci.pem"), str(tmp_path / "copy.pem")], environment=_ENVIRONMENT)


def test_the_public_half_does_not_sign(tmp_path: Path) -> None:
    make(tmp_path / "ci.pem", password=_PASSWORD.encode())
    with pytest.raises(ConfigError, match="public key"):
        open_signers([str(tmp_path / "ci.pem.pub")], environment=_ENVIRONMENT)


def test_the_password_comes_from_the_environment_a_file_or_a_person(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"from a file\r\nand no more\n")
    assert password_of("k", environment=_ENVIRONMENT, ask=_nobody) == _PASSWORD.encode()
    assert password_of("k", environment={"SHIPSAFE_KEY_PASSWORD_FILE": str(file)}, ask=_nobody) == b"from a file"
    assert password_of("k", environment={}, ask=lambda question: f"{question}?") == b"Password of k: ?"
    with pytest.raises(ConfigError, match="both set"):
        password_of("k", environment={**_ENVIRONMENT, "SHIPSAFE_KEY_PASSWORD_FILE": str(file)}, ask=_nobody)
    with pytest.raises(ConfigError, match="No such file"):
        password_of("k", environment={"SHIPSAFE_KEY_PASSWORD_FILE": str(tmp_path / "none")}, ask=_nobody)
    with pytest.raises(ConfigError, match="1 to 1023 bytes"):
        password_of("k", environment={}, ask=lambda _: "")


def test_a_new_password_is_long_enough_and_said_twice() -> None:
    said = iter(["a long password", "a long password", "a long password", "another password", "short", "short"])
    assert new_password("k", environment={}, ask=lambda _: next(said)) == b"a long password"
    with pytest.raises(ConfigError, match="differ"):
        new_password("k", environment={}, ask=lambda _: next(said))
    with pytest.raises(ConfigError, match="fewer than 12"):
        new_password("k", environment={}, ask=lambda _: next(said))
    with pytest.raises(ConfigError, match="fewer than 12"):
        new_password("k", environment={"SHIPSAFE_KEY_PASSWORD": "short"}, ask=_nobody)


def test_a_signer_does_not_show_its_key(tmp_path: Path) -> None:
    make(tmp_path / "ci.pem", password=_PASSWORD.encode())
    (signer,) = open_signers([str(tmp_path / "ci.pem")], environment=_ENVIRONMENT)
    shown = repr(signer) + str(signer) + repr(signer.public_key.to_dict())
    assert "PRIVATE" not in shown
    assert _PASSWORD not in shown
