"""What can be said of a tree that another tool installed: whose each file is, and where its distributions came from.

A distribution with a RECORD is what its metadata says (PREBUILT): advisories are asked about that version, and nothing proves that
its files are the index's. One without, or one that says itself that it came from elsewhere, is believed nothing (BUNDLED). A file
of the code that is equal to the source's is located there, where people edit it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, read_bounded, relative
from shipsafe.adapters.uv import without_credentials
from shipsafe.errors import ConfigError
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.tree import Distribution, Entry, Origin, Problem, ProblemKind, Source
from shipsafe.packing.distributions import describe
from shipsafe.packing.draft import Draft
from shipsafe.packing.indexes import is_pypi
from shipsafe.packing.lock_comparison import Comparison, Lock, compare
from shipsafe.packing.needs import Needs
from shipsafe.packing.records import Owned, changed_by_folder, named, read_records
from shipsafe.packing.select import never_ships
from shipsafe.packing.source_tree import SourceTree

_DIRECT_URL = "direct_url.json"
_LARGEST_NOTE = MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a tree is, beside its files and problems, which stand in the draft.

    `ours` are the paths of files that are equal to the source's; `agrees_with` as in `StagedTree`.
    """

    distributions: tuple[Distribution, ...]
    ours: frozenset[str]
    notes: tuple[str, ...]
    agrees_with: str | None


def know(
    draft: Draft, *, lock: Lock | None, source: SourceTree | None, root: Path, policy: Policy, environment: Mapping[str, str]
) -> Known:  # fmt: skip
    """Say of what was laid whose each file is, which distributions there are, and whether they are those of the lock.

    Args:
        draft: the tree to be, with its files; origins, locations and problems are set in it.
        lock: what the function should have, or None where nothing says so.
        source: the folder that it was built from, or None where that is not known.
        root: the project's root.
        policy: for what is first-party, and which index claims a name.
        environment: PEP 508 marker variables of the runtime.
    """
    owned = read_records(draft.entries)
    needs = lock.needs if lock else Needs()
    found = describe(draft.entries, prefix="", known=(), pinned={}, needs=needs, environment=environment)
    local = frozenset(one.name for one in needs.local)
    origins = _Origins(entries=draft.entries, owned=owned, source=source, policy=policy, local=local)
    found = tuple(origins.told(one) for one in found)
    theirs = {one.dist_info for one in found if one.source is Source.PREBUILT}
    ours, notes = _locate(draft, {path for path, folder in owned.unchanged.items() if folder in theirs}, source, root)
    notes += _note_absent(found, owned)
    draft.problems += _changed(found, owned, draft.entries)
    compared = compare(lock, found, draft.entries, source) if lock else Comparison()
    draft.problems += compared.problems
    return Known(
        distributions=tuple(_placed(one, needs, policy) for one in found),
        ours=frozenset(ours),
        notes=tuple(notes),
        agrees_with=compared.agrees_with,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origins:
    """Where the distributions of a tree come from, as far as its files say."""

    entries: Mapping[str, Entry]
    owned: Owned
    source: SourceTree | None
    policy: Policy
    local: frozenset[str]

    def told(self, one: Distribution) -> Distribution:
        """With its source: PREBUILT where its metadata may be believed, else BUNDLED with the doubt."""
        folder = one.dist_info or ""
        if self._lay_in_source(folder):
            return one
        if one.name in self.local:
            return replace(one, source=Source.LOCAL)  # the repository's own code, which is linted
        if folder in self.owned.unreadable or f"{folder}/RECORD" not in self.entries:
            return replace(one, doubt="has no RECORD, so that nobody can say which files are its own")
        if doubt := self._came_from_elsewhere(folder):
            return replace(one, doubt=doubt)
        if self.policy.is_first_party(one.name):
            return one  # ours: its files are code of our own, and are linted
        return replace(one, source=Source.PREBUILT)

    def _lay_in_source(self, folder: str) -> bool:
        metadata = self.entries.get(f"{folder}/METADATA")
        return self.source is not None and metadata is not None and self.source.same(metadata) is not None

    def _came_from_elsewhere(self, folder: str) -> str:
        """What `direct_url.json` says of a distribution that did not come from an index (PEP 610), or ""."""
        entry = self.entries.get(f"{folder}/{_DIRECT_URL}")
        if entry is None:
            return ""
        try:
            told: Any = json.loads(read_bounded(entry.source, limit=_LARGEST_NOTE, shown=entry.path))
        except (ConfigError, ValueError, RecursionError):
            told = None
        url = told.get("url") if isinstance(told, dict) else None
        shown = without_credentials(url)[:200] if isinstance(url, str) and url.isprintable() else "an address that cannot be read"
        return f"was installed from {shown} and not from an index"


def _locate(draft: Draft, dependencies: set[str], source: SourceTree | None, root: Path) -> tuple[list[str], list[str]]:
    """Set origins, and the places where people edit the code; what is the source's, and a note on what is no longer."""
    ours: list[str] = []
    stale: list[str] = []
    for path, entry in draft.entries.items():
        if source and (file := source.same(entry)):
            ours.append(path)
            draft.entries[path] = replace(entry, location=Location(path=relative(file, root)))
        elif path in dependencies:
            draft.entries[path] = replace(entry, origin=Origin.DEPENDENCY)
        elif source and source.file(path):
            stale.append(path)
    if not stale or source is None:
        return ours, []
    return ours, [f"Files of the build are not those of {relative(source.folder, root)}, which may be newer: {named(sorted(stale))}."]


def _note_absent(found: Sequence[Distribution], owned: Owned) -> list[str]:
    """What slimming tools take out; caches of Python are nothing to speak of."""
    notes = []
    for one in found:
        absent = [path for path in owned.absent.get(one.dist_info or "", []) if not never_ships(path)]
        if absent and one.source is Source.PREBUILT:
            notes.append(f"{len(absent)} files that the RECORD of {one.name} names are not in the build: {named(absent, most=2)}.")
    return notes


def _changed(found: Sequence[Distribution], owned: Owned, entries: Mapping[str, Entry]) -> list[Problem]:
    by_folder = {one.dist_info: one for one in found}
    problems = []
    for folder, paths in changed_by_folder(owned):
        one = by_folder[folder]
        if one.source is Source.PREBUILT:
            message = f"{one.name} {one.version} is not what was published: its RECORD has other hashes for {named(paths)}."
            problems.append(Problem(kind=ProblemKind.MODIFIED, key=one.name, message=message, location=entries[paths[0]].location))
    return problems


def _placed(one: Distribution, needs: Needs, policy: Policy) -> Distribution:
    """With the line that asks for it, and a doubt where the lock says that it is not PyPI's. Its index nobody knows."""
    if one.source is not Source.PREBUILT:
        return one
    asked = next((wanted.location for wanted in needs.wanted if wanted.name == one.name), None)
    claimed = needs.claimed.get(one.name)
    foreign = claimed is not None and not is_pypi(claimed, policy)
    doubt = f"is locked from {without_credentials(claimed)[:200]}, which advisories do not cover" if claimed and foreign else ""
    return replace(one, location=asked or one.location, doubt=doubt)
