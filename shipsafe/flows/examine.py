"""Stage every function and layer, ask every gate about it, and pack beside the gates: all of it at once.

Nothing is decided here and nothing is published: everything lies in a private folder, and the outcomes go to the judge.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shipsafe.adapters.process import end_all
from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.gates import all_gates
from shipsafe.model.advisory import Advisories
from shipsafe.model.artifact import Archive
from shipsafe.model.gate import Gate, Inquiry
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import Policy
from shipsafe.model.project import Function, Project, Subject
from shipsafe.model.tree import StagedTree
from shipsafe.packing.archive import pack
from shipsafe.packing.members import Members
from shipsafe.packing.sets import Sets
from shipsafe.packing.stage import BuiltElsewhereError, stage
from shipsafe.reports.live import Progress

_IMAGE = (
    "is a container image, which Lambda cannot code-sign. Ship it as a zip, or sign the image in its registry and look at it "
    "with a container scanner."
)
_DECISIVE = ("runtime", "architectures", "code")  # fields without which nobody knows what would ship


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every step of a run is given. `folder` is the private folder of the run."""

    project: Project
    policy: Policy
    today: date
    epoch: int | None
    folder: Path
    cache: Path
    offline: bool
    jobs: int
    packs: bool
    progress: Progress
    sets: Sets
    members: Members
    open_advisories: Callable[[], Advisories]

    def workspace(self, subject: Subject, part: str) -> Path:
        """A private, empty folder for one part of the work on one subject."""
        place = self.folder / subject.subject.replace(":", "-") / part
        place.mkdir(parents=True)
        return place


Staged = StagedTree | ShipsafeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """Everything the judge and the publisher need. Outcomes stand in the order of subjects, then gates."""

    outcomes: tuple[Outcome, ...]
    archives: Mapping[str, Archive]
    trees: Mapping[str, StagedTree]
    advisories: Advisories | ShipsafeError | None


def examine(bench: Bench, subjects: Iterable[Subject]) -> Examined:
    """Stage, ask and pack all subjects.

    Raises:
        ConfigError: the input as a whole cannot be used (two kinds of lock at one level).
        IntegrityError: a file changed between being audited and being packed.
    """
    pool = ThreadPoolExecutor(bench.jobs, thread_name_prefix="shipsafe")
    try:
        examined = _examine(bench, tuple(subjects), pool)
    except BaseException:
        end_all()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
    return examined


def _examine(bench: Bench, subjects: tuple[Subject, ...], pool: ThreadPoolExecutor) -> Examined:
    needs_advisories = any(subject.is_python for subject in subjects)
    # The first task of the pool, so that a gate that waits for it can never wait for a task that has not begun.
    advisories = pool.submit(_advisories, bench) if needs_advisories else None
    staging = {pool.submit(_stage, bench, subject): subject for subject in subjects if not _is_image(subject)}
    trees: dict[str, Staged] = {}
    asked: dict[tuple[str, str], Future[Outcome]] = {}
    archives: dict[str, Future[Archive]] = {}

    def begin(subject: Subject) -> None:
        for gate in all_gates():
            asked[subject.subject, gate.id] = pool.submit(_ask, bench, gate, subject, dict(trees), advisories)
        tree = trees.get(subject.subject)
        if bench.packs and isinstance(tree, StagedTree):
            archives[subject.subject] = pool.submit(_pack, bench, subject, tree)

    waiting = list(subjects)
    for subject in [subject for subject in waiting if _is_image(subject)]:
        waiting.remove(subject)
        begin(subject)
    for staged in as_completed(staging):
        trees[staging[staged].subject] = staged.result()
        for subject in [subject for subject in waiting if _needed_trees(bench.project, subject) <= trees.keys()]:
            waiting.remove(subject)
            begin(subject)
    _raise_first(asked.values(), archives.values())
    return Examined(
        outcomes=tuple(asked[subject.subject, gate.id].result() for subject in subjects for gate in all_gates()),
        archives={subject: archive.result() for subject, archive in archives.items()},
        trees={subject: tree for subject, tree in trees.items() if isinstance(tree, StagedTree)},
        advisories=advisories.result() if advisories else None,
    )


def _raise_first(*groups: Iterable[Future[Outcome]] | Iterable[Future[Archive]]) -> None:
    """Wait for everything, but no longer than until the first failure that ends the run."""
    for done in as_completed([future for group in groups for future in group]):
        done.result()


def _is_image(subject: Subject) -> bool:
    return isinstance(subject, Function) and subject.is_image


