"""The same project at another revision: what was wrong there already, and what has not changed since.

--baseline-ref REV     asks both trees under today's policy; only what the change brings in can fail
--changed-since REV    asks only where something that decides an answer has changed
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from shipsafe.adapters.cache import canonical
from shipsafe.adapters.git_tree import Revision, check_out, repository_of
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, IncompleteError, NothingError, ShipsafeError
from shipsafe.flows import answers
from shipsafe.flows.ask import Case, Staged, inquiry_of, is_image
from shipsafe.flows.bench import Before, Bench
from shipsafe.flows.examine import examine, layers_of, staged
from shipsafe.flows.prepare import Prepared, prepare, select
from shipsafe.gates import all_gates
from shipsafe.judge import judge
from shipsafe.model.advisory import Advisories
from shipsafe.model.baseline import Baseline, BaselineEntry
from shipsafe.model.policy import AdvisorySource
from shipsafe.model.project import Layer, Subject
from shipsafe.model.tree import StagedTree
from shipsafe.policy.recording import baseline_of
from shipsafe.reports.live import silent_progress


def baseline_at(bench: Bench, prepared: Prepared, name: str) -> Baseline:
    """What would block in the tree where HEAD and a revision parted, under the policy of now.

    Raises:
        ConfigError: there is no such revision, or the run ships what another tool built.
        IncompleteError: the project cannot be read there.
    """
    revision = _check_out(bench, prepared, name, merge_base=True)
    path = f"{name} ({revision.commit[:12]})"
    there = _prepared_at(prepared, revision, policy_of_now=True)
    if there is None:
        return Baseline(path=path, sha256=_digest([]))
    looking = replace(
        bench,
        project=there.project,
        folder=bench.folder / "revision",
        output=None,
        progress=silent_progress(),
        timeline=Timeline(),
        before=Before(),
    )
    examined = examine(looking, there.subjects)
    verdict = judge(prepared.policy, examined.outcomes, bench.today)
    found = baseline_of(verdict, prepared.policy, today=bench.today, owner=revision.commit[:12], path=path)
    return replace(found, sha256=_digest(found.entries))


def unchanged_since(bench: Bench, prepared: Prepared, name: str) -> Before:
    """The questions that a revision would have been asked, so that those which are the same today need not be.

    Raises:
        ConfigError: there is no such revision, or the run ships what another tool built.
        IncompleteError: its files cannot be had.
    """
    revision = _check_out(bench, prepared, name, merge_base=False)
    try:
        there = _prepared_at(prepared, revision, policy_of_now=False)
    except ShipsafeError:  # what cannot be read there has changed since
        there = None
    questions = dict(_questions(bench, there, revision)) if there else {}
    return Before(name=f"{name} ({revision.commit[:12]})", questions=questions)


def _check_out(bench: Bench, prepared: Prepared, name: str, *, merge_base: bool) -> Revision:
    if prepared.request.prebuilt:
        raise ConfigError("What another tool built is not in the repository's history.", remedy="Leave out --prebuilt, or the revision.")
    top = repository_of(prepared.request.path)
    place = "merge-base" if merge_base else "since"
    return check_out(top, name, bench.folder / place, merge_base=merge_base)


def _prepared_at(prepared: Prepared, revision: Revision, *, policy_of_now: bool) -> Prepared | None:
    """The project as it was; None where there was none yet."""
    request = prepared.request
    top = repository_of(request.path)

    def moved(path: Path) -> Path:
        inner = path.resolve()
        return revision.folder / inner.relative_to(top) if inner.is_relative_to(top) else path

    path = moved(request.path)
    if not path.exists():
        return None
    there = replace(request, path=path, out=None, functions=(), write_baseline=None, baseline_owner=None, baseline_expires=None,
                    policy=moved(request.policy) if request.policy else None, vex=())  # fmt: skip
    try:
        read = prepare(there, policy=prepared.policy if policy_of_now else None)
    except NothingError:
        return None
    except ConfigError as error:
        raise IncompleteError(
            f"The project at {revision.name} ({revision.commit[:12]}) cannot be read: {error}", remedy="Name a revision where it can."
        ) from error
    known = {function.name for function in read.project.functions}
    names = [name for name in request.functions if name in known]
    if request.functions and not names:
        return None
    return replace(read, subjects=select(read.project, names))


def _questions(bench: Bench, there: Prepared, revision: Revision) -> Iterator[tuple[tuple[str, str], str]]:
    looking = replace(
        bench, project=there.project, policy=there.policy, asking=answers.asking_part(there.policy), folder=bench.folder / "revision",
        progress=silent_progress(), timeline=Timeline(), before=Before())  # fmt: skip
    advisories = _advisories(looking, there, revision)

    def place(subject: Subject) -> tuple[Subject, Staged]:
        return subject, None if is_image(subject) else staged(looking, subject)

    with ThreadPoolExecutor(bench.jobs) as pool:
        layers = {layer.subject: tree for layer, tree in pool.map(place, (one for one in there.subjects if isinstance(one, Layer)))}
        functions = pool.map(place, (one for one in there.subjects if not isinstance(one, Layer)))
        for subject, tree in (*((layer, layers[layer.subject]) for layer in there.project.layers), *functions):
            used = [layers[name] for name in sorted(layers_of(looking, subject))]
            case = Case(subject=subject, staged=tree, layers=tuple(one for one in used if isinstance(one, StagedTree)))
            for gate in all_gates():
                inquiry = inquiry_of(looking, gate, case, advisories)
                asked = answers.question(gate, inquiry, asking=looking.asking)
                if asked is not None:
                    yield (subject.subject, gate.id), answers.digest_of(asked)


def _advisories(looking: Bench, there: Prepared, revision: Revision) -> Advisories | None:
    """The advisories of then, where they lie in the repository. What others publish may have changed since, so they count as changed."""
    settings = there.policy.advisories
    if settings.source is not AdvisorySource.FOLDER or not Path(settings.path or "").is_relative_to(revision.folder):
        return None
    try:
        return looking.open_advisories(settings)
    except IncompleteError:
        return None


def _digest(entries: Iterable[BaselineEntry]) -> str:
    return hashlib.sha256(canonical([replace(entry, location=None) for entry in entries])).hexdigest()
