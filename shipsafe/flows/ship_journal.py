"""What a line of `ship` has finished, beside the release, so that `--resume` does not do it again.

Only the build needs it: from the second leg on, the manifest, its signatures, the evidence and the tags of the functions say themselves
what was done, on any machine. What they cannot say is that a newer build was begun in this folder and did not end: then the release that
lies there is not what somebody wanted to ship, and `--resume` builds.

    dist/.shipsafe/ship.json    {"version": 1, "began": "2026-11-21T17:30:00+00:00", "release": "9f2c...", "finished": ["build", "sign"]}

It is a hint: a journal that is lost or damaged costs a build more, and never lets anything through.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import read_bounded, write_atomic
from shipsafe.errors import ConfigError
from shipsafe.model.ship import Leg
from shipsafe.packing.output import STORE
from shipsafe.packing.publish import MANIFEST

NAME = "ship.json"
_LARGEST = 64 * 1024  # bytes
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that was begun: when, UTC; which release it is of, "" while it is being built; and the legs that it finished."""

    began: datetime
    release: str = ""
    finished: tuple[Leg, ...] = ()


@dataclass(frozen=True, slots=True)
class LineJournal:
    """The journal of an output folder."""

    out: Path

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.out / STORE / NAME

    def read(self) -> Line | None:
        """The line that was begun last; None where there is none, or the file is not one."""
        if self.path.is_symlink() or not self.path.is_file():
            return None
        try:
            return _line(json.loads(read_bounded(self.path, limit=_LARGEST)))
        except (ConfigError, ValueError, RecursionError):
            return None

    def begin(self, now: datetime) -> Line:
        """A new line. It is written down only where something lies in the folder that could be taken for what it will build.

        Raises:
            IncompleteError: the folder cannot be written.
        """
        line = Line(began=now)
        if self.path.exists() or (self.out / MANIFEST).exists():
            self._write(line)
        return line

    def finish(self, line: Line, leg: Leg, release: str) -> Line:
        """The line with one leg more.

        Raises:
            IncompleteError: the folder cannot be written.
        """
        after = replace(line, release=release, finished=tuple(dict.fromkeys((*line.finished, leg))))
        if after != line:
            self._write(after)
        return after

    def _write(self, line: Line) -> None:
        told = {"version": _VERSION, "began": line.began.isoformat(), "release": line.release, "finished": list(line.finished)}
        write_atomic(self.path, json.dumps(told).encode() + b"\n")


def _line(told: Any) -> Line:
    """A line, of a document that may be anything.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(told, dict) or told.get("version") != _VERSION:
        raise ValueError
    began, release, finished = told.get("began"), told.get("release"), told.get("finished")
    if not isinstance(began, str) or not isinstance(release, str) or not isinstance(finished, list):
        raise ValueError  # noqa: TRY004 - one kind of error for every way of not being a journal
    at = datetime.fromisoformat(began)
    return Line(began=at.astimezone(UTC), release=release, finished=tuple(Leg(one) for one in finished))
