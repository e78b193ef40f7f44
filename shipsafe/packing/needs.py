"""What a function needs, as a list for uv: whichever file says it, the result is one noun."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shipsafe.model.location import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One requirement that applies to the runtime: as packaging reads it, where it stands, and the hashes it admits."""

    requirement: Requirement
    location: Location
    hashes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Normalised."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str | None:
        """The one version that it admits (`==1.2.3`, no wildcard), or None."""
        parts = [part for part in self.requirement.specifier if part.operator in ("==", "===")]
        return next((part.version for part in parts if not part.version.endswith(".*")), None)

    @property
    def locked(self) -> bool:
        """Whether one version and its hashes are all that can be installed."""
        return self.version is not None and bool(self.hashes)

    def line(self) -> str:
        """As we hand it to uv: no marker (it has been evaluated), with its hashes."""
        extras = f"[{','.join(sorted(self.requirement.extras))}]" if self.requirement.extras else ""
        hashes = "".join(f" --hash={digest}" for digest in self.hashes)
        return f"{self.requirement.name}{extras}{self.requirement.specifier}{hashes}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A package whose source lies in the repository, and is staged from there: nothing of it is built or run.

    Attributes:
        name: normalised; `version` as its project file or the lock has it.
        folder: its project folder, absolute; `shown` the same for people.
        modules: path in the tree -> path below `folder`, of each package folder and each module file; "" is the root of either.
        requires: what it needs on the runtime, for its METADATA.
        entry_points: group -> name -> object.
        about: further lines of its METADATA.
        files: what was read to know all that, relative to the project root.
        location: who asks for it.
    """

    name: str
    version: str
    folder: Path = field(compare=False)
    shown: str
    modules: Mapping[str, str]
    requires: tuple[str, ...] = ()
    entry_points: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    about: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    location: Location

    @property
    def dist_info(self) -> str:
        """The name of its metadata folder, as the specification of installed projects has it."""
        return f"{self.name.replace('-', '_')}-{self.version}.dist-info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a function needs.

    Attributes:
        wanted, constraints: requirements that apply to the runtime.
        files: the files they were read from, relative to the project root.
        complete: a lock: every distribution stands in it, so nothing is resolved.
        direct: names that the project itself asks for, with the extras it asks for, or None when the file does not tell.
        local: packages that are staged from their source in the repository.
        claimed: name -> index that a lock says it was taken from; what is installed comes from the policy's indexes all the same.
    """

    wanted: tuple[Wanted, ...] = ()
    constraints: tuple[Wanted, ...] = ()
    files: tuple[str, ...] = ()
    complete: bool = False
    direct: Mapping[str, AbstractSet[str]] | None = None
    local: tuple[Local, ...] = ()
    claimed: Mapping[str, str] = field(default_factory=dict)

    def admitted(self) -> dict[str, frozenset[str]]:
        """Name -> hashes that may be installed; those of a constraint hold where the requirement has none of its own."""
        found: dict[str, frozenset[str]] = {}
        for one in self.wanted:
            found[one.name] = found.get(one.name, frozenset()) | frozenset(one.hashes)
        for one in self.constraints:
            found[one.name] = found.get(one.name) or frozenset(one.hashes)
        return found
