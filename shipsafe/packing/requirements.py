"""requirements.txt as pip reads it, without any of the lines that could run code or look elsewhere.

Nested `-r` and `-c` are relative to the file they stand in. Markers are evaluated for the runtime that the function has, not for
the machine that builds. Every requirement keeps its file and line. What pip would obey and we will not is refused with the reason.

Source: pip's "Requirements File Format".
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.location import Location

_LIMIT = 4 * MEBIBYTE
_DEPTH = 16
_COUNT = 20_000
_COMMENT = re.compile(r"(^|\s+)#.*$")
_HASH = re.compile(r"--hash[= ]([a-z0-9]+:[0-9a-fA-F]+)")
_LOOKS_LIKE_PATH = re.compile(r"^(\.{1,2}([/\\]|$)|[/\\~]|[A-Za-z]:[\\/])|\.(whl|zip|tar\.gz|tgz|tar\.bz2)(\[|$)")
_LOOKS_LIKE_URL = re.compile(r"^(git|hg|svn|bzr)\+|^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# What pip knows and we refuse, with the reason.
_REFUSED = {
    "-e": "an editable install runs the project's build code",
    "--editable": "an editable install runs the project's build code",
    "--no-binary": "it would run the package's build code; name the package in [gates.dependencies] allow-sdist instead",
    "--only-binary": "wheels are used anyway; remove the line",
    "--prefer-binary": "wheels are used anyway; remove the line",
    "-i": "where packages come from belongs in the policy: [indexes] default",
    "--index-url": "where packages come from belongs in the policy: [indexes] default",
    "--extra-index-url": "where packages come from belongs in the policy: [indexes] extra",
    "--no-index": "where packages come from belongs in the policy: [indexes]",
    "-f": "packages from a folder or page carry no index to audit them by",
    "--find-links": "packages from a folder or page carry no index to audit them by",
    "--trusted-host": "it switches the check of certificates off",
    "--pre": "a pre-release is chosen by naming its version",
    "--use-feature": "it changes how pip works, and pip is not used",
    "--config-settings": "it is given to build code, which is not run",
    "--global-option": "it is given to build code, which is not run",
    "--install-option": "it is given to build code, which is not run",
}


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
    def pinned(self) -> bool:
        """Whether it admits exactly one version (`==1.2.3`, no wildcard)."""
        specifiers = list(self.requirement.specifier)
        return any(part.operator in ("==", "===") and not part.version.endswith(".*") for part in specifiers)

    def line(self) -> str:
        """As we hand it to uv: no marker (it has been evaluated), with its hashes."""
        extras = f"[{','.join(sorted(self.requirement.extras))}]" if self.requirement.extras else ""
        hashes = "".join(f" --hash={digest}" for digest in self.hashes)
        return f"{self.requirement.name}{extras}{self.requirement.specifier}{hashes}"


@dataclass(slots=True)
class Requirements:
    """What one file, and those it names, ask for."""

    wanted: list[Wanted] = field(default_factory=list)
    constraints: list[Wanted] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def read_requirements(path: Path, *, root: Path, environment: Mapping[str, str]) -> Requirements:
    """Read a requirements file for an environment (PEP 508 marker variables to values).

    Raises:
        IncompleteError: a line that cannot be read or is refused, with its file and line.
    """
    found = Requirements()
    _read(path, root, dict(environment), found, constraint=False, chain=())
    return found


def _read(path: Path, root: Path, environment: dict[str, str], found: Requirements, *, constraint: bool, chain: tuple[Path, ...]) -> None:
    shown = _shown(path, root)
    _check_file(path, root, chain)
    if shown not in found.files:
        found.files.append(shown)
    for number, line in _lines(path, shown):
        here = Location(path=shown, line=number)
        if len(found.wanted) + len(found.constraints) >= _COUNT:
            raise _refuse(here, f"There are more than {_COUNT} requirements", "Split the function.")
        option, value = _option(line, here)
        if option in ("-r", "--requirement", "-c", "--constraint"):
            inner = (path.parent / value).absolute()
            inner_constraint = constraint or option in ("-c", "--constraint")
            _read(inner, root, environment, found, constraint=inner_constraint, chain=(*chain, path))
        elif option == "--require-hashes":
            continue  # one hash anywhere asks for all of them, as with pip
        elif option:
            why = _REFUSED.get(option, "shipsafe does not know this option")
            raise _refuse(here, f"{option} is refused: {why}", "Remove the line.")
        elif (wanted := _requirement(line, here, environment)) is not None:
            (found.constraints if constraint else found.wanted).append(wanted)


def _check_file(path: Path, root: Path, chain: tuple[Path, ...]) -> None:
    shown = _shown(path, root)
    place = Location(path=shown)
    if path in chain:
        raise _refuse(place, f"{shown} includes itself", "Remove the -r or -c line that closes the circle.")
    if len(chain) >= _DEPTH:
        raise _refuse(place, f"Requirements files are nested more than {_DEPTH} deep", "Put them into fewer files.")
    if not path.resolve().is_relative_to(root):
        raise _refuse(place, f"{shown} lies outside the project", "Move it into the project.")


def _lines(path: Path, shown: str) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first physical line: continuations joined, comments removed."""
    try:
        text = read_bounded(path, limit=_LIMIT, shown=shown).decode("utf-8-sig")
    except ConfigError as error:
        raise IncompleteError(error.what, remedy=error.remedy, path=shown) from error
    except UnicodeDecodeError as error:
        raise _refuse(Location(path=shown), "Not UTF-8", "Save the file as UTF-8.") from error
    pending, start = "", 0
    for number, physical in enumerate(text.splitlines(), 1):
        start = start if pending else number
        if physical.endswith("\\") and not physical.lstrip().startswith("#"):
            pending += physical[:-1] + " "
            continue
        line = _COMMENT.sub("", pending + physical).strip()
        pending = ""
        if line:
            yield start, line
    if pending.strip():
        yield start, _COMMENT.sub("", pending).strip()


