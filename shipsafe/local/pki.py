"""The local root: a certificate authority of this user's own, under which the local Signer signs. Nobody else has reason to trust it.

Its chains have the shape of the genuine ones, leaf -> subordinate -> subordinate -> root on P-384, with a leaf that is valid for three
days; every subject says LOCAL. The root and its two subordinates lie with their keys in one file of the user's configuration folder, so
that a zip which was signed yesterday can be verified today. The dates of the authorities do not depend on the clock, which a control
call may move by years.
"""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shipsafe.adapters.places import config_dir
from shipsafe.errors import IncompleteError, IntegrityError

LEAF_VALID = timedelta(days=3)
_SUBJECTS = (  # root first
    "shipsafe LOCAL root, not AWS",
    "shipsafe LOCAL subordinate 1, not AWS",
    "shipsafe LOCAL subordinate 2, not AWS",
)
_LEAF_SUBJECT = "shipsafe LOCAL signer, not AWS"
_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)
_FILE = "root.pem"
_KEY = b"-----BEGIN PRIVATE KEY-----"
_ANEW = "Remove the file: a new root is made when it is next needed, and what the old one signed is not accepted any more."
_LARGEST = 64 * 1024  # bytes; three certificates and three keys are 4 KiB


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Leaf:
    """What signs one job: its key, and the certificates from its own up to the root's, DER."""

    key: EllipticCurvePrivateKey
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class LocalRoot:
    """The root and its subordinates, root first."""

    authorities: tuple[Authority, ...]

    @property
    def certificate(self) -> bytes:
        """The root's certificate, DER."""
        return self.authorities[0].certificate.public_bytes(Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the root's certificate: `SHIPSAFE_LOCAL_ROOT`."""
        return sha256(self.certificate).hexdigest()

    def issue(self, now: datetime) -> Leaf:
        """A fresh key with a certificate that is valid for three days from `now` (UTC)."""
        key = generate_private_key(SECP384R1())
        begins = now.replace(microsecond=0)  # a certificate has whole seconds
        leaf = _certify(_LEAF_SUBJECT, key, self.authorities[-1], valid=(begins, begins + LEAF_VALID), below=None)
        certificates = (leaf, *(authority.certificate for authority in reversed(self.authorities)))
        return Leaf(key, tuple(certificate.public_bytes(Encoding.DER) for certificate in certificates))


def open_root(folder: Path | None = None) -> LocalRoot:
    """This user's local root, made when it is first asked for; of two processes that ask at once, both get the same one.

    Args:
        folder: where it is kept; None for `local/` in the user's configuration folder.

    Raises:
        IncompleteError: the folder cannot be written to.
        IntegrityError: the file is damaged, or others can read or write it: they could sign as this machine.
    """
    path = (folder or config_dir() / "local") / _FILE
    try:
        if not os.path.lexists(path):
            _write_new(path, _make())
        text = _read(path)
    except OSError as error:
        remedy = "Set SHIPSAFE_CONFIG_DIR to a folder that can be written to."
        raise IncompleteError(f"The local root cannot be kept: {error.strerror or error}.", remedy=remedy, path=str(path)) from error
    root = _parse(text)
    if root is None:
        raise IntegrityError("The local root is damaged.", remedy=_ANEW, path=str(path))
    return root


def _make() -> LocalRoot:
    authorities: list[Authority] = []
    for depth, subject in enumerate(_SUBJECTS):
        key = generate_private_key(SECP384R1())
        issuer = authorities[-1] if authorities else None
        certificate = _certify(subject, key, issuer, valid=(_FROM, _UNTIL), below=len(_SUBJECTS) - 1 - depth)
        authorities.append(Authority(certificate, key))
    return LocalRoot(tuple(authorities))


def _certify(
    subject: str, key: EllipticCurvePrivateKey, issuer: Authority | None, *, valid: tuple[datetime, datetime], below: int | None
) -> x509.Certificate:
    """A certificate by `issuer` (None: by itself). `below`: how many authorities may follow in a chain; None for a leaf."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    by, by_key = (issuer.certificate.subject, issuer.key) if issuer else (name, key)
    builder = (
        x509.CertificateBuilder(by, name, key.public_key(), x509.random_serial_number(), *valid)
        .add_extension(x509.BasicConstraints(ca=below is not None, path_length=below), critical=True)
        .add_extension(_usage(authority=below is not None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False)
    )
    if below is None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    return builder.sign(by_key, hashes.SHA384())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_new(path: Path, root: LocalRoot) -> None:
    """Write the file unless another process was quicker; nobody ever reads half of it, or finds it readable by others."""
    text = b"".join(
        authority.certificate.public_bytes(Encoding.PEM) + authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for authority in root.authorities
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{secrets.token_hex(8)}.pem")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _read(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        status = os.fstat(file.fileno())
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            raise IntegrityError("Others can read or change the key of the local root.", remedy=_ANEW, path=str(path))
        return file.read(_LARGEST)


def _parse(text: bytes) -> LocalRoot | None:
    try:
        certificates = x509.load_pem_x509_certificates(text)
        keys = [load_pem_private_key(_KEY + part, password=None) for part in text.split(_KEY)[1:]]
    except ValueError:
        return None
    authorities = tuple(
        Authority(certificate, key)
        for certificate, key in zip(certificates, keys, strict=False)
        if isinstance(key, EllipticCurvePrivateKey) and key.public_key() == certificate.public_key()
    )
    return LocalRoot(authorities) if len(authorities) == len(_SUBJECTS) else None
