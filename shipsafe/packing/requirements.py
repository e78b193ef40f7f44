"""requirements.txt as pip reads it, without any of the lines that could run code or look elsewhere.

Nested `-r` and `-c` are relative to the file they stand in. Markers are evaluated for the runtime that the function has, not for
the machine that builds. Every requirement keeps its file and line. What pip would obey and we will not is refused with the reason.

Source: pip's "Requirements File Format".
"""

import codecs
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

from shipsafe.adapters.files import MEBIBYTE, read_bounded, relative
from shipsafe.adapters.uv import short, without_credentials
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.location import Location
from shipsafe.packing.needs import Wanted

_LIMIT = 4 * MEBIBYTE
_DEPTH = 16
_COUNT = 20_000
_READS = 200  # files, counted each time they are included: a few files that include each other twice are many
_COMMENT = re.compile(r"(^|\s+)#.*$")
_HASH = re.compile(r"(?:^|\s)--hash[= ]\s*([A-Za-z0-9]+):([0-9a-fA-F]+)(?=\s|$)")
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}  # what pip admits, too
_LOOKS_LIKE_PATH = re.compile(r"^(\.{1,2}([/\\]|\[|$)|[/\\~]|[A-Za-z]:[\\/])|\.(whl|zip|tar\.gz|tgz|tar\.bz2)(\[|$)")
_LOOKS_LIKE_URL = re.compile(r"^(git|hg|svn|bzr)\+|^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_OTHER_WAY = "Publish it to an index, or put a wheel of it into a folder that `[indexes] find-links` names, and pin its version."
_EDITABLE = ("-e", "--editable")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2")
# What pip knows and we refuse, with the reason.
_REFUSED = {
    "-e": "it names no folder of the repository; installing it would run its build code",
    "--editable": "it names no folder of the repository; installing it would run its build code",
    "--no-binary": "it would run the package's build code; name the package in [gates.dependencies] allow-sdist instead",
    "--only-binary": "wheels are used anyway; remove the line",
    "--prefer-binary": "wheels are used anyway; remove the line",
    "-i": "where packages come from belongs in the policy: [indexes] default",
    "--index-url": "where packages come from belongs in the policy: [indexes] default",
    "--extra-index-url": "where packages come from belongs in the policy: [indexes] extra",
    "--no-index": "where packages come from belongs in the policy: [indexes]",
    "-f": "where packages come from belongs in the policy: [indexes] find-links",
    "--find-links": "where packages come from belongs in the policy: [indexes] find-links",
    "--trusted-host": "it switches the check of certificates off",
    "--pre": "a pre-release is chosen by naming its version",
    "--use-feature": "it changes how pip works, and pip is not used",
    "--config-settings": "it is given to build code, which is not run",
    "--global-option": "it is given to build code, which is not run",
    "--install-option": "it is given to build code, which is not run",
}


@dataclass(slots=True)
class Requirements:
    """What one file, and those it names, ask for."""

    wanted: list[Wanted] = field(default_factory=list)
    constraints: list[Wanted] = field(default_factory=list)
    local: list[tuple[Path, Location]] = field(default_factory=list)  # folders of packages that are staged from source
    files: list[str] = field(default_factory=list)
    lines: int = 0
    reads: int = 0


def read_requirements(
    path: Path, *, root: Path, boundary: Path, environment: Mapping[str, str], constraints: Iterable[Path] = ()
) -> Requirements:  # fmt: skip
    """Read a requirements file for an environment (PEP 508 marker variables to values).

    Args:
        path: the file.
        root: the project root, for the names in messages.
        boundary: no file outside this folder is read.
        environment: of the runtime.
        constraints: further files of constraints, as if `-c` named them.

    Raises:
        IncompleteError: a line that cannot be read or is refused, with its file and line.
    """
    found = Requirements()
    _read(path, root, boundary, dict(environment), found, constraint=False, chain=())
    for one in constraints:
        _read(one, root, boundary, dict(environment), found, constraint=True, chain=())
    return found


def _read(
    path: Path, root: Path, boundary: Path, environment: dict[str, str], found: Requirements, *, constraint: bool,
    chain: tuple[Path, ...],
) -> None:  # fmt: skip
    shown = relative(path, root)
    _check_file(path, shown, boundary, found, chain)
    if shown not in found.files:
        found.files.append(shown)
    for number, line in _lines(path, shown):
        here = Location(path=shown, line=number)
        found.lines += 1
        if found.lines > _COUNT:
            raise _refuse(here, f"There are more than {_COUNT} requirements", "Split the function.")
        option, value = _option(line, here)
        if option in ("-r", "--requirement", "-c", "--constraint"):
            inner_constraint = constraint or option in ("-c", "--constraint")
            inner = _included(value, path, here)
            _read(inner, root, boundary, environment, found, constraint=inner_constraint, chain=(*chain, path))
        elif option == "--require-hashes":
            continue  # one hash anywhere asks for all of them, as with pip
        elif not constraint and (folder := _folder(line, option, value, path.parent, here)) is not None:
            found.local.append((folder, here))
        elif option:
            why = _REFUSED.get(option, "shipsafe does not know this option")
            raise _refuse(here, f"{option} is refused: {why}", "Remove the line.")
        elif (wanted := _requirement(line, here, environment)) is not None:
            (found.constraints if constraint else found.wanted).append(wanted)


def _included(value: str, path: Path, here: Location) -> Path:
    """The file that a line of another names."""
    if "://" in value:
        raise _refuse(here, f"{short(value)} is a URL, and lists are read from the project alone", "Copy it into the project.")
    if "\0" in value:
        raise _refuse(here, f"{short(value)!a} has a null byte, and no file can be called that", "Correct the name.")
    return Path(os.path.normpath(path.parent / value))  # as pip joins it: links are not followed first


def _check_file(path: Path, shown: str, boundary: Path, found: Requirements, chain: tuple[Path, ...]) -> None:
    place = Location(path=shown)
    if path in chain:
        raise _refuse(place, f"{shown} includes itself", "Remove the -r or -c line that closes the circle.")
    found.reads += 1
    if len(chain) >= _DEPTH or found.reads > _READS:
        raise _refuse(place, f"Requirements files are nested more than {_DEPTH} deep, or read more than {_READS} times",
                      "Put them into fewer files.")  # fmt: skip
    if not Path(os.path.realpath(path)).is_relative_to(boundary):
        raise _refuse(place, f"{shown} lies outside the project", "Move it into the project.")


def _lines(path: Path, shown: str) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first physical line: continuations joined as pip does, comments removed."""
    pending, start = "", 0
    for number, physical in enumerate(_text(path, shown).splitlines(), 1):
        start = start if pending else number
        if physical.endswith("\\") and not physical.lstrip().startswith("#"):
            pending += physical.rstrip("\\")
            continue
        line = _COMMENT.sub("", pending + (" " if physical.lstrip().startswith("#") else "") + physical).strip()
        pending = ""
        if line:
            yield start, line
    if pending.strip():
        yield start, _COMMENT.sub("", pending).strip()


def _text(path: Path, shown: str) -> str:
    """The file as text: UTF-8, or UTF-16 where a byte order mark says so (`pip freeze >` in PowerShell writes it)."""
    try:
        data = read_bounded(path, limit=_LIMIT, shown=shown)
    except ConfigError as error:
        raise IncompleteError(error.what, remedy=error.remedy, path=shown) from error
    try:
        return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _refuse(Location(path=shown, line=line), "Not UTF-8", "Save the file as UTF-8.") from error


def _option(line: str, here: Location) -> tuple[str, str]:
    """The option that a line begins with, and its value; ("", "") for a requirement."""
    if not line.startswith("-"):
        return "", ""
    if line[1:2] != "-" and line[2:3].strip(" ="):  # pip also reads `-rfile.txt`
        return line[:2], line[2:].strip()
    word, _, value = line.replace("=", " ", 1).partition(" ") if "=" in line.split(" ", 1)[0] else line.partition(" ")
    try:
        parts = shlex.split(value)
    except ValueError as error:
        raise _refuse(here, f"The line cannot be read: {error}", "Close the quotation.") from error
    return word, " ".join(parts)


def _folder(line: str, option: str, value: str, home: Path, here: Location) -> Path | None:
    """The folder of a local package that a line names, relative to its file; None for any other line."""
    text = value if option in _EDITABLE else "" if option else line
    is_path = _LOOKS_LIKE_PATH.search(text) or (option and text and not _LOOKS_LIKE_URL.search(text))
    if not is_path or text.endswith(_ARCHIVES):
        return None
    if re.search(r"[;\[\0@]|^~", text):
        raise _refuse(here, f"{short(text)!a} is a folder with more to it", "Name the folder alone; name what its extras need one by one.")
    return Path(os.path.normpath(home / text))


def _requirement(line: str, here: Location, environment: dict[str, str]) -> Wanted | None:
    """The requirement of a line, or None when its marker does not hold for the runtime."""
    text, hashes = _split_hashes(line, here)
    option = re.search(r"(?:^|\s)(--?[A-Za-z][A-Za-z-]*)", text)
    if option:
        raise _refuse(here, f"{option[1]} is refused: {_REFUSED.get(option[1], 'shipsafe does not know this option')}", "Remove it.")
    if "${" in text:
        raise _refuse(here, "A variable stands in the line, and variables are not expanded", "Write the value.")
    if _LOOKS_LIKE_URL.search(text):
        raise _refuse(here, f"{short(text.split()[0])!r} is a URL or a repository, which no index vouches for", _OTHER_WAY)
    if _LOOKS_LIKE_PATH.search(text.split(";")[0].strip()):
        raise _refuse(here, f"{short(text)!r} is a path, which no index vouches for",
                      "Put it into a folder that `[indexes] find-links` names, and ask for it by name and version.")  # fmt: skip
    try:
        requirement = Requirement(text)
        applies = requirement.marker is None or requirement.marker.evaluate({**environment, "extra": ""})
    except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion, RecursionError) as error:
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise _refuse(here, f"{short(text)!r} is not a requirement: {without_credentials(why)}", "See PEP 508.") from error
    if not applies:
        return None
    if requirement.url:
        raise _refuse(here, f"{requirement.name} is asked for by URL, which no index vouches for", _OTHER_WAY)
    return Wanted(requirement=requirement, location=here, hashes=hashes)


def _split_hashes(line: str, here: Location) -> tuple[str, tuple[str, ...]]:
    """The line without its `--hash` options, and what they admit."""
    hashes = {f"{algorithm.lower()}:{digest.lower()}" for algorithm, digest in _HASH.findall(line)}
    for one in hashes:
        algorithm, _, digest = one.partition(":")
        if len(digest) != _DIGITS.get(algorithm):
            raise _refuse(here, f"--hash={one[:40]} is no SHA-256, SHA-384 or SHA-512", "Make the hashes again.")
    return _HASH.sub("", line).strip(), tuple(sorted(hashes))


def _refuse(place: Location, what: str, remedy: str) -> IncompleteError:
    return IncompleteError(f"{what}.", remedy=remedy, path=place.path, line=place.line)
