"""What every SARIF file of ours is made of, whatever it tells."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import quote

from shipsafe.reports.escape import short

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_TEXT = 1_024  # characters of a text; GitHub cuts there


def log(runs: Sequence[object]) -> dict[str, object]:
    """The document around runs."""
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": list(runs)}


def notification(kind: str, level: str, said: str) -> dict[str, object]:
    """A remark about the run itself; `level` error, warning or note."""
    return {"descriptor": {"id": kind}, "level": level, "message": {"text": one_line(said)}}


def one_line(said: str, limit: int = _TEXT) -> str:
    """One line that is never empty, and holds no link: in a message `[text](target)` is one (SARIF 2.1.0, 3.11.6)."""
    return short(said.replace("](", "] ("), limit) or "-"


def inside(path: str) -> bool:
    """Whether a path is relative and stays below where it starts: only such a file can be shown beside the code."""
    return bool(path) and not path.startswith("/") and ".." not in PurePosixPath(path).parts


def uri(path: PurePosixPath) -> str:
    """A path, percent-encoded; also where its first part holds a colon."""
    return quote(path.as_posix().encode(errors="replace"), safe="/")
