"""What is to be signed where, and the names that follow from it: keys in the bucket, and the token that makes a retry the same job.

Keys are addressed by content: `PREFIXunsigned/SHA256.zip` for what is uploaded, `PREFIXsigned/SHA256/JOB.zip` for what Signer writes
(Signer joins the prefix and the job's id as they stand). The token of a job is a SHA-256 over everything that makes it this job and not
another, so that a run that was killed, or one on another machine, asks for the same job again and never for a second.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from shipsafe.model.signing import ProfileVersion, S3Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """An artifact to sign: its name in the release manifest, the zip, hex SHA-256 and size in bytes of what was judged."""

    name: str
    path: Path
    sha256: str
    size: int


def unsigned_key(prefix: str, sha256: str) -> str:
    """Where an unsigned zip lies."""
    return f"{prefix}unsigned/{sha256}.zip"


def signed_prefix(prefix: str, sha256: str) -> str:
    """What the keys of its signed zips begin with; the job's id and `.zip` follow."""
    return f"{prefix}signed/{sha256}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One version of one object, to be signed by one profile version, in one account and region."""

    account: str
    region: str
    source: S3Object
    profile: ProfileVersion

    @property
    def id(self) -> str:
        """Hex SHA-256 over the ticket, as the journal names it."""
        return _digest(self._facts())

    def token(self, attempt: int) -> str:
        """The `clientRequestToken` of an attempt, counted from 1. An attempt is a new one only after the one before has failed."""
        return _digest([*self._facts(), str(attempt)])

    def _facts(self) -> list[str]:
        return [self.account, self.region, self.source.bucket, self.source.key, self.source.version, self.profile.arn]


def _digest(facts: list[str]) -> str:
    """JSON joins without ambiguity: no value can hold what separates two."""
    return hashlib.sha256(json.dumps(facts, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
