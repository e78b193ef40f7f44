"""What every step of a run is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from shipsafe.adapters.cache import Cache
from shipsafe.adapters.timeline import Timeline
from shipsafe.model.advisory import Advisories
from shipsafe.model.policy import Policy
from shipsafe.model.project import Project, Subject
from shipsafe.packing.members import Members
from shipsafe.packing.output import Output
from shipsafe.packing.sets import Sets
from shipsafe.reports.live import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything that does not change while subjects are examined.

    Attributes:
        asking: the part of the policy that decides what is asked (`answers.asking_part`).
        folder: the private folder of the run.
        output: where a passing release will go, and where the last one may lie; None for `check`, which packs nothing.
        sets, members, answers: what is done once for all subjects, and what earlier runs learnt.
    """

    project: Project
    policy: Policy
    asking: Mapping[str, object]
    today: date
    epoch: int | None
    folder: Path
    output: Output | None
    offline: bool
    jobs: int
    check_reproducible: bool
    answers: Cache
    sets: Sets
    members: Members
    progress: Progress
    open_advisories: Callable[[], Advisories]
    timeline: Timeline = field(default_factory=Timeline)

    def place(self, subject: Subject, part: str) -> Path:
        """Where one part of the work on one subject lies."""
        return self.folder / subject.subject.replace(":", "-") / part

    def workspace(self, subject: Subject, part: str) -> Path:
        """The same, made: private and empty."""
        place = self.place(subject, part)
        place.mkdir(parents=True)
        return place
