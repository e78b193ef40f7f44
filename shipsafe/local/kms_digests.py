"""KMS where moto differs from AWS: `MessageType=DIGEST`, and what GetPublicKey says.

Whoever signs more than 4,096 bytes sends a digest. moto takes it for a message and hashes it once more, so that its signature is one over
something else. Source: AWS KMS API Reference, "Sign" (MessageType) and "GetPublicKey" (KeyId is the ARN; KeySpec).
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any

_IS_DIGEST: ContextVar[bool] = ContextVar("is_digest", default=False)


@cache
def take_digests() -> None:
    """Teach moto's KMS that, once a process: endpoints may follow one another in one."""
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed  # noqa: PLC0415 - only with moto
    from moto.kms.responses import KmsResponse  # noqa: PLC0415 - likewise
    from moto.kms.utils import ECDSAPrivateKey  # noqa: PLC0415 - likewise

    mangled = "_ECDSAPrivateKey__hash_algorithm"  # private to its class, and the one place that knows how a message is hashed
    hashed = getattr(ECDSAPrivateKey, mangled)

    def hash_algorithm(key: Any, signing_algorithm: str) -> Any:
        algorithm = hashed(key, signing_algorithm)
        return Prehashed(algorithm) if _IS_DIGEST.get() else algorithm

    setattr(ECDSAPrivateKey, mangled, hash_algorithm)
    for name, teach in (("sign", _minding_the_type), ("verify", _minding_the_type), ("get_public_key", _telling_all)):
        setattr(KmsResponse, name, teach(getattr(KmsResponse, name)))


def _minding_the_type(plain: Callable[[Any], str]) -> Callable[[Any], str]:
    from moto.kms.exceptions import ValidationException  # noqa: PLC0415 - likewise
    from moto.kms.utils import ECDSAPrivateKey  # noqa: PLC0415 - likewise

    def answer(response: Any) -> str:
        if response._get_param("MessageType") != "DIGEST":  # noqa: SLF001 - how moto's own answers read their parameters
            return plain(response)
        key = response.kms_backend.describe_key(response._get_param("KeyId"))  # noqa: SLF001 - likewise
        if not isinstance(key.private_key, ECDSAPrivateKey):
            raise NotImplementedError  # which the endpoint answers with 501
        marked = _IS_DIGEST.set(True)
        try:
            return plain(response)
        except ValueError as error:  # of `cryptography`: another length than the algorithm's
            algorithm = response._get_param("SigningAlgorithm")  # noqa: SLF001 - likewise
            message = f"Digest is invalid length for algorithm {algorithm}."
            raise ValidationException(message) from error
        finally:
            _IS_DIGEST.reset(marked)

    return answer


def _telling_all(plain: Callable[[Any], str]) -> Callable[[Any], str]:
    def answer(response: Any) -> str:
        told = json.loads(plain(response))
        key = response.kms_backend.describe_key(told["KeyId"])
        return json.dumps(told | {"KeyId": key.arn, "KeySpec": key.key_spec})

    return answer
