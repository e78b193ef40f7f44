"""The key under which this user believes what lies in a cache: whoever can write there does not have it.

It is `SHIPSAFE_CACHE_KEY` where that is set, so that machines of one trust domain (the protected jobs of a pipeline) can share what
they learnt; else it lies in the user's configuration folder. A cache that comes from elsewhere is then nothing but slow.
"""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from shipsafe.adapters.places import config_dir
from shipsafe.errors import ConfigError

_VARIABLE = "SHIPSAFE_CACHE_KEY"
_SHORTEST = 16  # characters: whoever has a cache can try keys on its digests, millions a second
_FILE = "cache.key"
_OF_THIS_RUN = secrets.token_bytes(32)


def secret() -> bytes:
    """The key: of the environment, else of the user's configuration folder, else one that only this run knows.

    Raises:
        ConfigError: the key of the environment can be guessed.
    """
    told = os.environ.get(_VARIABLE)
    if told:
        if len(told) < _SHORTEST:
            raise ConfigError(f"{_VARIABLE} has fewer than {_SHORTEST} characters.", remedy="Make one: `openssl rand -hex 32`.")
        return hashlib.sha256(told.encode(errors="surrogateescape")).digest()
    path = config_dir() / _FILE
    with suppress(OSError, ValueError):
        if not path.exists():
            _write_secret(path)
        status = path.lstat()
        ours = not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o077)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
        if ours and not path.is_symlink() and len(key) == hashlib.sha256().digest_size:
            return key
    return _OF_THIS_RUN


def seal(data: bytes) -> str:
    """A digest of some bytes under the key, in hex."""
    return hmac.digest(secret(), data, "sha256").hex()


def is_sealed(data: bytes, digest: object) -> bool:
    """Whether it is the digest of these bytes under the key."""
    return isinstance(digest, str) and digest.isascii() and hmac.compare_digest(digest, seal(data))


def _write_secret(path: Path) -> None:
    """Write a new key so that of several processes one wins and none reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{secrets.token_hex(8)}.key")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(f"{secrets.token_hex(32)}\n")
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
