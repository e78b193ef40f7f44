"""What a build would do, without doing it: staged as far as nothing has to be fetched, and compared with what earlier runs know."""

import hashlib
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipsafe.adapters.cache import canonical
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.flows import answers
from shipsafe.flows.ask import Case, Opened, Staged, inquiry_of, is_image
from shipsafe.flows.bench import Bench, open_bench
from shipsafe.flows.examine import layers_of
from shipsafe.flows.packed import archive_question
from shipsafe.flows.prepare import prepare
from shipsafe.flows.request import Request
from shipsafe.flows.shards import shards, share
from shipsafe.gates import subject_gates
from shipsafe.model.plan import Planned, Shard
from shipsafe.model.project import Layer, Subject
from shipsafe.model.tree import Origin, StagedTree
from shipsafe.packing.output import Output
from shipsafe.packing.sets import DependencySet, Sets, Wanting
from shipsafe.packing.stage import BuiltElsewhereError, stage
from shipsafe.reports.live import Progress


@dataclass(slots=True)
class _Known(Sets):
    """Dependency sets that earlier runs know; of the others it is only noted that somebody wants them.

    `asks`: whether earlier runs are asked at all. Shares are made without: no machine knows what lies in the cache of another.
    """

    asks: bool = True
    wanted: dict[str, Wanting] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def get(self, wanting: Wanting) -> DependencySet:
        self.wanted[wanting.subject] = wanting
        found = self.known(wanting) if self.asks else None
        if found is None:
            self.unknown.add(wanting.subject)
        return found or DependencySet()


def make_plan(request: Request, progress: Progress) -> tuple[Planned, ...]:
    """What a run would do, with what is cached here.

    Raises:
        as `build`.
    """
    with _open(request, progress) as (bench, subjects):
        return _plan(bench, subjects, _Known(bench.folder / "sets", bench.answers), request.out)


def make_shards(request: Request, most: int, progress: Progress) -> tuple[Shard, ...]:
    """How `most` machines would share a run: the same on every machine.

    Raises:
        as `build`.
    """
    with _open(request, progress) as (bench, subjects):
        return shards(_cold(bench, subjects), most)


def share_of(bench: Bench, subjects: Sequence[Subject], number: int, of: int) -> Shard:
    """The share of one of several machines, as `make_shards` has it.

    Raises:
        NothingError: there is less to do than there are machines.
    """
    return share(_cold(bench, subjects), number, of)


def _cold(bench: Bench, subjects: Sequence[Subject]) -> tuple[Planned, ...]:
    return _plan(bench, subjects, _Known(bench.folder / "sets", bench.answers, asks=False))


@contextmanager
def _open(request: Request, progress: Progress) -> Generator[tuple[Bench, tuple[Subject, ...]]]:
    """What a plan looks at. Nothing is fetched and nothing is written."""
    prepared = prepare(replace(request, out=None, offline=True))
    with open_bench(prepared, progress, Timeline()) as bench:
        yield bench, prepared.subjects


def _plan(bench: Bench, subjects: Sequence[Subject], sets: _Known, out: Path | None = None) -> tuple[Planned, ...]:
    """What would be done, in the order of the subjects. Nothing is fetched or installed, and no gate is asked.

    `out` is the output folder, which may hold the archives of the last release.
    """

    def look(subject: Subject) -> Staged:
        if is_image(subject):
            return None
        try:
            workspace = bench.workspace(subject, "plan")
            return stage(subject, bench.project, bench.policy, workspace=workspace, sets=sets, offline=True)
        except IncompleteError as error:
            return error

    advisories = _advisories(bench) if sets.asks else None

    def planned(subject: Subject) -> Planned:
        used = sorted(layers_of(bench, subject))
        staged = layers[subject.subject] if subject.subject in layers else look(subject)
        case = Case(subject=subject, staged=staged, layers=tuple(tree for name in used if isinstance(tree := layers.get(name), StagedTree)))
        known = sets.asks and not sets.unknown & {subject.subject, *used}
        return _planned(bench, case, sets.wanted.get(subject.subject), _cached(bench, case, advisories, out) if known else ())

    with ThreadPoolExecutor(bench.jobs) as pool:
        of_ours = [one for one in subjects if isinstance(one, Layer)]
        layers = dict(zip((one.subject for one in of_ours), pool.map(look, of_ours), strict=True))
        return tuple(pool.map(planned, subjects))  # no tree is held when it is planned: there may be very many


def _advisories(bench: Bench) -> Opened:
    """Those that are here: they say whether their gate has answered."""
    try:
        return bench.open_advisories(bench.policy.advisories)
    except IncompleteError as error:
        return error


def _planned(bench: Bench, case: Case, wanting: Wanting | None, cached: tuple[str, ...]) -> Planned:
    subject, tree = case.subject, case.tree
    code = [entry for entry in tree.entries if entry.origin is Origin.CODE] if tree else []
    files = wanting.needs.files if wanting else ()
    inputs = (*bench.project.templates, *files, *(place for place in (subject.code.path, subject.code.source) if place))
    return Planned(
        subject=subject,
        inputs=tuple(dict.fromkeys(inputs)),
        files=len(code),
        size=sum(entry.size for entry in code),
        distributions=len(wanting.needs.wanted) if wanting else 0,
        dependencies=_name(wanting) if wanting and wanting.needs.wanted else "",
        layers=tuple(sorted(layers_of(bench, subject))),
        cached=cached,
        idle=is_image(subject) or (isinstance(subject, Layer) and isinstance(case.staged, BuiltElsewhereError)),
        problem=str(case.staged) if isinstance(case.staged, ShipsafeError) else "",
    )


def _cached(bench: Bench, case: Case, advisories: Opened, out: Path | None) -> tuple[str, ...]:
    """What an earlier run has answered, and whether the same content lies packed in the output folder."""
    if case.tree is None:
        return ()
    found = []
    for gate in subject_gates():
        inquiry = inquiry_of(bench, gate, case, advisories)
        asked = answers.question(gate, inquiry, asking=bench.asking)
        if asked is not None and bench.answers.recall("outcome", asked) is not None:
            found.append(gate.id)
    known = bench.answers.recall("archive", archive_question(case.tree))
    if known is not None and out is not None and Output(out).object(known["sha256"], ".zip").is_file():
        found.append("archive")
    return tuple(found)


def _name(wanting: Wanting) -> str:
    """The same on every machine, unlike a key of the cache."""
    return hashlib.sha256(canonical([wanting.question(), sorted(one.name for one in wanting.needs.local)])).hexdigest()[:12]
