"""What a keyless signature proves: that a workflow (an identity), for which an issuer vouched, signed these bytes. Offline.

    holds(bundle, sha256, identity, root=embedded_root())

Looked at: Fulcio's chain at the time that Rekor or a timestamp authority vouches for, the certificate transparency log, the inclusion in
Rekor, the identity and its issuer, both exactly, the repository that the run was of, and the signature.

A reusable workflow has one identity in every repository that calls it. So the Source Repository URI of the certificate has to be the
`repository` of the trusted identity; without one, the repository that the workflow itself lies in.
Sources: https://docs.sigstore.dev/about/bundle/; https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md (1.3.6.1.4.1.57264.1.12)
"""

import json
import logging
from typing import TYPE_CHECKING
from urllib.parse import quote

from shipsafe.errors import IncompleteError
from shipsafe.model.attestation import TrustedIdentity

if TYPE_CHECKING:
    from sigstore.models import TrustedRoot

_INSTALL = "Install it: `pip install 'shipsafe[sigstore]'`."
_ROOT = "https://tuf-repo-cdn.sigstore.dev"
_LARGEST = 256 * 1024  # characters of a bundle
# What sigstore, pydantic and cryptography raise over what is no bundle at all.
_MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)


def embedded_root() -> "TrustedRoot":
    """The root of trust that came with the installed sigstore.

    Not the one in its cache: sigstore takes that unverified when offline, and whoever can write to a cache would decide whom it trusts.

    Raises:
        IncompleteError: the extra is not installed, or has no root that can be read.
    """
    from importlib.resources import as_file, files  # noqa: PLC0415 - only whoever verifies keyless signatures needs it

    try:
        from sigstore.errors import Error  # noqa: PLC0415 - likewise
        from sigstore.models import TrustedRoot  # noqa: PLC0415 - likewise
    except ImportError as error:
        raise IncompleteError("A keyless signature cannot be looked at without the extra `sigstore`.", remedy=_INSTALL) from error
    try:
        with as_file(files("sigstore._store").joinpath(quote(_ROOT, safe=""), "trusted_root.json")) as path:
            return TrustedRoot.from_file(str(path))
    except (OSError, Error, *_MISSHAPEN) as error:
        raise IncompleteError("The installed sigstore has no root of trust that can be read.", remedy=_INSTALL) from error


def holds(bundle: object, sha256: bytes, identity: TrustedIdentity, *, root: "TrustedRoot") -> bool:
    """Whether a bundle is a signature by exactly that identity over data of that SHA-256, under that root.

    Args:
        bundle: what the envelope has, whatever it is.
        sha256: of the signed data, 32 bytes.
        identity: whose signature is looked for.
        root: of Sigstore.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - likewise
    from cryptography.x509 import ExtensionNotFound  # noqa: PLC0415 - likewise
    from sigstore.errors import Error  # noqa: PLC0415 - likewise
    from sigstore.hashes import Hashed  # noqa: PLC0415 - likewise
    from sigstore.models import Bundle  # noqa: PLC0415 - likewise
    from sigstore.verify import Verifier  # noqa: PLC0415 - likewise
    from sigstore.verify.policy import AllOf, Identity, OIDCSourceRepositoryURI  # noqa: PLC0415 - likewise
    from sigstore_models.common.v1 import HashAlgorithm  # noqa: PLC0415 - likewise

    text = json.dumps(bundle)
    if len(text) > _LARGEST:
        return False
    logging.getLogger("sigstore").setLevel(logging.ERROR)  # its warnings are about what bundles of others may contain
    try:
        hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=sha256)
        name, issuer, repository = identity.who
        who = Identity(identity=name, issuer=issuer)
        whose = [OIDCSourceRepositoryURI(repository)] if repository else []
        Verifier(trusted_root=root).verify_artifact(hashed, Bundle.from_json(text), AllOf([who, *whose]))
    except (Error, UnsupportedAlgorithm, ExtensionNotFound, *_MISSHAPEN):
        return False
    return True
