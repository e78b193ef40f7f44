"""zizmor, which reads workflows: a program of its own, asked offline about copies of files, without any configuration of the project's.

It is the one that lies beside shipsafe (`pip install 'shipsafe[workflows]'`) and never one that happens to be on the PATH. It says nothing
of a finding that a comment ignores, so it is asked a second time without those comments where they count; the difference is ignored.
Source: https://docs.zizmor.sh/.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from shipsafe.adapters.process import Run, run
from shipsafe.adapters.shown import shown
from shipsafe.errors import IncompleteError

# A file that it cannot read ends the run instead of being left out; a run with findings ends with 0.
# Its copies are all to be read, also where a `.gitignore` above the folder for temporary files says otherwise.
_FLAGS = (
    "--offline",
    "--no-config",
    "--collect=all",
    "--strict-collection",
    "--no-exit-codes",
    "--no-progress",
    "--quiet",
    "--format",
    "json-v1",
)
_LONGEST = 60.0  # seconds
_SENTENCE = 300  # characters of a reason of its own
_NO_NEWS = "fatal: no audit was performed"
_UPGRADE = "Install the version that shipsafe asks for: `pip install 'shipsafe[workflows]'`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Zizmor:
    """The program and its version."""

    program: Path
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that it found.

    Attributes:
        audit: its name (`template-injection`), `summary` what that is about.
        path, line, column: where, relative to the folder that was asked about; both count from 1.
        about: what it says of that place.
        text: what stands there.
        severity, confidence: its words in lower case (`high`, `informational`, `unknown`).
        ignored: whether a comment in the file ignores it.
    """

    audit: str
    summary: str
    path: str
    line: int
    column: int
    about: str
    text: str
    severity: str
    confidence: str
    ignored: bool = False


def installed() -> Zizmor | None:
    """The one that is installed beside shipsafe, or None."""
    try:
        found: Distribution = distribution("zizmor")
    except PackageNotFoundError:
        return None
    programs = (Path(str(found.locate_file(file))) for file in found.files or () if file.name in ("zizmor", "zizmor.exe"))
    program = next((one for one in programs if one.is_file()), None)
    return Zizmor(program=program.resolve(), version=found.version) if program else None


def audit(zizmor: Zizmor, folder: Path, *, heeds_comments: bool, run: Run = run) -> tuple[Remark, ...]:
    """What it finds in the workflows and actions below a folder that holds nothing else, in the order of files and lines.

    Raises:
        IncompleteError: it failed, could not read a file, or wrote what nobody understands.
    """
    everything = _asked(zizmor, folder, "--no-ignores", run=run)
    if not heeds_comments:
        return everything
    heeded = set(_asked(zizmor, folder, run=run))
    return tuple(one if one in heeded else replace(one, ignored=True) for one in everything)


def _asked(zizmor: Zizmor, folder: Path, *more: str, run: Run) -> tuple[Remark, ...]:
    done = run([zizmor.program, *_FLAGS, *more, "."], cwd=folder, timeout=_LONGEST)
    if done.returncode != 0:
        raise IncompleteError(f"zizmor could not read the workflows: {_reason(done.stderr)}.", remedy="Correct the file.")
    try:
        return tuple(sorted(_remarks(json.loads(done.stdout)), key=lambda one: (one.path, one.line, one.column, one.audit, one.about)))
    except (KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        raise IncompleteError(f"zizmor {zizmor.version} wrote what this shipsafe does not understand.", remedy=_UPGRADE) from error


def _remarks(found: Iterable[Any]) -> Iterator[Remark]:
    for one in found:
        places = [place for place in one["locations"] if place["symbolic"]["kind"] == "Primary"] or one["locations"]
        place = places[0]
        start = place["concrete"]["location"]["start_point"]
        said = one["determinations"]
        yield Remark(
            audit=str(one["ident"]),
            summary=str(one["desc"]),
            path=str(place["symbolic"]["key"]["Local"]["verbatim_path"]).removeprefix("./"),
            line=int(start["row"]) + 1,
            column=int(start["column"]) + 1,
            about=str(place["symbolic"]["annotation"]),
            text=str(place["concrete"]["feature"]),
            severity=str(said["severity"]).lower(),
            confidence=str(said["confidence"]).lower(),
        )


def _reason(stderr: str) -> str:
    """Its own words up to where it tells programmers where it stood, in one line."""
    told = stderr.partition("Stack backtrace:")[0].replace(_NO_NEWS, "").replace("file://./", "")
    return shown(" ".join(told.split()), _SENTENCE) or "it did not say why"
