"""What a build would do, without doing it: staged as far as nothing has to be fetched, and compared with what earlier runs know."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from shipsafe.adapters.cache import canonical
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.flows import answers
from shipsafe.flows.ask import Case, Opened, inquiry_of, is_image
from shipsafe.flows.bench import Bench, open_bench
from shipsafe.flows.examine import layers_of
from shipsafe.flows.prepare import prepare
from shipsafe.flows.request import Request
from shipsafe.gates import all_gates
from shipsafe.model.plan import Planned
from shipsafe.model.project import Function, Layer, Subject
from shipsafe.model.tree import Origin, StagedTree
from shipsafe.packing.archive import compressor
from shipsafe.packing.sets import DependencySet, Sets, Wanting
from shipsafe.packing.stage import stage
from shipsafe.reports.live import Progress


@dataclass(slots=True)
class _Known(Sets):
    """Dependency sets that earlier runs know; of the others it is only noted that somebody wants them."""

    wanted: dict[str, Wanting] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def get(self, wanting: Wanting) -> DependencySet:
        self.wanted[wanting.subject] = wanting
        found = self.known(wanting)
        if found is None:
            self.unknown.add(wanting.subject)
        return found or DependencySet()


def make_plan(request: Request, progress: Progress) -> tuple[Planned, ...]:
    """What a run would do, with what is cached here.

    Raises:
        as `build`.
    """
    prepared = prepare(replace(request, out=None, offline=True))
    with open_bench(prepared, progress, Timeline()) as bench:
        advisories: Opened
        try:
            advisories = bench.open_advisories(bench.policy.advisories)
        except IncompleteError as error:
            advisories = error
        return plan(bench, prepared.subjects, advisories)


def plan(bench: Bench, subjects: Sequence[Subject], advisories: Opened = None) -> tuple[Planned, ...]:
    """What would be done, in the order of the subjects. Nothing is fetched or installed, and no gate is asked.

    `advisories`, where they are here, say whether their gate has answered.
    """
    sets = _Known(bench.folder / "sets", bench.answers)

    def look(subject: Subject) -> tuple[Subject, StagedTree | ShipsafeError | None]:
        if is_image(subject):
            return subject, None
        try:
            workspace = bench.workspace(subject, "plan")
            return subject, stage(subject, bench.project, bench.policy, workspace=workspace, sets=sets, offline=True)
        except IncompleteError as error:
            return subject, error

    with ThreadPoolExecutor(bench.jobs) as pool:
        layers = {one.subject: tree for one, tree in pool.map(look, (one for one in subjects if isinstance(one, Layer)))}
        functions = pool.map(look, (one for one in subjects if isinstance(one, Function)))
        looked = {**layers, **{one.subject: tree for one, tree in functions}}
    found = []
    for subject in subjects:
        used = [layers.get(name) for name in sorted(layers_of(bench, subject))]
        case = Case(subject=subject, staged=looked[subject.subject], layers=tuple(one for one in used if isinstance(one, StagedTree)))
        known = not sets.unknown & {subject.subject, *layers_of(bench, subject)}
        found.append(_planned(bench, case, sets.wanted.get(subject.subject), _cached(bench, case, advisories) if known else ()))
    return tuple(found)


def _planned(bench: Bench, case: Case, wanting: Wanting | None, cached: tuple[str, ...]) -> Planned:
    subject, tree = case.subject, case.tree
    code = [entry for entry in tree.entries if entry.origin is Origin.CODE] if tree else []
    files = wanting.needs.files if wanting else ()
    inputs = (*(bench.project.templates or ()), *files, *([subject.code.path] if subject.code.path else []))
    return Planned(
        subject=subject,
        inputs=tuple(dict.fromkeys(inputs)),
        files=len(code),
        size=sum(entry.size for entry in code),
        distributions=len(wanting.needs.wanted) if wanting else 0,
        dependencies=_name(wanting) if wanting and wanting.needs.wanted else "",
        cached=cached,
        problem=str(case.staged) if isinstance(case.staged, ShipsafeError) else "",
    )


def _cached(bench: Bench, case: Case, advisories: Opened) -> tuple[str, ...]:
    """What an earlier run has answered, and whether it packed the same content."""
    if case.tree is None:
        return ()
    found = []
    for gate in all_gates():
        inquiry = inquiry_of(bench, gate, case, advisories)
        asked = answers.question(gate, inquiry, asking=bench.asking)
        if asked is not None and bench.answers.recall("outcome", asked) is not None:
            found.append(gate.id)
    if bench.answers.recall("archive", [case.tree.content_digest, compressor()]) is not None:
        found.append("archive")
    return tuple(found)


def _name(wanting: Wanting) -> str:
    """The same on every machine, unlike a key of the cache."""
    return hashlib.sha256(canonical([wanting.question(), sorted(one.name for one in wanting.needs.local)])).hexdigest()[:12]
