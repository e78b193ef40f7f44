"""Keys, and DSSE envelopes as somebody else would write them: signed with `cryptography` alone, and able to lie in every field.

https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PROVENANCE, SBOM, GATES, SIGNING, OVERRIDE = (
    "https://slsa.dev/provenance/v1",
    "https://cyclonedx.org/bom",
    "urn:shipsafe:gates:v1",
    "urn:shipsafe:signing:v1",
    "urn:shipsafe:override:v1",
)
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A P-384 key."""

    name: str
    private: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls, name: str) -> "Key":
        return cls(name, ec.generate_private_key(ec.SECP384R1()))

    @property
    def public(self) -> str:
        """As a policy has it."""
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def keyid(self) -> str:
        der = self.private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    def write(self, folder: Path) -> str:
        """The URI of the key in a file that lies open."""
        path = folder / f"{self.name}.pem"
        path.touch(mode=0o600)
        path.write_bytes(
            self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return f"unsafe-unencrypted:{path}"

    def table(self, *roles: str, more: str = "") -> str:
        """As whom a policy lets it speak."""
        return f"\n[[attest.key]]\nname = '{self.name}'\nfor = {json.dumps(roles)}\npublic = '''\n{self.public}'''\n{more}"


def envelope(statement: Document, keys: Iterable[Key], *, payload_type: str = PAYLOAD_TYPE, keyid: str | None = None) -> bytes:
    """A line of a bundle; `keyid` is what the signatures say, if not the truth."""
    return wrapped(json.dumps(statement).encode(), keys, payload_type=payload_type, keyid=keyid)


def wrapped(payload: bytes, keys: Iterable[Key], *, payload_type: str = PAYLOAD_TYPE, keyid: str | None = None) -> bytes:
    """A line with that payload, whatever it is."""
    kind = payload_type.encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    signatures = [
        {"keyid": keyid or key.keyid, "sig": base64.b64encode(key.private.sign(signed, ec.ECDSA(hashes.SHA384()))).decode()} for key in keys
    ]
    return json.dumps({"payload": base64.b64encode(payload).decode(), "payloadType": payload_type, "signatures": signatures}).encode()


def statement(line: bytes) -> Document:
    """What an envelope says."""
    found: Document = json.loads(base64.b64decode(json.loads(line)["payload"]))
    return found


def kind(line: bytes) -> tuple[str, str]:
    """The predicate type, and who asked where gates speak."""
    document = statement(line)
    return document["predicateType"], document["predicate"].get("askedBy", "")


def is_of(line: bytes, predicate: str, asked_by: str = "builder") -> bool:
    """Whether it is that statement; of gates, the builder's if not told otherwise."""
    found, asked = kind(line)
    return found == predicate and (predicate != GATES or asked == asked_by)


def replaced(lines: Sequence[bytes], predicate: str, change: Callable[[bytes], bytes]) -> list[bytes]:
    """The bundle with that statement's envelope changed."""
    assert any(is_of(line, predicate) for line in lines), predicate
    return [change(line) if is_of(line, predicate) else line for line in lines]


def without(lines: Sequence[bytes], predicate: str) -> list[bytes]:
    """The bundle without that statement."""
    left = [line for line in lines if not is_of(line, predicate)]
    assert len(left) < len(lines), predicate
    return left


def edited(line: bytes, edit: Callable[[Document], None], keys: Iterable[Key]) -> bytes:
    """The statement with something else in it, signed anew by `keys`."""
    document = statement(line)
    edit(document)
    return envelope(document, keys)


def payload_edited(line: bytes, edit: Callable[[Document], None]) -> bytes:
    """The statement with something else in it, under the signatures that it had."""
    outer, document = json.loads(line), statement(line)
    edit(document)
    outer["payload"] = base64.b64encode(json.dumps(document).encode()).decode()
    return json.dumps(outer).encode()
