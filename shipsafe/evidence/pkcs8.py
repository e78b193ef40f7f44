"""A private key under a password: PKCS#8, AES-256-CBC, the key of which comes from the password through scrypt.

Source: RFC 5958, RFC 8018 (PBES2), RFC 7914 (scrypt).

    pem = encrypted(der, b"correct horse", random=secrets.token_bytes)

`cryptography` reads this form and cannot write it: its `BestAvailableEncryption` takes 2,048 rounds of PBKDF2, at which a graphics card
tries a million passwords a second. OpenSSL reads it, too: `openssl pkey -in FILE`.
"""

import hashlib
from collections.abc import Callable
from typing import Any

_SCRYPT = "1.3.6.1.4.1.11591.4.11"
# OWASP Password Storage Cheat Sheet; 16 MiB, because OpenSSL refuses to spend more than 32.
_N, _R, _P = 2**14, 8, 5
_MOST_SCRYPT = 512 * 1024 * 1024  # bytes that opening somebody else's key may go through: one to two seconds
_MOST_ROUNDS = 20_000_000  # of PBKDF2: some seconds
_BLOCK = 128  # bits, of AES


def encrypted(der: bytes, password: bytes, *, random: Callable[[int], bytes]) -> bytes:
    """A private key (PKCS#8, DER) as encrypted PEM."""
    from asn1crypto import keys, pem  # noqa: PLC0415 - only whoever makes a key needs it
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.padding import PKCS7  # noqa: PLC0415 - likewise

    salt, start = random(16), random(16)
    key = hashlib.scrypt(password, salt=salt, n=_N, r=_R, p=_P, dklen=32)
    padder, encryptor = PKCS7(_BLOCK).padder(), Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    hidden = encryptor.update(padder.update(der) + padder.finalize()) + encryptor.finalize()
    derivation = {"algorithm": _SCRYPT, "parameters": _scrypt_params()({"salt": salt, "n": _N, "r": _R, "p": _P, "key_length": 32})}
    scheme = {"algorithm": "aes256_cbc", "parameters": start}
    parameters = {"key_derivation_func": derivation, "encryption_scheme": scheme}
    info = keys.EncryptedPrivateKeyInfo(
        {"encryption_algorithm": {"algorithm": "pbes2", "parameters": parameters}, "encrypted_data": hidden}
    )
    return bytes(pem.armor("ENCRYPTED PRIVATE KEY", info.dump()))


def costs_too_much(data: bytes) -> bool:
    """Whether opening this encrypted PEM would take unreasonable time or memory, as its own parameters say.

    Raises:
        ValueError: it is no encrypted PKCS#8, or its password is used in a way that RFC 8018 calls old.
    """
    from asn1crypto import keys, pem  # noqa: PLC0415 - likewise

    _, _, der = pem.unarmor(data)
    try:
        algorithm = keys.EncryptedPrivateKeyInfo.load(der)["encryption_algorithm"]
        if algorithm["algorithm"].native != "pbes2":
            message = "PKCS#8 that is not under PBES2"
            raise ValueError(message)
        derivation = algorithm["parameters"]["key_derivation_func"]
        if derivation["algorithm"].dotted == _SCRYPT:
            cost = _scrypt_params().load(derivation["parameters"].dump()).native
            return bool(128 * cost["n"] * cost["r"] * cost["p"] > _MOST_SCRYPT)
        return bool(derivation["parameters"]["iteration_count"].native > _MOST_ROUNDS)
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _scrypt_params() -> Any:
    """RFC 7914, section 7; asn1crypto has no scrypt."""
    from asn1crypto import core  # noqa: PLC0415 - likewise

    class ScryptParams(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
        _fields = [  # noqa: RUF012 - asn1crypto's form
            ("salt", core.OctetString),
            ("n", core.Integer),
            ("r", core.Integer),
            ("p", core.Integer),
            ("key_length", core.Integer, {"optional": True}),
        ]

    return ScryptParams
