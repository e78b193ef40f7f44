"""Making a key, and showing the public half of one as the table that a policy takes.

    key = made(Path("ci.pem"), unprotected=False)
    print(table(key, name="ci", roles=[Role.BUILDER]))

Nothing is ever overwritten, and a password is asked for before anything is made.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from shipsafe.evidence.key_file import check_free, make
from shipsafe.evidence.keys import public_key_of
from shipsafe.evidence.passwords import new_password
from shipsafe.evidence.public_key import PublicKey
from shipsafe.model.attestation import Role

_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 40  # characters of a name that we make


def made(path: Path, *, unprotected: bool) -> PublicKey:
    """A new key in a file, and its public half beside it.

    Raises:
        ConfigError: one of the files is there, or there is no password that would do.
        IncompleteError: the disk refuses.
    """
    check_free(path)  # before somebody types a password twice for nothing
    return make(path, password=None if unprotected else new_password(str(path)))


def shown(uri: str) -> PublicKey:
    """The public half of a key.

    Raises:
        ConfigError, IncompleteError: it cannot be opened.
    """
    return public_key_of(uri)


def table(key: PublicKey, *, name: str, roles: Iterable[Role]) -> str:
    """The key as `[[attest.key]]` of a policy, ready to be pasted."""
    lines = ["[[attest.key]]", f"# {key.algorithm}, SHA-256 of the public key: {key.spki}", f"name = {json.dumps(name)}"]
    return "\n".join([*lines, f"for = {json.dumps([role.value for role in roles])}", "public = '''", key.pem, "'''"])


def name_of(uri: str) -> str:
    """A name for a key that nobody named: `ci` for `keys/ci.pem` and for the alias `alias/ci`."""
    last = uri.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    return _ODD.sub("-", last.removesuffix(".pub").removesuffix(".pem"))[:_LONGEST].strip("-") or "key"
