"""What every step of a run is given."""

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from threading import Thread

from shipsafe.adapters.cache import Cache, open_cache
from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.git import source_date_epoch
from shipsafe.adapters.places import cache_dir
from shipsafe.adapters.timeline import Timeline
from shipsafe.advisories import open_advisories
from shipsafe.flows.answers import asking_part
from shipsafe.flows.prepare import Prepared
from shipsafe.model.advisory import Advisories
from shipsafe.model.policy import AdvisoryPolicy, Policy
from shipsafe.model.project import Project, Subject
from shipsafe.packing.archive import compressor
from shipsafe.packing.members import Members, open_members
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import repair
from shipsafe.packing.sets import Sets
from shipsafe.reports.live import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was asked of another revision: its name, and (subject, gate) -> `answers.substance`. Empty where nobody compares."""

    name: str = ""
    questions: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything that does not change while subjects are examined.

    Attributes:
        asking: the part of the policy that decides what is asked (`answers.asking_part`).
        folder: the private folder of the run.
        output: where a passing release will go, and where the last one may lie; None for `check`, which packs nothing.
        sets, members, answers: what is done once for all subjects, and what earlier runs learnt.
        before: what was asked of another revision, which need not be asked again.
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
    open_advisories: Callable[[AdvisoryPolicy], Advisories]
    timeline: Timeline
    before: Before = field(default_factory=Before)

    @property
    def packs(self) -> bool:
        """`build` packs, `check` does not."""
        return self.output is not None

    def clear(self) -> None:
        """Remove what was staged; nobody needs it once everything is asked and packed. Runs beside what is left to do."""
        Thread(target=rmtree, args=(self.folder,), kwargs={"ignore_errors": True}, name="clear").start()

    def place(self, subject: Subject, part: str) -> Path:
        """Where one part of the work on one subject lies."""
        return self.folder / subject.subject.replace(":", "-") / part

    def workspace(self, subject: Subject, part: str) -> Path:
        """The same, made: private and empty."""
        place = self.place(subject, part)
        place.mkdir(parents=True)
        return place


@contextmanager
def open_bench(prepared: Prepared, progress: Progress, timeline: Timeline, output: Output | None = None) -> Generator[Bench]:
    """Open everything that a run works with; the output folder is held, and what an interrupted run left in it is mended.

    Raises:
        IncompleteError: the output folder, or the folder for temporary files, cannot be written.
    """
    request, policy, cache = prepared.request, prepared.policy, cache_dir()
    with ExitStack() as stack:
        if output is not None:
            stack.enter_context(output_lock(output.out, on_wait=lambda: progress.say(_waiting(output.out))))
            repair(output)
            stack.callback(output.tidy)
        folder = Path(stack.enter_context(_private_folder()))
        stack.callback(_end_tools)
        answers = open_cache(cache)
        stack.callback(answers.close)
        stack.callback(answers.flush)
        members = open_members(cache, compressor())
        stack.callback(members.close)
        yield Bench(
            project=prepared.project,
            policy=policy,
            asking=asking_part(policy),
            today=request.today,
            epoch=source_date_epoch(prepared.project.root),
            folder=folder,
            output=output,
            answers=answers,
            sets=Sets(folder / "sets", answers, timeline, begun=_load_tools),
            members=members,
            offline=request.offline,
            jobs=request.jobs,
            check_reproducible=request.check_reproducible,
            progress=progress,
            timeline=timeline,
            open_advisories=lambda settings: open_advisories(
                settings,
                cache=cache,
                answers=answers,
                offline=request.offline,
                today=request.today,
                now=lambda: datetime.now(UTC),
                say=progress.say,
            ),
        )


def _load_tools(step: str) -> None:
    """Load what gates will need while uv, another process, is at work: bandit in a process of its own, pip-audit in a thread.

    What was resolved before has been audited before, so that only its files are wanted.
    """
    if step == "install":
        from shipsafe.adapters import bandit  # noqa: PLC0415 - answers of an earlier run need none of it

        bandit.start()
    else:
        Thread(target=_load_audit, name="load").start()


def _load_audit() -> None:
    with suppress(Exception):  # whoever needs it imports it again, and says what is wrong
        import_module("shipsafe.advisories.audit")


def _end_tools() -> None:
    """End bandit's processes, if anybody has started them."""
    if "shipsafe.adapters.bandit" in sys.modules:
        sys.modules["shipsafe.adapters.bandit"].stop()


def _private_folder() -> "TemporaryDirectory[str]":
    """A folder that only we can read and that is gone when the run ends, however it ends."""
    with disk_errors(Path("the folder for temporary files")):
        return TemporaryDirectory(prefix="shipsafe-", ignore_cleanup_errors=True)


def _waiting(out: Path | None) -> str:
    return f"Another shipsafe is building into {out}; waiting for it to end."
