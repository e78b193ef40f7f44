"""What somebody asks `verify` for, and what answers it. Nothing in it comes from what is verified: the policy is the verifier's own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from shipsafe.errors import ShipsafeError
from shipsafe.model.advisory import Advisories
from shipsafe.model.attestation import Envelope
from shipsafe.model.baseline import Baseline
from shipsafe.model.override import Override
from shipsafe.model.policy import Policy
from shipsafe.model.vex import Statement


class Keeper(Protocol):
    """Where evidence is kept (`evidence/store`). What it gives is believed no more than a file that somebody sent."""

    def about(self, sha256: str) -> Sequence[Envelope]:
        """The envelopes of which that digest, hex, is a subject.

        Raises:
            IncompleteError: it cannot be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What is held against what.

    Attributes:
        policy: the verifier's own, never that of a release.
        now: UTC. Waivers end, signatures expire and advisories age by it.
        release: the folder of a release to find evidence in, beside the one that a file lies in; or None.
        manifest_digest: `sha256:HEX` that the manifest of every release has to be that is read, or None.
        bundles: further files of envelopes.
        store: where evidence is kept, or None.
        local_root: hex SHA-256 of the local endpoint's root, where it is honoured, or None.
        advisories: today's, ready to be asked; or why they cannot be; None where there are none.
        baseline, statements: what the policy knows beforehand: findings, and what VEX documents say.
        jobs: how many zips are looked at at once.
        override: with which whoever looks goes on (`deploy --break-glass`), after it was asked for again; None for whoever only looks.
    """

    policy: Policy
    now: datetime
    release: Path | None = None
    manifest_digest: str | None = None
    bundles: tuple[Path, ...] = ()
    store: Keeper | None = None
    local_root: str | None = None
    advisories: Advisories | ShipsafeError | None = None
    baseline: Baseline | None = None
    statements: tuple[Statement, ...] = field(default=())
    jobs: int = 2
    override: Override | None = None

    @property
    def today(self) -> date:
        """The day in UTC."""
        return self.now.date()
