"""A signing record, read back: the `SignedArtifact` that it states. Whose word it is has been asked before (`trust.vouched`).

    recorded(vouched.statement, shown="dist/Orders.intoto.jsonl").job

    vouched_record(envelope, policy.attest, shown=...).job     # whose word it is, on the day that it says of itself

Every member must be there, of its shape, and agree with the subjects: what is half a record is none.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.evidence.envelope import statement_of
from shipsafe.evidence.trust import vouched
from shipsafe.model.attestation import AttestPolicy, Envelope, Predicate, Statement
from shipsafe.model.moments import from_text
from shipsafe.model.signing import ProfileVersion, S3Object, SignedArtifact, SigningJob

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_TEXTS = ("artifact", "target", "account", "region", "job", "profileVersion", "signedAt", "expires", "root", "trust")


def recorded(statement: Statement, *, shown: str) -> SignedArtifact:
    """What a signing record says.

    Args:
        statement: of `urn:shipsafe:signing:v1`.
        shown: where it comes from, for people.

    Raises:
        IntegrityError: it is no whole signing record, or says two things of one digest.
    """
    told = statement.predicate

    def wrong(what: str) -> IntegrityError:
        return IntegrityError(f"The signing record cannot be used: {what}.", remedy="Sign the unsigned zip again.", path=shown)

    for name in _TEXTS:
        if not isinstance(told.get(name), str):
            raise wrong(f"it does not say its {name}")
    try:
        unsigned, signed = told["unsigned"]["sha256"], told["signed"]["sha256"]
        code_sha256, size = told["signed"]["codeSha256"], told["signed"]["size"]
        if [one.digests["sha256"] for one in statement.subjects] != [unsigned, signed] or not _SHA256.fullmatch(signed):
            raise wrong("its subjects are not what it says was signed")
        if code_sha256 != code_sha256_of(signed) or not isinstance(size, int):
            raise wrong("its CodeSha256 is not that of the signed zip")
        if not _ACCOUNT.fullmatch(told["account"]):
            raise wrong("its account has not twelve digits")
        return SignedArtifact(
            artifact=told["artifact"],
            target=told["target"],
            account=told["account"],
            region=told["region"],
            unsigned_sha256=unsigned,
            source=_place(told["source"]),
            object=_place(told["object"]),
            size=size,
            sha256=signed,
            code_sha256=code_sha256,
            job=SigningJob.parse(told["job"]).arn,
            profile_version=ProfileVersion.parse(told["profileVersion"]).arn,
            signed_at=from_text(told["signedAt"]),
            expires=from_text(told["expires"]),
            root=told["root"],
            trust=told["trust"],
        )
    except (ConfigError, IncompleteError) as error:
        raise wrong(error.what.rstrip(".")) from error
    except (KeyError, OverflowError, TypeError, ValueError) as error:  # a time at either end of the calendar has none in UTC
        raise wrong("a member is missing, or of another kind") from error


def vouched_record(envelope: Envelope, trusted: AttestPolicy, *, shown: str) -> SignedArtifact:
    """What a signing record says, where enough keys signed it that were valid on the day on which it says that the zip was signed.

    That day is its own word: a key that leaked has to leave the policy. Where AWS or the zip itself tells the day, ask `trust.vouched`.

    Raises:
        IntegrityError: it is no whole signing record, or not signed by whom the policy trusts.
        IncompleteError: a keyless signature could not be looked at.
    """
    statement = statement_of(envelope, shown=shown)
    if statement.kind != Predicate.SIGNING:
        raise IntegrityError(f"It is no signing record but a {statement.kind[:80]!r}.", path=shown)
    record = recorded(statement, shown=shown)
    vouched(envelope, trusted, at=record.signed_at.date(), shown=shown, statement=statement)
    return record


def code_sha256_of(sha256: str) -> str:
    """A digest in hex, as Lambda writes it in `CodeSha256`: base64."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def sha256_of(code_sha256: str) -> str:
    """Lambda's `CodeSha256` in hex.

    Raises:
        IncompleteError: it is no SHA-256.
    """
    try:
        raw = base64.b64decode(code_sha256, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 32:  # noqa: PLR2004 - bytes of a SHA-256
        raise IncompleteError(f"{code_sha256[:80]!r} is no CodeSha256.", remedy="Find out what answers in AWS's place.")
    return raw.hex()


def _place(told: Mapping[str, Any]) -> S3Object:
    bucket, key, version = told["bucket"], told["key"], told["version"]
    if not all(isinstance(one, str) for one in (bucket, key, version)):
        raise TypeError
    return S3Object(bucket=bucket, key=key, version=version)
