"""A zip that another tool made, unpacked member by member into the staged tree: bounded, and nothing outside the tree.

Refused: encryption, absolute paths, `..`, links, two members of one name, more than Lambda takes, and bombs.
"""

import errno
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import IncompleteError
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE
from shipsafe.packing.select import nameable

_UNZIPPED = 512 * MEBIBYTE  # twice what Lambda takes
_ZIPPED = _UNZIPPED
_MEMBERS = 100_000
_CHUNK = MEBIBYTE
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what Lambda unpacks


def unpack(archive: Path, target: Path, *, shown: str) -> Iterator[tuple[str, Path, int]]:
    """Give path, unpacked file and mode of every member.

    Raises:
        IncompleteError: it is not a zip, or is one of those that are refused.
    """
    if archive.stat().st_size > _ZIPPED:
        raise IncompleteError(f"Larger than {_ZIPPED // MEBIBYTE} MiB.", remedy="Build a smaller archive.", path=shown)
    left = _UNZIPPED
    try:
        with zipfile.ZipFile(archive) as opened:
            for path, member in _members(opened.infolist(), shown).items():
                file = target / path
                file.parent.mkdir(parents=True, exist_ok=True)
                left -= _copy(opened, member, file, left, shown)
                program = (member.external_attr >> 16) & stat.S_IXUSR
                yield path, file, PROGRAM_MODE if program else FILE_MODE
    except (
        *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
        *(NotImplementedError, RuntimeError, ValueError),  # a flag, a version or a name that zipfile does not take
        *(FileExistsError, NotADirectoryError, IsADirectoryError),  # one member is the folder of another
    ) as error:
        raise IncompleteError(f"Not a usable zip: {error}.", remedy="Build it again.", path=shown) from error
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENAMETOOLONG):  # an offset before the file, a name that no disk takes
            raise
        raise IncompleteError(f"Not a usable zip: {error.strerror}.", remedy="Build it again.", path=shown) from error


def _members(infos: list[zipfile.ZipInfo], shown: str) -> dict[str, zipfile.ZipInfo]:
    """The files by their path, each looked at before the first is written."""
    if len(infos) > _MEMBERS:
        raise IncompleteError(f"More than {_MEMBERS} files.", remedy="Build a smaller archive.", path=shown)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = PurePosixPath(info.filename)
        path, wrong = name.as_posix(), ""
        if name.is_absolute() or ".." in name.parts or "\\" in path or not name.parts or not nameable(path):
            wrong = "leads out of the archive or cannot be named"
        elif stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            wrong = "is a link or a device"
        elif info.is_dir():
            continue
        elif path in members:
            wrong = "stands in it twice"
        elif info.flag_bits & 1:
            wrong = "is encrypted"
        elif info.compress_type not in _METHODS:
            wrong = "is compressed in a way that Lambda does not unpack"
        if wrong:
            raise IncompleteError(f"The member {info.filename[:120]!a} {wrong}.", remedy="Build the archive again.", path=shown)
        members[path] = info
    return members


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
