"""AWS signatures of every kind that AWS would not make: other roots, other chains, other days, other profiles."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shipsafe.local.cms import write_signature
from shipsafe.local.pki import Leaf, LocalRoot
from shipsafe.local.sign_zip import sign_zip

YEARS = timedelta(days=365 * 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forger:
    """Whoever signs zips as Signer does, under a root of their own choice.

    `profile_version` and `job` are what the signature says; `signed_at` too. `leaf_begins` is when the certificate begins, if not then;
    `length` how many certificates of the chain are in it.
    """

    root: LocalRoot
    profile_version: str
    job: str
    signed_at: datetime
    expires: datetime | None = None
    leaf_begins: datetime | None = None
    length: int = 4

    @property
    def at(self) -> datetime:
        """To the millisecond, as a signature has it."""
        return self.signed_at.replace(microsecond=self.signed_at.microsecond // 1000 * 1000)

    @property
    def until(self) -> datetime:
        return self.expires or self.at + YEARS

    def sign(self, unsigned: bytes) -> bytes:
        """The zip with the signature in it."""
        whole = self.root.issue(self.leaf_begins or self.at)
        leaf = Leaf(whole.key, whole.chain[: self.length])

        def text(content: bytes) -> bytes:
            return write_signature(content, leaf, job=self.job, profile_version=self.profile_version, signed_at=self.at, expires=self.until)

        return sign_zip(unsigned, text)


def written(moment: datetime) -> str:
    """As a signing record has times."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