def _needed_trees(project: Project, subject: Subject) -> set[str]:
    """The subjects whose trees its gates look at: its own, and those of the layers of this project that it uses."""
    names = [ref.local for ref in subject.layers if ref.local] if isinstance(subject, Function) else []
    layers = [layer for name in names if (layer := project.layer(name))]
    return {subject.subject, *(layer.subject for layer in layers)}


def _advisories(bench: Bench) -> Advisories | ShipsafeError:
    try:
        return bench.open_advisories()
    except IncompleteError as error:
        return error


def _stage(bench: Bench, subject: Subject) -> Staged:
    """The staged tree, or the reason why this one subject could not be staged; the others go on."""
    bench.progress.update(subject.subject, "stage", None)
    for unresolved in subject.unresolved:
        if unresolved.field in _DECISIVE:
            place = unresolved.location or subject.location
            return IncompleteError(
                f"The {unresolved.field} of {subject.name} could not be resolved: {unresolved.reason.rstrip('.')}.",
                remedy="Give its parameter a value with --parameter-overrides or in the policy's [parameters].",
                path=place.path,
                line=place.line,
            )
    try:
        tree = stage(
            subject,
            bench.project,
            bench.policy,
            workspace=bench.workspace(subject, "stage"),
            sets=bench.sets,
            offline=bench.offline,
        )
    except IncompleteError as error:
        bench.progress.update(subject.subject, "stage", State.UNANSWERED, str(error))
        return error
    bench.progress.update(subject.subject, "stage", State.ANSWERED, f"{len(tree.entries)} files")
    return tree


def _ask(
    bench: Bench,
    gate: Gate,
    subject: Subject,
    trees: Mapping[str, Staged],
    advisories: Future[Advisories | ShipsafeError] | None,
) -> Outcome:
    """The gate's outcome, whatever happens in it: the one place that runs a gate."""
    tree = trees.get(subject.subject)
    reason = _not_asked(gate, subject, tree)
    if reason:
        outcome = Outcome.not_asked(gate.id, subject.subject, reason)
    elif gate.needs_tree and not isinstance(tree, StagedTree):
        outcome = Outcome.unanswered(gate.id, subject.subject, str(tree))
    else:
        inquiry = Inquiry(
            project=bench.project,
            subject=subject,
            policy=bench.policy,
            today=bench.today,
            workspace=bench.workspace(subject, gate.id),
            tree=tree if isinstance(tree, StagedTree) else None,
            advisories=advisories.result() if advisories else None,
            layer_trees=tuple(
                layer
                for name in sorted(_needed_trees(bench.project, subject) - {subject.subject})
                if isinstance(layer := trees.get(name), StagedTree)
            ),
            epoch=bench.epoch,
            offline=bench.offline,
        )
        try:
            if inquiry.tree:
                inquiry.tree.materialise()
            outcome = gate.run(inquiry)
        except ShipsafeError as error:
            outcome = Outcome.unanswered(gate.id, subject.subject, str(error))
        except Exception as error:  # noqa: BLE001 - a gate that fails has not answered; the others go on
            outcome = Outcome.unanswered(
                gate.id, subject.subject, f"The gate itself failed ({type(error).__name__}: {error}). Report this as a bug."
            )
    bench.progress.update(subject.subject, gate.id, outcome.state, _count(outcome))
    return outcome


def _not_asked(gate: Gate, subject: Subject, tree: Staged | None) -> str:
    """Why this question does not apply, or ""."""
    if _is_image(subject):
        return f"{subject.name} {_IMAGE}"
    if isinstance(tree, BuiltElsewhereError) and gate.needs_tree:
        return str(tree)
    if gate.python_only and not subject.is_python:
        language = subject.runtime or "no Python runtime"
        return f"{subject.name} has {language}; this gate looks at Python. Only package and layers are asked."
    if gate.python_only and isinstance(tree, StagedTree) and tree.prebuilt:
        return f"{subject.name} was built by another tool; only package and layers are asked. Name its source folder instead."
    return ""


def _count(outcome: Outcome) -> str:
    if outcome.state is not State.ANSWERED:
        return outcome.reason
    counted = sum(1 for finding in outcome.findings if not finding.suppressed)
    return f"{counted} findings" if counted != 1 else "1 finding"


def _pack(bench: Bench, subject: Subject, tree: StagedTree) -> Archive:
    archive = pack(tree, bench.workspace(subject, "pack") / "package.zip", bench.members)
    bench.progress.update(subject.subject, "pack", State.ANSWERED, f"{archive.size / 1e6:.1f} MB")
    return archive
