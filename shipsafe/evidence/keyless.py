"""Keyless signing in GitHub Actions: Sigstore (extra `sigstore`). What such a signature proves: `keyless_proof.py`.

There is no key to keep: each run has a key of its own, Fulcio certifies for ten minutes that the workflow of a repository holds it, and
Rekor logs each signature. What lasts is an identity (the URL of the workflow at a ref) and who vouched for it (the issuer of the token).

In an envelope such a signature carries its whole Sigstore bundle (`bundle`), as those of securesystemslib do: what it signs is the
envelope's pre-authentication encoding, so that one envelope may be signed by keys and by workflows.
Source: https://docs.sigstore.dev/about/bundle/; https://docs.github.com/actions/reference/security/oidc
"""

import json
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from securesystemslib.signer._key import Key
from securesystemslib.signer._signature import Signature
from securesystemslib.signer._signer import SecretsHandler, Signer
from securesystemslib.signer._sigstore_signer import SigstoreKey

from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.evidence.provenance import server_of, workflow_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sigstore.models import Bundle, ClientTrustConfig

_ISSUER = "https://token.actions.githubusercontent.com"
_AMBIENT = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
_INSTALL = "Install it: `pip install 'shipsafe[sigstore]'`."
# What sigstore, pydantic and cryptography raise over what is no bundle at all.
_MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)


class KeylessSigner(Signer):
    """A signer of securesystemslib that asks Fulcio for a certificate, when it first signs and whenever that has expired.

    Any number of threads may sign; one of them asks for all.
    """

    def __init__(
        self, identity: str, *, repository: str | None = None, trust: "Callable[[], ClientTrustConfig] | None" = None
    ) -> None:  # fmt: skip
        """A signer that has asked for nothing yet.

        Args:
            identity: who we expect to be.
            repository: that the run is of; None for the one that the workflow lies in.
            trust: where Fulcio and Rekor are, and their roots; else Sigstore's own, by TUF.
        """
        self._identity, self._repository, self._trust = identity, repository, trust
        self._context: Any = None
        self._opened: Any = None
        self._lock = Lock()

    @property
    def public_key(self) -> SigstoreKey:
        """Who signs; there is no key that lasts."""
        of = {"repository": self._repository} if self._repository else {}
        return SigstoreKey("sigstore", "sigstore-oidc", "Fulcio", {"identity": self._identity, "issuer": _ISSUER, **of})

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None) -> "KeylessSigner":
        """Not so: `evidence.keys.open_signers` reads our URIs."""
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        """A signature with its bundle; two of one payload differ.

        Raises:
            IncompleteError: GitHub gives no token, or Sigstore does not answer or refuses.
        """
        import requests  # noqa: PLC0415 - only whoever signs keyless needs it
        from sigstore._internal.fulcio.client import ExpiredCertificate, FulcioClientError  # noqa: PLC0415 - likewise; exported nowhere
        from sigstore._internal.rekor import RekorClientError  # noqa: PLC0415 - likewise
        from sigstore.errors import Error  # noqa: PLC0415 - likewise
        from sigstore.oidc import ExpiredIdentity  # noqa: PLC0415 - likewise

        refused = (Error, ExpiredCertificate, ExpiredIdentity, FulcioClientError, RekorClientError, requests.RequestException)
        try:
            signer = None
            try:
                signer = self._signer()
                bundle = signer.sign_artifact(payload)
            except (ExpiredCertificate, ExpiredIdentity):
                bundle = self._signer(expired=signer).sign_artifact(payload)
        except (*refused, *_MISSHAPEN) as error:
            what = f"Sigstore did not sign: {type(error).__name__}: {' '.join(str(error).split())[:200]}."
            raise IncompleteError(what, remedy="Run this again in a while, or sign with a key.") from error
        written = json.loads(bundle.to_json())
        return Signature(_spki(bundle), bundle.signature.hex(), {"bundle": written})

    def _signer(self, *, expired: Any = None) -> Any:
        """The signer with the certificate, and never the one that has expired."""
        with self._lock:
            if self._opened in (None, expired):
                self._opened = self._open()
            return self._opened

    def _open(self) -> Any:
        from sigstore.models import ClientTrustConfig  # noqa: PLC0415 - likewise
        from sigstore.oidc import IdentityError, IdentityToken, detect_credential  # noqa: PLC0415 - likewise
        from sigstore.sign import SigningContext  # noqa: PLC0415 - likewise

        credential = detect_credential()
        if credential is None:
            message = "GitHub Actions gives no token"
            raise IdentityError(message)
        self._context = self._context or SigningContext.from_trust_config((self._trust or ClientTrustConfig.production)())
        # The context manager of sigstore's signer holds nothing that would have to be closed; it ends with this process.
        return self._context.signer(IdentityToken(credential)).__enter__()


def open_keyless(environment: Mapping[str, str]) -> KeylessSigner:
    """A keyless signer, where this is GitHub Actions and the job may ask who it is. No socket is opened yet: a token lasts minutes.

    Raises:
        ConfigError: the extra is not installed, or this is no job with `id-token: write`.
    """
    _installed()
    lacking = [name for name in _AMBIENT if not environment.get(name)]
    if lacking:
        what = f"Keyless signing works in GitHub Actions, and {lacking[0]} is not set."
        raise ConfigError(what, remedy="Give the job `permissions: id-token: write`, or sign with a key file or awskms:ARN.")
    repository = environment.get("GITHUB_REPOSITORY")
    return KeylessSigner(workflow_of(environment), repository=f"{server_of(environment)}/{repository}" if repository else None)


def _installed() -> None:
    try:
        import sigstore  # noqa: F401, PLC0415 - is it there?
    except ImportError as error:
        raise ConfigError("Keyless signatures need the extra `sigstore`, which is not installed.", remedy=_INSTALL) from error


def _spki(bundle: "Bundle") -> str:
    from hashlib import sha256  # noqa: PLC0415 - likewise

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - likewise

    key = bundle.signing_certificate.public_key()
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
