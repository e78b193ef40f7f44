"""What can be said of a tree that another tool installed: whose each file is, and where its distributions came from.

A distribution with a RECORD is what its metadata says (PREBUILT): advisories are asked about that version, and nothing proves that
its files are the index's. One without, or one that says itself that it came from elsewhere, is believed nothing (BUNDLED). A file
of the code that is equal to the source's is located there, where people edit it.

Of a zip that shipsafe has built, its SBOM says where each distribution came from. That is taken as a claim, within what the zip shows:
only what a RECORD names with its hash is a dependency's file, and what the SBOM calls the function's own is linted as such.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, read_bounded, relative
from shipsafe.adapters.uv import without_credentials
from shipsafe.errors import ConfigError
from shipsafe.model.claims import Claimed, SbomClaims
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
_LAYER = "python/"  # where the modules of a layer lie that was built for Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a tree is, beside its files and problems, which stand in the draft.

    `ours` are the paths of files that are equal to the source's; `agrees_with` as in `StagedTree`.
    """

    distributions: tuple[Distribution, ...]
    ours: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    agrees_with: str | None = None


def know(
    draft: Draft, *, lock: Lock | None, source: SourceTree | None, root: Path, policy: Policy, environment: Mapping[str, str],
    claims: SbomClaims | None = None,
) -> Known:  # fmt: skip
    """Say of what was laid whose each file is, which distributions there are, and whether they are those of the lock.

    Args:
        draft: the tree to be, with its files; origins, locations and problems are set in it.
        lock: what the function should have, or None where nothing says so.
        source: the folder that it was built from, or None where that is not known.
        root: the project's root.
        policy: for what is first-party, and which index claims a name.
        environment: PEP 508 marker variables of the runtime.
        claims: what the SBOM says that was handed over with it, or None.
    """
    claims = claims or SbomClaims()
    owned = read_records(draft.entries)
    needs = lock.needs if lock else Needs()
    found = describe(draft.entries, prefix="", known=(), pinned={}, needs=needs, environment=environment)
    local = frozenset(one.name for one in needs.local)
    origins = _Origins(entries=draft.entries, owned=owned, source=source, policy=policy, local=local, claims=claims)
    found = tuple(origins.told(one) for one in found)
    theirs = {one.dist_info for one in found if one.source in (Source.PREBUILT, Source.INDEX)}
    dependencies = {path for path, folder in owned.unchanged.items() if folder in theirs} - claims.code
    ours, notes = _locate(draft, dependencies, source, root)
    notes += _note_absent(found, owned)
    _note_hidden(found, owned, claims, draft)
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
    claims: SbomClaims

    def told(self, one: Distribution) -> Distribution:
        """With its source: PREBUILT where its metadata may be believed, else BUNDLED with the doubt; as claimed where somebody does."""
        folder = one.dist_info or ""
        claimed = self.claims.distributions.get(folder)
        if claimed is not None:
            one = replace(one, requires=claimed.requires, location=claimed.location or one.location)
        if self._lay_in_source(folder):
            return one
        if one.name in self.local or (claimed is not None and claimed.source is Source.LOCAL):
            return replace(one, source=Source.LOCAL)  # the repository's own code, which is linted
        if doubt := self._why_doubted(folder, claimed):
            return replace(one, doubt=doubt)
        if claimed is not None and claimed.source is Source.INDEX:
            return replace(one, source=Source.INDEX, index=claimed.index, hashes=claimed.hashes)
        if self.policy.is_first_party(one.name) or (claimed is not None and claimed.source is Source.BUNDLED):
            return one  # ours, or it lay in the code: its files are code, and are linted
        return replace(one, source=Source.PREBUILT)

    def _why_doubted(self, folder: str, claimed: Claimed | None) -> str:
        """Why what the metadata says is not believed, whoever claims it; "" where there is nothing to doubt."""
        # What a distribution carries inside itself (setuptools has some) need have no RECORD of its own: the one around it vouches for it.
        carried = claimed is not None and self.owned.unchanged.get(f"{folder}/METADATA", folder) != folder
        if not carried and (folder in self.owned.unreadable or f"{folder}/RECORD" not in self.entries):
            return "has no RECORD, so that nobody can say which files are its own"
        return self._came_from_elsewhere(folder)

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


def _note_hidden(found: Sequence[Distribution], owned: Owned, claims: SbomClaims, draft: Draft) -> None:
    """What shipsafe had to choose between when it built: a file of the code stands where a distribution from an index has another."""
    installed = {one.dist_info for one in found if one.source is Source.INDEX}
    for folder, paths in changed_by_folder(owned):
        for path in paths if folder in installed else ():
            if path in claims.code:
                prefix = _LAYER if path.startswith(_LAYER) else ""
                top, slash, _ = path.removeprefix(prefix).partition("/")
                draft.hidden.setdefault(prefix + top + slash, []).append(path)
                del owned.changed[path]


def _changed(found: Sequence[Distribution], owned: Owned, entries: Mapping[str, Entry]) -> list[Problem]:
    by_folder = {one.dist_info: one for one in found}
    problems = []
    for folder, paths in changed_by_folder(owned):
        one = by_folder[folder]
        if one.source in (Source.PREBUILT, Source.INDEX):
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
