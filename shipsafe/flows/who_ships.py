"""The straight line of `report who-ships`: a question -> what it affects -> every kept SBOM -> the releases that ship it.

An advisory that nobody knows, an SBOM that nobody can read and a zip whose SBOM is not kept are never "nobody ships it".
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.adapters.cache import Cache, open_cache
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.advisories import open_advisories
from shipsafe.advisories.named import is_id, named
from shipsafe.advisories.records import parsed
from shipsafe.advisories.sources import records_of
from shipsafe.errors import ConfigError, NothingError, ShipsafeError
from shipsafe.evidence.store import Store, store_of
from shipsafe.evidence.store.components import Component, Shipped, shipped
from shipsafe.evidence.store.layout import Kept
from shipsafe.flows.audit import releases_of
from shipsafe.model.advisory import Advisories
from shipsafe.model.audit import AuditedRelease
from shipsafe.model.policy import Policy
from shipsafe.model.shipping import Affected, Shipping, WhoShips
from shipsafe.policy import load

_PYPI = re.compile(r"pkg:/*pypi/", re.IGNORECASE)
Affects = Callable[[str, str], bool | None]  # whether a version of a package is meant; None where nobody can say


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about. `ids` of the advisory, where it is one; `packages` are normalised names."""

    asked: str
    packages: tuple[str, ...]
    affects: Affects
    ids: tuple[str, ...] = ()
    advisories: str = ""


def question(text: str, advisories: Callable[[], Advisories]) -> Question:
    """An id of an advisory, or a package with or without versions (`jinja2`, `jinja2==3.1.4`, `jinja2<3.1.6`).

    Args:
        text: as it was asked.
        advisories: opens them; only an id needs them.

    Raises:
        ConfigError: it is neither.
        IncompleteError: there are no advisories, or they do not know the id.
        NothingError: the advisory was withdrawn.
    """
    if is_id(text):
        source = advisories()
        known = named(text, records_of(source))
        return Question(asked=text, packages=known.packages, affects=known.affects, ids=known.ids, advisories=source.info.label)
    try:
        wanted = Requirement(text)
    except InvalidRequirement as error:
        remedy = "Write CVE-2024-56326, GHSA-q2x7-8rv6-6q7h, jinja2 or 'jinja2<3.1.6'."
        raise ConfigError(f"{text[:80]!r} is neither the id of an advisory nor a package.", remedy=remedy) from error
    if wanted.url or wanted.extras or wanted.marker:
        raise ConfigError(f"{text[:80]!r} says more than a package and its versions.", remedy="Write 'jinja2<3.1.6'.")
    name = canonicalize_name(wanted.name)

    def affects(_name: str, version: str) -> bool | None:
        if not wanted.specifier:
            return True
        told = parsed(version)
        return None if told is None else wanted.specifier.contains(told, prereleases=True)

    return Question(asked=text, packages=(name,), affects=affects)


def who_ships(
    asked: Question,
    policy: Policy,
    *,
    folder: Path,
    today: date,
    place: str | None = None,
    cache: Cache | None = None,
    connect: Callable[[Place], Aws] = open_aws,
) -> WhoShips:
    """Look through every kept SBOM.

    Args:
        asked: see `question`.
        policy: whose word counts, and where evidence is kept.
        folder: where the command was called.
        today: keys that sign what is not dated must be valid today.
        place: of the evidence, in place of the policy's.
        cache: of what was learnt of SBOMs.
        connect: opens AWS.

    Raises:
        ConfigError: no place for evidence is named.
        NothingError: no SBOM is kept there.
        IntegrityError: the bucket belongs to somebody else.
        IncompleteError: the store cannot be listed.
    """
    store = store_of(policy, folder=folder, told=place, connect=connect)
    found: list[tuple[Shipped, tuple[Affected, ...]]] = []
    unread: list[tuple[str, ShipsafeError]] = []
    listed: list[Kept] = []
    for kept, one in shipped(store, policy.attest, cache=cache):
        listed.append(kept)
        if isinstance(one, ShipsafeError):
            unread.append((store.shown_of(kept), one))
        elif affected := tuple(_affected(one, asked)):
            found.append((one, affected))
    if not listed:
        raise NothingError(f"No SBOM is kept in {store.shown}, so that nobody can say who ships it.", remedy="`shipsafe sign` keeps them.")
    zips = {sha256 for one, _ in found for _, sha256 in one.subjects}
    releases = releases_of(store, policy, folder, today, zips) if zips else {}
    ships = [
        Shipping(sha256=sha256, subject=one.name, affected=affected, by=one.by, release=releases.get(sha256, AuditedRelease(sha256=sha256)))
        for one, affected in found
        for _, sha256 in one.subjects
    ]
    return WhoShips(
        asked=asked.asked,
        ids=asked.ids,
        packages=asked.packages,
        advisories=asked.advisories,
        store=store.shown,
        local=store.local,
        sboms=len(listed),
        releases=tuple(sorted(ships, key=lambda one: (one.release.name or one.subject, one.sha256))),
        unread=tuple(unread),
        unlisted=tuple(_unlisted(store, listed)),
    )


def _affected(one: Shipped, asked: Question) -> Iterator[Affected]:
    for component in one.components:
        name = _package(component)
        if name not in asked.packages:
            continue
        told = asked.affects(name, component.version)
        if told is not False:
            yield Affected(name=name, version=component.version, index=component.index, certain=told is True)


def _package(component: Component) -> str:
    """The normalised name of a distribution of Python, "" for a component of another kind."""
    # Of a package URL the scheme and the type are one in any case, and slashes after the colon say nothing (purl-spec).
    foreign = component.purl and not _PYPI.match(component.purl)
    return "" if foreign else canonicalize_name(component.name)


def _unlisted(store: Store, sboms: list[Kept]) -> list[str]:
    """Zips of which something is kept, and neither an SBOM of theirs nor, by a signing record, of the zip that they were made of."""
    known = {subject for one in sboms for subject in one.subjects}
    others = [one for one in store.listed() if one.word not in ("sbom", "other", "summary")]
    joined = known.union(*(one.subjects for one in others if one.word == "signing" and not known.isdisjoint(one.subjects)))
    return sorted({one.subjects[0] for one in others if joined.isdisjoint(one.subjects)})


def asked_here(text: str, *, policy: Path | None, place: str | None, offline: bool, say: Callable[[str], None]) -> WhoShips:
    """As `who_ships`, in the working directory and with the user's cache; `say` is told of what is pulled.

    Raises:
        ShipsafeError: as `question` and `who_ships`; or the policy cannot be used.
    """
    folder, cache, today = Path.cwd(), cache_dir(), _now().date()
    loaded = load(folder, explicit=policy, offline=offline, cache=cache, fetch=fetch, today=today)
    answers = open_cache(cache)

    def advisories() -> Advisories:
        return open_advisories(loaded.advisories, cache=cache, answers=answers, offline=offline, today=today, now=_now, say=say)

    try:
        return who_ships(question(text, advisories), loaded, folder=folder, today=today, place=place, cache=answers)
    finally:
        answers.flush()
        answers.close()


def _now() -> datetime:
    return datetime.now(UTC)
