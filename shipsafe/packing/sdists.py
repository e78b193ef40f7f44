"""Source distributions, looked at without running anything of them: which file is one, its digest, and what its build needs."""

import hashlib
import tarfile
import zipfile
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, parse_sdist_filename
from packaging.version import Version

from shipsafe.adapters import toml
from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import IntegrityError

_LARGEST_PROJECT = MEBIBYTE
_LARGEST_UNPACKED = 2048 * MEBIBYTE
_MOST_FILES = 100_000
# What PEP 517 gives a project that does not say; and what the builds of older setuptools ask for when they have started.
_DEFAULT = ("setuptools>=40.8.0",)
_ASKED_LATER = "wheel"
_ALGORITHMS = ("sha512", "sha384", "sha256")


class SdistError(ValueError):
    """It cannot be used; its text says why, as the end of a sentence."""


def version_of(file_name: str, name: str) -> Version | None:
    """The version, where a file is a source distribution of that (normalised) name."""
    try:
        found, version = parse_sdist_filename(file_name)
    except InvalidSdistFilename:
        return None
    return version if found == name else None


def check_digest(content: bytes, expected: AbstractSet[str], name: str) -> None:
    """Compare with hashes (`sha256:...`), where there are any.

    Raises:
        IntegrityError: none of them is that of the content.
    """
    ours = {f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}" for algorithm in _ALGORITHMS}
    if expected and not expected & ours:
        raise IntegrityError(f"{name} is not what its hash says.", remedy="Find out why before you lock again.")


def requirements(sdist: Path) -> list[str]:
    """What its build needs, for uv.

    Raises:
        SdistError: it cannot be read, or asks for something that is no name of a distribution.
    """
    try:
        text = _project(sdist)
        table: Any = toml.loads(text.decode()).get("build-system", {}) if text is not None else {}
        lines = [str(line) for line in table["requires"]] if "requires" in table else list(_DEFAULT)
        parsed = [Requirement(line) for line in lines]
    except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError, ValueError, TypeError, AttributeError, RecursionError) as error:
        message = f"its source distribution cannot be read: {type(error).__name__}"
        raise SdistError(message) from error
    except InvalidRequirement as error:
        message = "what its build needs cannot be read"
        raise SdistError(message) from error
    if any(one.url for one in parsed):
        message = "its build needs something from a URL"
        raise SdistError(message)
    if any(one.name == "setuptools" for one in parsed):
        lines.append(_ASKED_LATER)
    return lines


def _project(sdist: Path) -> bytes | None:
    """Its pyproject.toml, or None."""
    if sdist.suffix == ".zip":
        with zipfile.ZipFile(sdist) as archive:
            found = next((one for one in archive.infolist() if _is_project(one.filename)), None)
            if found is None:
                return None
            with archive.open(found) as file:
                return file.read(_LARGEST_PROJECT)
    with tarfile.open(sdist, "r|gz") as stream:
        for number, member in enumerate(stream):
            if number > _MOST_FILES or member.offset > _LARGEST_UNPACKED:
                message = "its source distribution is too large"
                raise SdistError(message)
            if member.isfile() and _is_project(member.name):
                content = stream.extractfile(member)
                return content.read(_LARGEST_PROJECT) if content else None
    return None


def _is_project(path: str) -> bool:
    return path.count("/") == 1 and path.endswith("/pyproject.toml")
