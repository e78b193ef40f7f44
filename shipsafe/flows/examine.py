"""Stage every function and layer, ask every gate about it, and pack beside the gates: all of it at once.

Nothing is decided here and nothing is published: everything lies in private folders, and the outcomes go to the judge. Subjects
come in one after the other, a few at a time, and a tree is let go of as soon as nobody needs it: how much is held in memory does
not grow with the number of functions.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from shipsafe.adapters.process import end_all
from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.flows.ask import Case, Opened, Staged, ask, ask_project, is_image
from shipsafe.flows.bench import Bench
from shipsafe.flows.packed import Sbom, packed, sealed
from shipsafe.gates import project_gates, subject_gates
from shipsafe.model.advisory import Advisories
from shipsafe.model.artifact import Archive
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.project import Function, Layer, Subject
from shipsafe.model.tree import StagedTree
from shipsafe.packing.output import Output
from shipsafe.packing.stage import stage
from shipsafe.reports.tally import count

_PACKERS = 2  # archives that are written at once; each compresses on all processors
_DECISIVE = ("runtime", "architectures", "code")  # fields without which nobody knows what would ship
Value = TypeVar("Value")
Take = Callable[[Bench, Subject, Path], StagedTree]  # the tree of a subject, in a private and empty folder
Pack = Callable[[Bench, Output, Case, StagedTree], Archive]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """Everything the judge and the publisher need.

    Outcomes stand in the order of subjects, then gates; those about the project come last. The rest is by subject: `contents` are the
    content digests of what was staged; `inputs` the files that said what to install, relative to the project.
    """

    outcomes: tuple[Outcome, ...]
    contents: Mapping[str, str]
    archives: Mapping[str, Archive]
    sboms: Mapping[str, Sbom]
    advisories: Advisories | ShipsafeError | None
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def from_source(bench: Bench, subject: Subject, workspace: Path) -> StagedTree:
    """Stage a subject from what the project has.

    Raises:
        IncompleteError: nobody knows what would ship, or `stage` says why not.
    """
    for unresolved in subject.unresolved:
        if unresolved.field in _DECISIVE:
            place = unresolved.location or subject.location
            raise IncompleteError(
                f"The {unresolved.field} of {subject.name} could not be resolved: {unresolved.reason.rstrip('.')}.",
                remedy=unresolved.remedy or "Give its parameter a value with --parameter-overrides or in the policy's [parameters].",
                path=place.path,
                line=place.line,
            )
    return stage(subject, bench.project, bench.policy, workspace=workspace, sets=bench.sets, offline=bench.offline)


def _keep(_bench: Bench, _case: Case) -> None:
    """What was staged is needed until the run ends, or is cheap to keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """How a subject's tree and archive are come by, and what is done when nobody needs the tree any more."""

    take: Take = from_source
    pack: Pack = packed
    leave: Callable[[Bench, Case], None] = _keep


_HANDS = Hands()


def examine(bench: Bench, subjects: Iterable[Subject], hands: Hands = _HANDS) -> Examined:
    """Stage, ask and pack all subjects.

    Args:
        bench: what every step is given.
        subjects: what to look at.
        hands: how trees and archives are come by; as a rule they are staged from their source and packed.

    Raises:
        ConfigError: the input as a whole cannot be used (two kinds of lock at one level).
        IntegrityError: a file changed between being audited and being packed.
    """
    pools = _Pools(*(ThreadPoolExecutor(number, thread_name_prefix="shipsafe") for number in (bench.jobs, bench.jobs, _PACKERS)))
    try:
        examined = _Floor(bench, pools, hands).work(tuple(subjects))
    except BaseException:
        end_all()
        for pool in pools:
            pool.shutdown(wait=True, cancel_futures=True)
        raise
    for pool in pools:
        pool.shutdown()
    return examined


class _Pools(NamedTuple):
    """Threads for each kind of work, so that what is staged is asked and packed at once, and not after all that waits to be staged."""

    stage: ThreadPoolExecutor
    ask: ThreadPoolExecutor
    pack: ThreadPoolExecutor


@dataclass(slots=True)
class _Work:
    """How far one subject is: its outcomes by gate, and what is still to come."""

    case: Case
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    archive: Archive | None = None
    awaited: int = 0


