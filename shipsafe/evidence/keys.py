"""Keys by URI, for signing evidence.

    signers = open_signers(["ci.pem", "awskms:arn:aws:kms:eu-central-1:111122223333:key/..."])
    line = written(statement, signers)

    PATH, file:PATH           P-384 in encrypted PKCS#8 PEM (`shipsafe keys new`)
    unsafe-unencrypted:PATH   the same, lying open
    awskms:ARN                a key in AWS KMS
    sigstore:                 keyless, in GitHub Actions

All keys are opened before anything else is done, so that a wrong password or a missing right costs nothing.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ConfigError
from shipsafe.evidence.key_file import open_file, public_of
from shipsafe.evidence.passwords import Ask, password_of, terminal
from shipsafe.evidence.public_key import PublicKey

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

_MOST = 16  # of keys: as many as an envelope may have signatures
_SCHEMES = ("file", "unsafe-unencrypted", "awskms", "sigstore")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+")


def open_signers(
    uris: Sequence[str],
    *,
    environment: Mapping[str, str] = os.environ,
    ask: Ask = terminal,
    connect: Callable[[Place], Aws] = open_aws,
) -> "tuple[Signer, ...]":
    """A signer of securesystemslib for each URI, in their order; none for none.

    Args:
        uris: as the user gave them, see above; relative paths are of the current folder.
        environment: where passwords are named, and GitHub Actions says that it is there.
        ask: asks a person for a password, where the environment names none.
        connect: opens AWS for a key in KMS.

    Raises:
        ConfigError: a URI is none, a file is missing, open to others or not a key, a password is wrong, or two are the same key.
        IncompleteError: KMS cannot be asked, or denies it.
    """
    if len(uris) > _MOST:
        raise ConfigError(f"{len(uris)} keys are more than {_MOST}.", remedy="Leave some out.")
    signers: list[Signer] = []
    for uri in uris:
        signer = _open(uri, environment, ask, connect)
        keyid = signer.public_key.keyid
        if any(other.public_key.keyid == keyid for other in signers):
            raise ConfigError(f"--key {uri} is a key that was given before.", remedy="Name it once: a threshold counts different keys.")
        signers.append(signer)
    return tuple(signers)


def _open(uri: str, environment: Mapping[str, str], ask: Ask, connect: Callable[[Place], Aws]) -> "Signer":
    scheme, rest = _parts(uri)
    if scheme == "awskms":
        from shipsafe.evidence.kms import open_kms  # noqa: PLC0415 - it imports securesystemslib, and that boto3

        return open_kms(rest, connect=connect)
    if scheme == "sigstore":
        from shipsafe.evidence.keyless import open_keyless  # noqa: PLC0415 - likewise

        return open_keyless(environment)

    def password(shown: str) -> bytes:
        return password_of(shown, environment=environment, ask=ask)

    return open_file(Path(rest), password=password, allow_unencrypted=scheme == "unsafe-unencrypted")


def public_key_of(
    uri: str,
    *,
    environment: Mapping[str, str] = os.environ,
    ask: Ask = terminal,
    connect: Callable[[Place], Aws] = open_aws,
) -> PublicKey:
    """The public key of a URI; of a file with the public half, too.

    Raises:
        ConfigError, IncompleteError: as `open_signers`; or it is keyless, and has no key that lasts.
    """
    scheme, rest = _parts(uri)
    if scheme == "awskms":
        from shipsafe.evidence.kms import public_of_kms  # noqa: PLC0415 - likewise

        return public_of_kms(rest, connect=connect)
    if scheme == "sigstore":
        what = "Keyless signing has no key to show: each signature has a key of its own, and a certificate that says who it was."
        raise ConfigError(what, remedy="Trust the workflow: `[[attest.identity]]` with `identity` and `issuer`.")
    return public_of(Path(rest), password=lambda shown: password_of(shown, environment=environment, ask=ask))


def _parts(uri: str) -> tuple[str, str]:
    """Scheme and rest of a URI; a path has none.

    Raises:
        ConfigError: it is of a kind that there is not.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        scheme, rest = "file", uri
    if scheme not in _SCHEMES or "\0" in rest or (scheme == "sigstore") == bool(rest):
        remedy = "Write the path of a key file (file:PATH where it has a colon), awskms:ARN, or sigstore: (in GitHub Actions)."
        raise ConfigError(f"{uri[:200]!r} names no key.", remedy=remedy)
    return scheme, rest
