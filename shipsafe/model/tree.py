"""The staged tree: exactly what will ship, file by file, and what is known of where it came from."""

import hashlib
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from shipsafe.model.location import Location

FILE_MODE = 0o100644
PROGRAM_MODE = 0o100755


class Origin(StrEnum):
    """Whose file it is: the function's own code, or a dependency's."""

    CODE = "code"
    DEPENDENCY = "dependency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of the tree, as it will stand in the zip.

    Attributes:
        path: POSIX, relative to the root of the zip; no control characters, no `..`, not absolute.
        mode: FILE_MODE or PROGRAM_MODE.
        size: bytes.
        sha256: hex digest of the content.
        source: the file on disk that holds the content: inside the staged tree.
        location: where a person would look: the file in the project (for code) or the requirement that brought it.
    """

    path: str
    mode: int
    size: int
    sha256: str
    source: Path
    origin: Origin
    location: Location | None = None


class Source(StrEnum):
    """Where a distribution came from."""

    INDEX = "index"  # an index, named in `Distribution.index`
    BUNDLED = "bundled"  # lay in the function's own code, with or without a lock beside it
    LOCAL = "local"  # staged from its source in the repository, where a lock or list names its folder
    PREBUILT = "prebuilt"  # another tool installed it; its metadata names an index release, and nothing proves that it is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A Python distribution in the tree.

    Attributes:
        name: normalised (PEP 503).
        version: as its metadata has it, or None when there is none.
        dist_info: path of its `.dist-info` folder in the tree, or None.
        source: where it came from; `index` the URL of that index without credentials, None when not known.
        location: the line of the lock or requirements file that pinned or asked for it.
        requires: normalised names of the distributions in the tree that it needs directly (markers applied).
        via: names from a direct dependency down to the parent of this one; empty for a direct dependency.
        hashes: `sha256:...` of its wheel as the lock has them (verified at installation), or empty.
        paths: paths of its files in the tree (of those that are shipped).
        doubt: why what its metadata says of it is not believed (`was installed from git+https://...`), for BUNDLED; "" where there
            is nothing to add.
    """

    name: str
    version: str | None
    source: Source
    dist_info: str | None = None
    index: str | None = None
    location: Location | None = None
    requires: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    doubt: str = ""


class ProblemKind(StrEnum):
    """What staging saw and left out or had to choose between; the gate that asks about it turns each into a finding."""

    ESCAPING_LINK = "escaping-link"  # a link that leads out of the project: not shipped
    NAME_COLLISION = "name-collision"  # two files for one path, or two paths that differ only in case
    UNREADABLE = "unreadable"  # a file that could not be read or named: the tree is not complete
    UNLOCKED = "unlocked"  # dependencies without a lock or hashes
    MODIFIED = "modified"  # a prebuilt distribution's file is not what its RECORD says
    LOCK_MISMATCH = "lock-mismatch"  # another tool installed something else than the lock says
    NOT_INSTALLED = "not-installed"  # a distribution of the lock that is not in a prebuilt tree
    UNIDENTIFIED = "unidentified"  # a distribution of the lock that may be in a prebuilt tree, where nothing names it


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that staging saw. `key` is stable when lines move (usually the path)."""

    kind: ProblemKind
    key: str
    message: str
    location: Location | None = None


def _is_there() -> None:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedTree:
    """What will ship for one function or layer.

    Attributes:
        subject: `function:ID` or `layer:ID`.
        root: absolute path of the staged folder; `entries[i].source` lies below it.
        entries: sorted by the bytes of their path.
        distributions: sorted by name.
        python: `3.13` where dependencies were installed for a Python runtime, else None.
        platform: what uv was asked for (`x86_64-manylinux2014`), else None.
        inputs: requirement and lock files that were read, relative to the project root.
        prebuilt: another tool made the archive; only the gates that apply to it are asked.
        agrees_with: the lock whose distributions a prebuilt tree has, all of them and no other, or None.
        unproven: paths of a prebuilt tree that are neither the source's nor a verified wheel's; only where the policy wants that proof.
        sbom: the SBOM that was made of it before, on the disk, where there is one: it has been compared with every file.
        notes: remarks for people (a bundled folder left out, for example).
        fingerprint: a digest of everything that made this tree, locations too: equal fingerprints, equal trees. "" when not known.
        likeness: the same without lines: equal for trees that differ only in the lines where things stand.
        materialise: makes sure that every `entries[i].source` is there; until it is called, a dependency's file may not be. May be
            called again, and from several threads. Raises IncompleteError.
    """

    subject: str
    root: Path
    entries: tuple[Entry, ...]
    distributions: tuple[Distribution, ...] = ()
    problems: tuple[Problem, ...] = ()
    python: str | None = None
    platform: str | None = None
    inputs: tuple[str, ...] = ()
    prebuilt: bool = False
    agrees_with: str | None = None
    unproven: tuple[str, ...] = ()
    sbom: Path | None = None
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    likeness: str = ""
    materialise: Callable[[], None] = field(default=_is_there, compare=False, repr=False)
    _content_digest: str = field(default="", init=False, compare=False, repr=False)

    @property
    def size(self) -> int:
        """Bytes, unzipped: what Lambda counts against its 250 MB."""
        return sum(entry.size for entry in self.entries)

    @property
    def content_digest(self) -> str:
        """`sha256:` and hex over path, mode and content of every file; survives another compressor."""
        if not self._content_digest:  # made once, when it is first asked for
            object.__setattr__(self, "_content_digest", content_digest(self.entries))
        return self._content_digest


def content_digest(entries: Iterable[Entry]) -> str:
    r"""`sha256:` + hex over lines `MODE SHA256 PATH\n`, mode as six octal digits, sorted by the bytes of the path.

    Raises:
        ValueError: a path has a control character, which could forge a line.
    """
    listed = sorted(entries, key=lambda entry: entry.path.encode())
    for entry in listed:
        if has_control(entry.path):
            message = f"Path {entry.path!r} has a control character."
            raise ValueError(message)
    lines = "".join(f"{entry.mode:06o} {entry.sha256} {entry.path}\n" for entry in listed)
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def has_control(text: str) -> bool:
    """Whether a name holds a control character or a line separator (which could forge a line of a report or a digest)."""
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in text)
