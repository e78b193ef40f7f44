"""A zip that another tool made, unpacked member by member into the staged tree: bounded, and nothing outside the tree.

Refused: encryption, absolute paths, `..`, links, two members of one name, more than Lambda takes, and bombs.
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import IncompleteError
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, has_control

_UNZIPPED = 512 * MEBIBYTE  # twice what Lambda takes
_MEMBERS = 100_000
_CHUNK = MEBIBYTE


def unpack(archive: Path, target: Path, *, shown: str) -> Iterator[tuple[str, Path, int]]:
    """Give path, unpacked file and mode of every member.

    Raises:
        IncompleteError: it is not a zip, or is one of those that are refused.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            _check(members, shown)
            left = _UNZIPPED
            for member in members:
                file = target / member.filename
                file.parent.mkdir(parents=True, exist_ok=True)
                left -= _copy(opened, member, file, left, shown)
                program = (member.external_attr >> 16) & stat.S_IXUSR
                yield member.filename, file, PROGRAM_MODE if program else FILE_MODE
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        UnicodeError,
        RuntimeError,
        FileExistsError,
    ) as error:
        raise IncompleteError(f"Not a usable zip: {error}.", remedy="Build it again.", path=shown) from error


def _check(members: list[zipfile.ZipInfo], shown: str) -> None:
    if len(members) > _MEMBERS:
        raise IncompleteError(f"More than {_MEMBERS} files.", remedy="Build a smaller archive.", path=shown)
    seen: set[str] = set()
    for member in members:
        name = member.filename
        path = PurePosixPath(name)
        wrong = ""
        if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts or has_control(name):
            wrong = "leads out of the archive"
        elif name in seen:
            wrong = "stands in it twice"
        elif member.flag_bits & 1:
            wrong = "is encrypted"
        elif stat.S_ISLNK(member.external_attr >> 16):
            wrong = "is a link"
        if wrong:
            raise IncompleteError(f"The member {name[:120]!r} {wrong}.", remedy="Build the archive again.", path=shown)
        seen.add(name)


def _copy(opened: zipfile.ZipFile, member: zipfile.ZipInfo, file: Path, left: int, shown: str) -> int:
    """Copy one member; what it says of its size is not believed."""
    written = 0
    with opened.open(member) as source, file.open("xb") as sink:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > left:
                raise IncompleteError(f"More than {_UNZIPPED // MEBIBYTE} MiB unzipped.", remedy="Build it smaller.", path=shown)
            sink.write(chunk)
    return written
