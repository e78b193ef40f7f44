"""A key in a file: made, opened, and signing the same bytes in the same way each time.

    made = make(Path("ci.pem"), password=b"...")        # ci.pem (mode 0600) and ci.pem.pub
    signer = open_file(Path("ci.pem"), password=lambda shown: b"...")

ECDSA takes a fresh random number for each signature, unless it derives it from key and message (RFC 6979), as here: equal statements
then give equal envelopes, and a poor source of random numbers cannot betray the key.
"""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.files import read_bounded, sync_folder
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.evidence.pkcs8 import costs_too_much, encrypted
from shipsafe.evidence.public_key import PublicKey, algorithm_of, described

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    from shipsafe.evidence.file_signer import FileSigner

_LARGEST = 64 * 1024  # bytes of a key file
_ENCRYPTED, _PLAIN = b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"-----BEGIN PRIVATE KEY-----"
_PUBLIC = b"-----BEGIN PUBLIC KEY-----"
_WHICH = "Make one with `shipsafe keys new FILE`: P-384, in PKCS#8 PEM (P-256 and Ed25519 are taken too)."


def make(path: Path, *, password: bytes | None, random: Callable[[int], bytes] = secrets.token_bytes) -> PublicKey:
    """Write a new P-384 key to `path`, readable by its owner alone, and its public half to `path` with `.pub` behind it.

    Args:
        path: where; nothing may be there.
        password: None for a key that lies open.
        random: for salts.

    Raises:
        ConfigError: one of the two files is there.
        IncompleteError: the disk refuses.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only whoever makes a key needs it
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - likewise

    key = ec.generate_private_key(ec.SECP384R1())
    bare = serialization.NoEncryption()
    if password is None:
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, bare)
    else:
        der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, bare)
        private = encrypted(der, password, random=random)
    public = described(key.public_key())
    beside = check_free(path)
    _write_new(path, private, 0o600)
    _write_new(beside, f"{public.pem}\n".encode(), 0o644)
    return public


def check_free(path: Path) -> Path:
    """Where the public half of a key at `path` goes.

    Raises:
        ConfigError: there is a file at one of the two places.
    """
    beside = path.with_name(f"{path.name}.pub")
    for one in (path, beside):
        if os.path.lexists(one):
            raise _is_there(one)
    return beside


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file whole and only where none is: a second name for a draft never takes the place of a file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _give_name(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        remedy = "Name a file in a folder that can be written to."
        raise IncompleteError(f"Cannot be written: {error.strerror or error}.", remedy=remedy, path=str(path)) from error


def _give_name(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError as error:
        raise _is_there(path) from error


def _is_there(path: Path) -> ConfigError:
    return ConfigError("It is there already, and a key is never overwritten.", remedy="Choose another name.", path=str(path))


def open_file(path: Path, *, password: Callable[[str], bytes], allow_unencrypted: bool = False) -> "FileSigner":
    """A signer with the private key of a file.

    Args:
        path: the file.
        password: gives the password of the key that it is told the name of.
        allow_unencrypted: whether the key may lie open.

    Raises:
        ConfigError: there is no such file, others can read it, it lies open, the password is another, or it is no key that can be used.
    """
    from shipsafe.evidence.file_signer import FileSigner  # noqa: PLC0415 - it imports securesystemslib, and that boto3

    return FileSigner(_private(path, _read(path), password, allow_unencrypted=allow_unencrypted))


def public_of(path: Path, *, password: Callable[[str], bytes]) -> PublicKey:
    """The public key of a file that holds it, or the private one.

    Raises:
        ConfigError: as `open_file`; a key that lies open is shown all the same.
    """
    data = _read(path)
    if _PUBLIC not in data:
        return described(_private(path, data, password, allow_unencrypted=True).public_key())
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only whoever looks at a key needs it
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - likewise

    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError("It is no public key.", remedy=_WHICH, path=str(path)) from error
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) or algorithm_of(key) is None:
        raise _other_algorithm(path)
    return described(key)


def _read(path: Path) -> bytes:
    data = read_bounded(path, limit=_LARGEST)
    if not any(one in data for one in (_ENCRYPTED, _PLAIN, _PUBLIC)):
        raise ConfigError("It is no key in PKCS#8 PEM.", remedy=_WHICH, path=str(path))
    return data


def _private(
    path: Path, data: bytes, password: Callable[[str], bytes], *, allow_unencrypted: bool
) -> "ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey":  # fmt: skip
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only whoever opens a key needs it
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - likewise

    shown = str(path)
    if _PUBLIC in data:
        raise ConfigError("It is a public key, and the private one signs.", remedy="Name the file without `.pub`.", path=shown)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError("Others than its owner may read or change this key.", remedy=f"chmod 600 {path}", path=shown)
    closed = _ENCRYPTED in data
    if not closed and not allow_unencrypted:
        remedy = (
            f"Encrypt it (`openssl pkcs8 -topk8 -scrypt -in {path}`), or say `unsafe-unencrypted:{path}` where nobody else can read it."
        )
        raise ConfigError("This key lies open: whoever reads the file can sign with it.", remedy=remedy, path=shown)
    try:
        if closed and costs_too_much(data):
            raise ConfigError("Opening this key would take too much time or memory.", remedy=_WHICH, path=shown)
    except ValueError as error:
        raise ConfigError("It is no encrypted key in PKCS#8 PEM under PBES2.", remedy=_WHICH, path=shown) from error
    try:
        key = load_pem_private_key(data, password(shown) if closed else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        what = "The password does not open this key." if closed else "It is no private key."
        raise ConfigError(what, remedy="Give its own password." if closed else _WHICH, path=shown) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) or algorithm_of(key.public_key()) is None:
        raise _other_algorithm(path)
    return key


def _other_algorithm(path: Path) -> ConfigError:
    return ConfigError("It is not a key on P-384, P-256 or Ed25519.", remedy=_WHICH, path=str(path))