def _option(line: str, here: Location) -> tuple[str, str]:
    """The option that a line begins with, and its value; ("", "") for a requirement."""
    if not line.startswith("-"):
        return "", ""
    if line[1] != "-" and len(line) > 2 and line[2] not in " =":  # noqa: PLR2004 - pip also reads `-rfile.txt`
        return line[:2], line[2:].strip()
    word, _, value = line.replace("=", " ", 1).partition(" ") if "=" in line.split(" ", 1)[0] else line.partition(" ")
    try:
        parts = shlex.split(value)
    except ValueError as error:
        raise _refuse(here, f"The line cannot be read: {error}", "Close the quotation.") from error
    return word, " ".join(parts)


def _requirement(line: str, here: Location, environment: dict[str, str]) -> Wanted | None:
    """The requirement of a line, or None when its marker does not hold for the runtime."""
    hashes = tuple(sorted(set(_HASH.findall(line))))
    text = _HASH.sub("", line).strip()
    if "${" in text:
        raise _refuse(here, "A variable stands in the line, and variables are not expanded", "Write the value.")
    if _LOOKS_LIKE_URL.search(text):
        raise _refuse(here, f"{text.split()[0][:80]!r} is a URL or a repository, which no index vouches for",
                      "Publish it to an index and pin its version.")  # fmt: skip
    if _LOOKS_LIKE_PATH.search(text.split(";")[0].strip()):
        raise _refuse(here, f"{text[:80]!r} is a path; installing it could run its build code",
                      "Put the code beside the function, or publish it to an index.")  # fmt: skip
    option = re.search(r"\s(--?[a-z-]+)", text)
    if option:
        raise _refuse(here, f"{option[1]} is refused: {_REFUSED.get(option[1], 'shipsafe does not know this option')}", "Remove it.")
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise _refuse(here, f"{text[:80]!r} is not a requirement: {str(error).splitlines()[0]}", "See PEP 508.") from error
    if requirement.url:
        raise _refuse(here, f"{requirement.name} is asked for by URL, which no index vouches for",
                      "Publish it to an index and pin its version.")  # fmt: skip
    if requirement.marker and not requirement.marker.evaluate({**environment, "extra": ""}):
        return None
    return Wanted(requirement=requirement, location=here, hashes=hashes)


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _refuse(place: Location, what: str, remedy: str) -> IncompleteError:
    return IncompleteError(f"{what}.", remedy=remedy, path=place.path, line=place.line)
