"""Files of a release that somebody handed over: regular ones, bounded, and never behind a link.

What is not there is broken and what cannot be read is unanswered: whoever removes a piece of evidence must not get a milder answer than
whoever changes it, and a disk that refuses has changed nothing.
"""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import IncompleteError, IntegrityError

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path, *, what: str, shown: str) -> BinaryIO:
    """The file, which is a regular one and no link.

    Args:
        path: the file.
        what: what it should be, for the message: `zip`.
        shown: its name, for people.

    Raises:
        IntegrityError: it is not there, is a link, or no regular file.
        IncompleteError: it cannot be read.
    """
    if path.is_symlink():
        raise IntegrityError("It is a link, and not the file itself.", remedy=f"Put the {what} itself there.", path=shown)
    try:
        file = os.fdopen(os.open(path, _FLAGS), "rb")
    except FileNotFoundError as error:
        raise IntegrityError(f"The {what} is not there.", remedy="Bring along what was built, whole.", path=shown) from error
    except OSError as error:
        raise IncompleteError(f"The {what} cannot be read: {error.strerror}.", remedy="Check its rights.", path=shown) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise IntegrityError("It is no regular file.", remedy=f"Put the {what} itself there.", path=shown)
    return file


def read_regular(path: Path, *, limit: int, what: str, shown: str) -> bytes:
    """All of it, at most `limit` bytes.

    Raises:
        IntegrityError: as `open_regular`, or it is larger.
        IncompleteError: it cannot be read.
    """
    with open_regular(path, what=what, shown=shown) as file:
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise IncompleteError(f"The {what} cannot be read: {error.strerror}.", remedy="Check the disk.", path=shown) from error
    if len(data) > limit:
        raise IntegrityError(f"It has more than {limit // MEBIBYTE} MiB.", remedy=f"No {what} of ours has.", path=shown)
    return data
