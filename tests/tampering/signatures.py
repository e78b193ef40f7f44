"""AWS signatures of every kind that AWS would not make: other roots, other chains, other days, other profiles."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shipsafe.local.cms import write_signature
from shipsafe.local.pki import Leaf, LocalRoot
from shipsafe.local.sign_zip import sign_zip
from tests.local_endpoint import ACCOUNT, REGION

JOB = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/0b39c1d4-8d3e-4a55-9c86-2a1e2b3c4d5e"
YEARS = timedelta(days=365 * 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forger:
    """Whoever signs zips as Signer does, under a root of their own choice.

    `profile_version` and `job` are what the signature says; `signed_at` too. `leaf_begins` is when the certificate begins, if not then;
    `length` how many certificates of the chain are in it.
    """

    root: LocalRoot
    profile_version: str
    job: str = JOB
    signed_at: datetime | None = None
    expires: datetime | None = None
    leaf_begins: datetime | None = None
    length: int = 4

    def sign(self, unsigned: bytes) -> bytes:
        """The zip with the signature in it."""
        at = self.signed_at or datetime.now(UTC)
        whole = self.root.issue(self.leaf_begins or at)
        leaf = Leaf(whole.key, whole.chain[: self.length])

        def text(content: bytes) -> bytes:
            return write_signature(
                content, leaf, job=self.job, profile_version=self.profile_version, signed_at=at, expires=self.expires or at + YEARS
            )

        return sign_zip(unsigned, text)
