"""OSV's published evaluation algorithm, written plainly and apart from the program that it checks.

Source: "Evaluation", https://ossf.github.io/osv-schema/#evaluation. A version is affected when it is listed, or when it lies in a
range and before its limits. Names are normalised (PEP 503) and versions compared as PEP 440 says, as OSV's API does for PyPI.
The schema does not say what an event means that is no version of the ecosystem; here such an event is passed over.
"""

import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


class Matcher:
    """Records, asked which of them speak of a version."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self.records = {record["id"]: record for record in records}
        self._by_name: dict[str, set[str]] = defaultdict(set)
        for record in self.records.values():
            for affected in record.get("affected", []):
                if affected["package"]["ecosystem"] == "PyPI":
                    self._by_name[canonicalize_name(affected["package"]["name"])].add(record["id"])
        self._first = _first_of_each_family(self.records.values())

    @classmethod
    def of_zip(cls, path: Path) -> "Matcher":
        """All records of an OSV export."""
        with zipfile.ZipFile(path) as opened:
            return cls([json.loads(opened.read(name)) for name in opened.namelist()])

    @property
    def names(self) -> list[str]:
        """Normalised names of all packages, sorted."""
        return sorted(self._by_name)

    def of_package(self, name: str) -> list[Mapping[str, Any]]:
        """Every record that names a package, by id."""
        return [self.records[one] for one in sorted(self._by_name.get(canonicalize_name(name), ()))]

    def matching(self, name: str, version: str) -> list[Mapping[str, Any]]:
        """Records that speak of that version, withdrawn ones too, by id."""
        return [record for record in self.of_package(name) if is_vulnerable(record, name, version)]

    def families(self, ids: Iterable[str]) -> set[str]:
        """One id for each set of ids that are aliases of each other, also through a third."""
        return {self._first.get(one, one) for one in ids}


def is_vulnerable(record: Mapping[str, Any], name: str, version: str) -> bool:
    """`IsVulnerable` of the specification."""
    for affected in record.get("affected", []):
        package = affected["package"]
        if package["ecosystem"] != "PyPI" or canonicalize_name(package["name"]) != canonicalize_name(name):
            continue
        if _in_versions(version, affected.get("versions", [])) or _in_ranges(version, affected.get("ranges", [])):
            return True
    return False


def _in_versions(version: str, versions: list[str]) -> bool:
    key = _key(version)
    return any(one == version or (key is not None and _key(one) == key) for one in versions)


def _in_ranges(version: str, ranges: list[Mapping[str, Any]]) -> bool:
    key = _key(version)
    if key is None:
        return False
    for one in ranges:
        if one["type"] != "ECOSYSTEM" or not _before_limits(key, one["events"]):
            continue
        vulnerable = False
        for bound, kind in _sorted_events(one["events"]):
            if kind == "introduced":
                vulnerable = vulnerable or bound is None or key >= bound
            elif bound is not None and (key >= bound if kind == "fixed" else key > bound):
                vulnerable = False
        if vulnerable:
            return True
    return False


def _before_limits(key: Version, events: list[Mapping[str, str]]) -> bool:
    limits = [event["limit"] for event in events if "limit" in event]
    return not limits or any(limit == "*" or ((bound := _key(limit)) is not None and key < bound) for limit in limits)


def _sorted_events(events: list[Mapping[str, str]]) -> list[tuple[Version | None, str]]:
    """By version; None is the beginning ("0", before every version)."""
    first: list[tuple[Version | None, str]] = [(None, "introduced") for event in events if event.get("introduced") == "0"]
    later = []
    for event in events:
        for kind, text in event.items():
            if kind != "limit" and (kind, text) != ("introduced", "0") and (bound := _key(text)) is not None:
                later.append((bound, kind))
    return first + sorted(later, key=lambda one: (one[0], one[1] == "introduced"))


@cache
def _key(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _first_of_each_family(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """For each id the smallest id of its family."""
    families: dict[str, set[str]] = {}
    for record in records:
        family = {record["id"], *record.get("aliases", [])}
        for other in [families[one] for one in family if one in families]:
            family |= other
        families |= dict.fromkeys(family, family)
    return {one: min(family) for one, family in families.items()}
