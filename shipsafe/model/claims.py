"""What a builder says of a release and nobody can see in its zips: taken as claims, and named as such."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipsafe.model.location import Location
from shipsafe.model.tree import Source

NOBODY = "nobody"  # vouches: there is no attestation
UNATTESTED = "unattested"  # the builder, whom nobody vouches for


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One thing that was taken from the builder.

    Attributes:
        subject: `function:ID`, `layer:ID`, or `project` for what is said of the whole release.
        name: what it says: `commit`, `policy`, `source`, `lock`, `runtime`, ...
        value: as it says it; None where it says that there is none.
        vouched_by: whose attestation says the same, or NOBODY.
    """

    subject: str
    name: str
    value: str | None
    vouched_by: str = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What an SBOM says of one distribution: where it came from, what pinned it, and which it needs (normalised names)."""

    source: Source
    index: str | None = None
    hashes: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SbomClaims:
    """What an SBOM says of a zip beside what lies in it.

    Attributes:
        distributions: by the path of the `.dist-info` folder.
        code: paths of the files that are the function's own.
        runtime: what it was built for, or None.
    """

    distributions: Mapping[str, Claimed] = field(default_factory=dict)
    code: frozenset[str] = frozenset()
    runtime: str | None = None
