"""Advisories, and the one question the dependencies gate asks of whoever holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shipsafe.model.severity import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """One vulnerability or malicious release of one distribution, its twins (records that share an alias) merged.

    Attributes:
        id: the one to show: PYSEC before CVE before GHSA, as pip-audit chooses; MAL-* for malicious packages.
        aliases: all other ids, sorted.
        severity: from the highest CVSS score over the twins; `unscored` when none has one; malicious is critical.
        score: that score, 0.0 to 10.0, or None.
        fixed_versions: ascending.
    """

    id: str
    aliases: tuple[str, ...]
    summary: str
    severity: Severity
    score: float | None
    fixed_versions: tuple[str, ...] = ()
    malicious: bool = False
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A distribution to look up: normalised name, and the version as its metadata has it."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the source of advisories knows of one pin. `unaudited` says why it knows nothing (a 404), else ""."""

    pin: Pin
    advisories: tuple[Advisory, ...] = ()
    unaudited: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisoryInfo:
    """Which advisories were asked, for the screen, the reports and the release manifest.

    Attributes:
        source: `snapshot`, `folder`, `pypi` or `osv`.
        label: for people: `OSV snapshot of 2026-11-20`, `example data`.
        date: of the last successful pull (ISO 8601 UTC) or as the policy states it; None when not known.
        digest: `sha256:...` of the snapshot, None for an online service.
        records: how many, None for an online service.
    """

    source: str
    label: str
    date: str | None = None
    digest: str | None = None
    records: int | None = None


class Advisories(Protocol):
    """A source of advisories, ready to be asked from several threads at once."""

    @property
    def info(self) -> AdvisoryInfo:
        """Which one it is."""

    def ask(self, pins: Sequence[Pin]) -> Sequence[Answer]:
        """One answer per pin, in order.

        Raises:
            IncompleteError: the source could not answer; never taken for "nothing found".
        """
