"""pip-audit's engine over pins, with our snapshot or with its own services.

The engine decides which results are the same advisory and which of its ids is shown; we add what it does not have: a severity, by
the highest CVSS score over all records that share an alias. Its modules are private: a contract test holds what is used here.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from packaging.version import Version
from pip_audit._audit import Auditor
from pip_audit._dependency_source import DependencySource
from pip_audit._service import Dependency, ResolvedDependency, ServiceError, VulnerabilityResult, VulnerabilityService

from shipsafe.advisories import records
from shipsafe.advisories.records import Record
from shipsafe.advisories.store import Store
from shipsafe.errors import IncompleteError
from shipsafe.model.advisory import Advisory, Answer, Pin
from shipsafe.model.severity import Severity

_PAUSES = (1.0, 3.0)  # seconds before the second and the third try
Twins = Callable[[set[str]], Sequence[Record]]


class StoreService(VulnerabilityService):
    """A snapshot as one of pip-audit's services."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def query(self, spec: Dependency) -> tuple[Dependency, list[VulnerabilityResult]]:
        """Every live record that speaks of the version."""
        name, version = spec.canonical_name, str(cast("ResolvedDependency", spec).version)
        found = [
            _result(record, name)
            for record in self._store.by_package(name)
            if not records.is_withdrawn(record) and records.affects(record, name, version)
        ]
        return spec, found


class _Pins(DependencySource):
    """Pins as a dependency source."""

    def __init__(self, pins: Sequence[Pin]) -> None:
        self._pins = pins

    def collect(self) -> Iterator[Dependency]:
        """One resolved dependency a pin."""
        for pin in self._pins:
            yield ResolvedDependency(pin.name, Version(pin.version))

    def fix(self, fix_version: Any) -> None:
        """Nothing is fixed here."""
        raise NotImplementedError


def audit(pins: Sequence[Pin], service: VulnerabilityService, twins: Twins, *, sleep: Callable[[float], None] = time.sleep) -> list[Answer]:
    """Ask about pins, in order. A local version (`2.1.0+cpu`) is looked up without its suffix.

    Args:
        pins: normalised names and PEP 440 versions.
        service: one of pip-audit's, or ours.
        twins: gives the records that have one of these ids, for their scores.
        sleep: waits, before another try.

    Raises:
        IncompleteError: whatever the service could not do.
    """
    public = [Pin(name=pin.name, version=Version(pin.version).public) for pin in pins]
    results = _ask(service, public, sleep)
    if len(results) != len(pins):
        raise IncompleteError("pip-audit did not answer about every distribution.", remedy="Report this as a bug.")
    return [_answer(pin, asked, dependency, found, twins) for pin, asked, (dependency, found) in zip(pins, public, results, strict=True)]


def _ask(
    service: VulnerabilityService, pins: Sequence[Pin], sleep: Callable[[float], None]
) -> list[tuple[Dependency, list[VulnerabilityResult]]]:
    """What the engine says, trying again where the network or the service failed."""
    try:
        for pause in _PAUSES:
            try:
                return list(Auditor(service).audit(_Pins(pins)))
            except (ServiceError, OSError):  # errors of requests are OSErrors
                sleep(pause)
        return list(Auditor(service).audit(_Pins(pins)))
    except IncompleteError:
        raise
    # Any exception of a service is "could not look": ReadTimeout, InvalidVersion and KeyError leave it uncaught (pip-audit 2.10).
    except Exception as error:
        raise IncompleteError(
            f"pip-audit could not ask its service ({type(error).__name__}: {str(error)[:200]}).", remedy="Try again later."
        ) from error


def _answer(
    pin: Pin,
    asked: Pin,
    dependency: Dependency,
    found: Sequence[VulnerabilityResult],
    twins: Twins,
) -> Answer:
    if dependency.is_skipped():
        return Answer(pin=pin, unaudited=str(getattr(dependency, "skip_reason", "pip-audit skipped it")))
    note = f"{pin.name} {pin.version} was looked up as {asked.version}." if asked.version != pin.version else ""
    return Answer(pin=pin, advisories=tuple(_advisory(group, twins) for group in _groups(found)), note=note)


def _groups(found: Sequence[VulnerabilityResult]) -> list[list[VulnerabilityResult]]:
    """Results that share an id, also through a third: the engine keeps two PYSEC records of one CVE apart."""
    groups: list[tuple[set[str], list[VulnerabilityResult]]] = []
    for result in found:
        names: set[str] = {result.id, *result.aliases}
        same = [group for group in groups if group[0] & names]
        members = [one for group in same for one in group[1]] + [result]
        groups = [group for group in groups if group not in same]
        groups.append((names.union(*(group[0] for group in same)), members))
    return [members for _, members in groups]


def _advisory(group: Sequence[VulnerabilityResult], twins: Twins) -> Advisory:
    first = group[0]
    names: set[str] = {str(name) for result in group for name in (result.id, *result.aliases)}
    related = [record for record in twins(names) if not records.is_withdrawn(record)]
    names |= {name for record in related for name in records.ids(record)}
    malicious = any(name.startswith("MAL-") for name in names)
    scores = [value for record in related if (value := records.score(record)) is not None]
    words = [value for record in related if (value := records.word_score(record)) is not None]
    score = max(scores, default=None)
    severity = records.severity_of(score if scores else max(words, default=None))
    fixed = sorted({version for result in group for version in result.fix_versions})
    return Advisory(
        id=str(first.id),
        aliases=tuple(sorted(names - {str(first.id)})),
        summary=" ".join(first.description.split())[:300],
        severity=Severity.CRITICAL if malicious else severity,
        score=score,
        fixed_versions=tuple(str(version) for version in fixed),
        malicious=malicious,
        references=(f"https://osv.dev/vulnerability/{first.id}",),
    )


def _result(record: Record, name: str) -> VulnerabilityResult:
    """A record as pip-audit's own OSV service would give it, but for versions that it crashes on."""
    described: Mapping[str, Any] = record
    text = str(described.get("summary") or described.get("details") or "N/A")
    return VulnerabilityResult.create(
        ids=[record["id"], *sorted(records.ids(record) - {record["id"]})],
        description=text.replace("\n", " "),
        fix_versions=sorted(records.fixed_versions(record, name)),
        published=None,
    )