@dataclass(slots=True)
class _Floor:
    """Where the work of a run is handed out. Only the main thread changes it; the threads of the pools do one step each."""

    bench: Bench
    pools: _Pools
    hands: Hands
    advisories: Future[Opened] | None = None
    layers: dict[str, Staged] = field(default_factory=dict)
    waiting_for_layers: list[tuple[Function, Staged]] = field(default_factory=list)
    outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict)
    about_project: dict[str, Outcome] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    archives: dict[str, Archive] = field(default_factory=dict)
    sboms: dict[str, Sbom] = field(default_factory=dict)
    inside: int = 0
    open: int = 0
    done: "SimpleQueue[tuple[Future[Any], Callable[[Any], None]]]" = field(default_factory=SimpleQueue)

    def work(self, subjects: tuple[Subject, ...]) -> Examined:
        """Let all subjects through, layers first: functions need their trees."""
        if any(subject.is_python for subject in subjects):
            # The first task of its pool, so that a gate that waits for it can never wait for a task that has not begun.
            self.advisories = self.pools.ask.submit(_advisories, self.bench)
        for about in project_gates():
            self._do(self.pools.ask, partial(ask_project, self.bench, about), self._answered_once)
        waiting = deque(sorted(subjects, key=lambda subject: isinstance(subject, Function)))
        while waiting or self.open:
            while waiting and self.inside < 2 * self.bench.jobs:
                self._admit(waiting.popleft())
            future, then = self.done.get()
            self.open -= 1
            then(future.result())
        return Examined(
            outcomes=(
                *(self.outcomes[subject.subject][gate.id] for subject in subjects for gate in subject_gates()),
                *(self.about_project[gate.id] for gate in project_gates() if gate.id in self.about_project),
            ),
            contents=self.contents,
            archives=self.archives,
            sboms=self.sboms,
            advisories=self.advisories.result() if self.advisories else None,
            inputs=self.inputs,
        )

    def _do(self, pool: ThreadPoolExecutor, step: Callable[[], Value], then: Callable[[Value], None]) -> None:
        """Have a step done by a pool; the main thread goes on with what came of it."""
        self.open += 1
        pool.submit(step).add_done_callback(lambda future: self.done.put((future, then)))

    def _admit(self, subject: Subject) -> None:
        self.inside += 1
        if is_image(subject):
            self._begin(Case(subject=subject, staged=None))
        else:
            self._do(self.pools.stage, partial(staged, self.bench, subject, self.hands.take), partial(self._staged, subject))

    def _staged(self, subject: Subject, staged: Staged) -> None:
        if isinstance(subject, Layer):
            self.layers[subject.subject] = staged
            self._begin(Case(subject=subject, staged=staged))
        elif isinstance(subject, Function):
            self.waiting_for_layers.append((subject, staged))
        for function, tree in tuple(self.waiting_for_layers):
            used = layers_of(self.bench, function)
            if used <= self.layers.keys():
                self.waiting_for_layers.remove((function, tree))
                trees = (self.layers[name] for name in sorted(used))
                self._begin(Case(subject=function, staged=tree, layers=tuple(one for one in trees if isinstance(one, StagedTree))))

    def _begin(self, case: Case) -> None:
        """Ask everything about a subject, and pack it."""
        work = _Work(case=case)
        for gate in subject_gates():
            work.awaited += 1
            self._do(self.pools.ask, partial(ask, self.bench, gate, case, self.advisories), partial(self._answered, work))
        if self.bench.output is not None and case.tree is not None:
            work.awaited += 1
            step = partial(self.hands.pack, self.bench, self.bench.output, case, case.tree)
            self._do(self.pools.pack, step, partial(self._packed, work))

    def _answered_once(self, outcome: Outcome | None) -> None:
        if outcome is not None:
            self.about_project[outcome.gate] = outcome

    def _answered(self, work: _Work, outcome: Outcome) -> None:
        work.outcomes[outcome.gate] = outcome
        self._one_less(work)

    def _packed(self, work: _Work, archive: Archive) -> None:
        work.archive = archive
        self._one_less(work)

    def _one_less(self, work: _Work) -> None:
        work.awaited -= 1
        if work.awaited:
            return
        output, archive = self.bench.output, work.archive
        if output is None or archive is None or work.outcomes["sbom"].state is not State.ANSWERED:
            self._leave(work, None)
        else:
            step = partial(sealed, self.bench, output, work.case, archive)
            self._do(self.pools.ask, step, partial(self._leave, work))

    def _leave(self, work: _Work, sbom: Sbom | None) -> None:
        """The subject is done, and what it was staged into is no longer held."""
        subject = work.case.subject.subject
        self.outcomes[subject] = work.outcomes
        if work.case.tree:
            self.contents[subject] = work.case.tree.content_digest
            self.inputs[subject] = work.case.tree.inputs
        if work.archive:
            self.archives[subject] = work.archive
        if sbom:
            self.sboms[subject] = sbom
        self.hands.leave(self.bench, work.case)
        self.inside -= 1


def layers_of(bench: Bench, subject: Subject) -> set[str]:
    """The layers of this project that a function uses; a layer uses none."""
    refs = subject.layers if isinstance(subject, Function) else ()
    return {layer.subject for ref in refs if ref.local and (layer := bench.project.layer(ref.local))}


def _advisories(bench: Bench) -> Opened:
    try:
        with bench.timeline.leg("advisories"):
            return bench.open_advisories(bench.policy.advisories)
    except IncompleteError as error:
        return error


def staged(bench: Bench, subject: Subject, take: Take = from_source) -> Staged:
    """The staged tree, or the reason why this one subject could not be staged; the others go on."""
    bench.progress.update(subject.subject, "stage", None)
    try:
        with bench.timeline.leg("stage", subject.subject):
            tree = take(bench, subject, bench.workspace(subject, "stage"))
    except IncompleteError as error:
        bench.progress.update(subject.subject, "stage", State.UNANSWERED, str(error))
        return error
    bench.progress.update(subject.subject, "stage", State.ANSWERED, count(len(tree.entries), "file"))
    return tree
