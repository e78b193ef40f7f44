"""A requirements file that chooses from a lock which several functions share, and constraints that hold for any list.

The list names packages; versions, hashes and everything that they need come from the lock. A lock that says who needs whom (`uv.lock`,
`poetry.lock`) tells the rest by itself. From any other, every pin becomes a constraint with its hashes: uv finds out what is needed,
and what does not stand in the lock is refused, because with hashes every distribution needs one.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from shipsafe.adapters.uv import short
from shipsafe.errors import IncompleteError
from shipsafe.model.location import Location
from shipsafe.packing.graph import Edge, Graph, Package, as_needs, reach
from shipsafe.packing.local_packages import read_local
from shipsafe.packing.local_project import read_project
from shipsafe.packing.lock_file import LockFile
from shipsafe.packing.needs import Local, Needs, Wanted
from shipsafe.packing.requirements import Requirements

Direct = Mapping[str, AbstractSet[str]]


def choose(
    found: Requirements, lock: LockFile, graph: Graph, direct: Direct, *, root: Path, boundary: Path, environment: Mapping[str, str]
) -> Needs:  # fmt: skip
    """What a list chooses from a lock that says who needs whom.

    Raises:
        IncompleteError: the lock lacks what the list names, or has another version of it than the list admits.
    """
    home = lock.path.parent
    roots = [_root(one, graph, lock.shown, environment) for one in found.wanted]
    for folder, place in found.local:
        name = next((one.name for many in graph.values() for one in many if one.folder and (home / one.folder).resolve() == folder), None)
        if name is None:
            raise _missing(folder.name, lock.shown, place)
        roots.append(Edge(name=name, fits=lambda package: package.folder is not None))
        direct = {**direct, name: frozenset()}
    reached = reach(roots, graph, environment, place=lock.place(""))
    needs = as_needs(reached.values(), shown=lock.shown, home=home, root=root, boundary=boundary, environment=environment, direct=direct)
    asked = {one.name: one for one in found.wanted}
    wanted = tuple(_narrowed(one, asked[one.name], lock.shown) if one.name in asked else one for one in needs.wanted)
    needs = replace(needs, wanted=wanted, files=(*found.files, *needs.files))
    return constrained(needs, found.constraints)


def _root(one: Wanted, graph: Graph, shown: str, environment: Mapping[str, str]) -> Edge:
    there = [package for package in graph.get(one.name, ()) if package.applies(environment)]
    if not there:
        raise _missing(one.name, shown, one.location)

    def fits(package: Package) -> bool:
        return package.folder is not None or one.requirement.specifier.contains(package.version, prereleases=True)

    if not any(map(fits, there)):
        raise _conflict(one, there[0].version, shown)
    return Edge(name=one.name, extras=frozenset(one.requirement.extras), fits=fits)


def constrain(found: Requirements, whole: Needs, direct: Direct, shown: str) -> Needs:
    """What a list chooses from a lock that does not say who needs whom: each pin of the lock is a constraint with hashes.

    Raises:
        IncompleteError: as `choose`; or the lock has no hashes, or local packages, whose needs it does not tell.
    """
    if found.local or whole.local:
        raise IncompleteError(f"{shown} does not say which of its packages a local package needs.",
                              remedy="Share a uv.lock or poetry.lock.", path=shown)  # fmt: skip
    loose = next((one for one in whole.wanted if not one.locked), None)
    if loose is not None:
        raise IncompleteError(f"{loose.name} has no version or no hash in the shared lock.", remedy="Lock it with hashes.",
                              path=loose.location.path, line=loose.location.line)  # fmt: skip
    pins = {one.name: one for one in whole.wanted}
    wanted = []
    for one in found.wanted:
        pin = pins.get(one.name)
        if pin is None:
            raise _missing(one.name, shown, one.location)
        if not one.requirement.specifier.contains(pin.version or "", prereleases=True):
            raise _conflict(one, pin.version, shown)
        extras = f"[{','.join(sorted(one.requirement.extras))}]" if one.requirement.extras else ""
        asked = Wanted(requirement=Requirement(f"{one.name}{extras}=={pin.version}"), location=pin.location, hashes=pin.hashes)
        wanted.append(_narrowed(asked, one, shown))
    constraints = (*pins.values(), *found.constraints)
    return Needs(wanted=tuple(wanted), constraints=constraints, files=(*found.files, *whole.files), direct=direct, claimed=whole.claimed)


def constrained(needs: Needs, constraints: Iterable[Wanted]) -> Needs:
    """A lock with constraints: it is compared with them, and a hash of theirs is required besides.

    Raises:
        IncompleteError: it has something that they do not admit.
    """
    by_name: dict[str, list[Wanted]] = {}
    for one in constraints:
        by_name.setdefault(one.name, []).append(one)
    wanted = []
    for one in needs.wanted:
        kept = one
        for constraint in by_name.get(one.name, ()):
            if not constraint.requirement.specifier.contains(one.version or "", prereleases=True):
                raise _conflict(constraint, one.version, one.location.path or "the lock")
            kept = _narrowed(kept, constraint, one.location.path or "the lock")
        wanted.append(kept)
    return replace(needs, wanted=tuple(wanted))


def with_local(found: Requirements, direct: Direct, *, root: Path, boundary: Path, environment: Mapping[str, str]) -> Needs:
    """A list that stands alone, with the local packages that it names and what their project files say they need.

    Raises:
        IncompleteError: a local package cannot be staged, or its files do not say what it needs.
    """
    wanted, constraints, local = list(found.wanted), list(found.constraints), dict[str, Local]()
    asked = {one.name for one in found.wanted}
    named = [_from_source(folder, place, root, boundary, environment) for folder, place in found.local]
    folders = {one.name for one, _ in named}
    for one, requires in named:
        if one.name in local or one.name in asked:
            raise IncompleteError(f"{one.name} is asked for twice.", remedy="Name it once.", path=one.location.path, line=one.location.line)
        local[one.name] = replace(one, requires=tuple(sorted(str(need.requirement) for need in requires)))
        # What the list names anyhow is only held to what the package says of it; the rest is a wish of its own.
        constraints += [need for need in requires if need.name in asked]
        wanted = [_with_extras(one, requires) for one in wanted] + [need for need in requires if need.name not in asked | folders]
    return Needs(
        wanted=tuple(wanted),
        constraints=tuple(constraints),
        local=tuple(local.values()),
        direct={**direct, **dict.fromkeys(local, frozenset())},
        files=(*found.files, *dict.fromkeys(path for one in local.values() for path in one.files)),
    )


def _with_extras(one: Wanted, needs: Iterable[Wanted]) -> Wanted:
    """A requirement with the extras that others ask for, too."""
    extras = {extra for need in needs if need.name == one.name for extra in need.requirement.extras} - one.requirement.extras
    if not extras:
        return one
    requirement = Requirement(str(one.requirement))
    requirement.extras |= extras
    return replace(one, requirement=requirement)


def _from_source(
    folder: Path, place: Location, root: Path, boundary: Path, environment: Mapping[str, str]
) -> tuple[Local, Sequence[Wanted]]:  # fmt: skip
    local = read_local(folder, name=None, version=None, requires=(), place=place, root=root, boundary=boundary,
                       python=environment["python_version"])  # fmt: skip
    lines = read_project(local.folder, shown=local.shown, place=place).dependencies
    if lines is None:
        what = f"The files of the local package in {local.shown} do not say in plain lines what it needs."
        raise IncompleteError(what, remedy="Name its dependencies under [project], or use the lock of its own tool.", path=local.shown)
    here = Location(path=local.files[0] if local.files else local.shown)
    requires = []
    for line in lines:
        try:
            requirement = Requirement(line)
            applies = requirement.marker is None or requirement.marker.evaluate({**environment, "extra": ""})
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion, RecursionError) as error:
            raise IncompleteError(f"{short(line)!a} is not a requirement.", remedy="See PEP 508.", path=here.path) from error
        if requirement.url:
            raise IncompleteError(f"{requirement.name} is asked for by URL, which no index vouches for.",
                                  remedy="Publish it to an index and pin its version.", path=here.path)  # fmt: skip
        if applies:
            requirement.marker = None
            requirement.name = canonicalize_name(requirement.name)
            requires.append(Wanted(requirement=requirement, location=here))
    return local, requires


def _narrowed(one: Wanted, asked: Wanted, shown: str) -> Wanted:
    """With hashes on both sides, what both admit."""
    if not asked.hashes:
        return one
    both = tuple(digest for digest in one.hashes if digest in asked.hashes)
    if one.hashes and not both:
        raise IncompleteError(f"{one.name} has other hashes here than in {shown}.", remedy="Find out why before you lock again.",
                              path=asked.location.path, line=asked.location.line)  # fmt: skip
    return replace(one, hashes=both or asked.hashes)


def _missing(name: str, shown: str, place: Location) -> IncompleteError:
    what = f"{name} does not stand in {shown}, from which this list chooses."
    return IncompleteError(what, remedy="Add it to the project, and lock again.", path=place.path, line=place.line)


def _conflict(one: Wanted, version: str | None, shown: str) -> IncompleteError:
    return IncompleteError(f"{one.name}{one.requirement.specifier} is asked for, and {shown} has {one.name} {version}.",
                           remedy="Change the line, or lock again.", path=one.location.path, line=one.location.line)  # fmt: skip
