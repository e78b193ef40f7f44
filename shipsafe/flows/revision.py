"""The same project at another revision: what was wrong there already, and what has not changed since.

--baseline-ref REV     asks both trees under today's policy; only what the change brings in can fail
--changed-since REV    asks only where something that decides an answer has changed

What the repository holds is compared, and what others publish may have changed at any time: advisories from elsewhere are asked again.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from shipsafe.adapters.files import sha256_file
from shipsafe.adapters.git_tree import Revision, check_out, repository_of
from shipsafe.adapters.process import end_all
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, IncompleteError, NothingError, ShipsafeError
from shipsafe.flows import answers
from shipsafe.flows.ask import Case, Staged, inquiry_of, is_image
from shipsafe.flows.bench import Before, Bench
from shipsafe.flows.examine import Examined, examine, layers_of, staged
from shipsafe.flows.known import refuse_fixed
from shipsafe.flows.prepare import Prepared, read_policy, select
from shipsafe.flows.request import Request
from shipsafe.flows.unseen import unseen
from shipsafe.gates import subject_gates
from shipsafe.judge import judge
from shipsafe.model.advisory import Advisories
from shipsafe.model.baseline import Baseline
from shipsafe.model.policy import AdvisorySource, FunctionConfig, Policy
from shipsafe.model.project import Layer, Project, Subject
from shipsafe.model.tree import StagedTree
from shipsafe.packing.sets import Sets
from shipsafe.policy.recording import baseline_of
from shipsafe.readers import read_project
from shipsafe.reports.live import silent_progress

Question = tuple[tuple[str, str], str]  # of a subject and a gate, as `answers.substance` has it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A revision that lies in a folder of ours, and the repository that it is of."""

    top: Path
    revision: Revision

    def moved(self, path: Path) -> Path:
        """The same file or folder at the revision; what lies outside of the repository stays what it is."""
        real = _real(path)
        return self.revision.folder / real.relative_to(self.top) if real.is_relative_to(self.top) else path

    def holds(self, path: Path) -> bool:
        """Whether a path is there at the revision, and no link leads out of it."""
        return path.exists() and _real(path).is_relative_to(self.revision.folder)


def _real(path: Path) -> Path:
    """Absolute and without links; `Path.resolve` raises where they go in a circle."""
    return Path(os.path.realpath(path))


def baseline_at(bench: Bench, prepared: Prepared, name: str) -> tuple[Baseline, tuple[str, ...]]:
    """What would block in the tree where HEAD and a revision parted, under the policy of now; and remarks about it.

    Raises:
        ConfigError: there is no such revision, the run ships what another tool built, or the policy fixes what is known.
        IncompleteError: the project cannot be read there.
    """
    refuse_fixed(prepared.policy)
    place = _check_out(bench, prepared.request, name, "merge-base")
    shown = str(place.revision)
    policy = _at(place, prepared.policy)
    try:
        policy = replace(policy, functions=_functions(place, prepared))
        project = _project(place, prepared.request, policy)
        examined = _examined(_bench(bench, project, policy, "baseline"), prepared) if project else None
    except (ConfigError, IncompleteError) as error:
        what = f"The project at {shown} cannot be read: {_shown(error, place)}"
        raise IncompleteError(what, remedy="Name a revision where it can.") from error
    if examined is None:
        return Baseline(path=shown), (f"At {shown} there is nothing of this yet: all of it counts as new.",)
    verdict = judge(policy, examined.outcomes, bench.today, baseline=prepared.known.baseline)
    known = replace(verdict, baselined=())  # those have entries in a file
    found = baseline_of(known, policy, today=bench.today, owner=place.revision.commit[:12], path=shown)
    return found, unseen(verdict, shown)


def unchanged_since(bench: Bench, prepared: Prepared, name: str) -> tuple[Before, tuple[str, ...]]:
    """The questions that a revision would have been asked, so that those which are the same today need not be; and remarks about it.

    Raises:
        ConfigError: there is no such revision, or the run ships what another tool built.
        IncompleteError: its files cannot be had.
    """
    request = prepared.request
    place = _check_out(bench, request, name, "since")
    before = Before(name=str(place.revision))

    def everything(why: str) -> tuple[Before, tuple[str, ...]]:
        return before, (f"Everything was asked: since {place.revision} {why}.",)

    there = _moved(place, request)
    try:
        policy = read_policy(there) if place.holds(there.path) else None
        project = _project(place, request, policy) if policy else None
        subjects = _subjects(project, request) if project else ()
    except ShipsafeError as error:
        return everything(f"it has changed from what cannot be read ({_shown(error, place)})")
    if policy is None or project is None or not subjects:
        return everything("all of it is new")
    if not _judged_alike(prepared, there, policy, place):
        return everything("the policy, the baseline or a VEX document has changed, or one lies outside of the repository")
    looking = _bench(bench, project, policy, "before")
    questions = dict(_questions(looking, subjects, _advisories(looking, place)))
    if all(isinstance(subject, Layer) or is_image(subject) for subject in prepared.subjects):
        # The gate `layers`, which is always asked, has nothing to ask here, and nothing answered is never a pass.
        questions = {(subject, gate): one for (subject, gate), one in questions.items() if gate != "package"}
    return replace(before, questions=questions), ()


def _check_out(bench: Bench, request: Request, name: str, folder: str) -> _Place:
    if request.prebuilt:
        raise ConfigError("What another tool built is not in the repository's history.", remedy="Leave out --prebuilt, or the revision.")
    top = repository_of(request.path)
    revision = check_out(top, name, bench.folder / folder, merge_base=folder == "merge-base")
    bench.progress.say(f"Looking at {revision}, too.")
    return _Place(top=top, revision=revision)


def _shown(error: ShipsafeError, place: _Place) -> str:
    """What went wrong there, without the name of our folder."""
    return str(error).replace(f"{place.revision.folder}/", "")


def _moved(place: _Place, request: Request) -> Request:
    """The same at the revision."""
    known = request.baseline
    return replace(
        request,
        path=place.moved(request.path),
        policy=place.moved(request.policy) if request.policy else None,
        baseline=known if known in (None, "off") else str(place.moved(Path(known))),
        vex=tuple(place.moved(one) for one in request.vex),
    )


def _at(place: _Place, policy: Policy) -> Policy:
    """A policy, where the files that it names are those of the revision. Advisories are what they are today."""

    def moved(path: str) -> str:
        return str(place.moved(Path(path)))

    return replace(
        policy,
        shared_lock=moved(policy.shared_lock) if policy.shared_lock else None,
        constraints=tuple(moved(one) for one in policy.constraints),
        find_links=tuple(one if "://" in one.place else replace(one, place=moved(one.place)) for one in policy.find_links),
    )


def _functions(place: _Place, prepared: Prepared) -> tuple[FunctionConfig, ...]:
    """What the policy of then says of functions: that is no judgement, but what was there."""
    try:
        return read_policy(_moved(place, prepared.request)).functions
    except ShipsafeError:
        if prepared.policy.functions:
            raise
        return ()  # a template says it all


def _project(place: _Place, request: Request, policy: Policy) -> Project | None:
    """The project as it was; None where there was none."""
    path = place.moved(request.path)
    try:
        return read_project(path, policy=policy, overrides=request.overrides) if place.holds(path) else None
    except NothingError:
        return None


def _subjects(project: Project, request: Request) -> tuple[Subject, ...]:
    """Those of what is to be examined that were there."""
    if not request.functions:
        return project.subjects
    known = {function.name for function in project.functions}
    names = [name for name in request.functions if name in known]
    return select(project, names) if names else ()


def _examined(looking: Bench, prepared: Prepared) -> Examined | None:
    """What is found there; None where there was nothing to look at.

    A share looks at the subjects that it looks at here, with their layers of then; the first also at what is gone since. A share of new
    ones alone still asks the gates about the project.
    """
    subjects, shard = _subjects(looking.project, prepared.request), prepared.request.shard
    if shard is None:
        return examine(looking, subjects) if subjects else None
    mine = {one.subject for one in prepared.subjects}
    if shard[0] == 1:
        mine |= {one.subject for one in subjects} - {one.subject for one in prepared.project.subjects}
    used = {layer for one in subjects if one.subject in mine for layer in layers_of(looking, one)}
    return examine(looking, (one for one in subjects if one.subject in mine | used))


def _bench(bench: Bench, project: Project, policy: Policy, folder: str) -> Bench:
    """Where another revision is looked at: nothing is packed, shown or timed, and no file gets in the way of this one's."""
    folder_there = bench.folder / folder
    # Folders of wheels have the same name in both trees, so that what one run knows of them is known for one tree alone.
    sets = Sets(folder_there / "sets", bench.answers) if policy.find_links else bench.sets
    return replace(
        bench, project=project, policy=policy, asking=answers.asking_part(policy), folder=folder_there, sets=sets, output=None,
        progress=silent_progress(), timeline=Timeline(), before=Before())  # fmt: skip


def _judged_alike(prepared: Prepared, there: Request, policy: Policy, place: _Place) -> bool:
    """Whether the same answers would mean the same: under another policy, an old finding may be one that blocks."""
    now = _judging(prepared.request, prepared.policy, place.top)
    return now is not None and now == _judging(there, policy, place.revision.folder)


def _judging(request: Request, policy: Policy, top: Path) -> object | None:
    """The policy, and what lies beside it; None where a file lies outside of the repository, or is not there."""
    beside = [Path(one) for one in (policy.baseline, *policy.vex, *request.vex) if one is not None]
    own = [request.folder / policy.path] if policy.path else []
    if not all(one.is_file() and _real(one).is_relative_to(top) for one in (*own, *beside)):
        return None
    files = [(_real(one).relative_to(top), sha256_file(one)) for one in beside]
    return [files, {key: value for key, value in policy.effective.items() if key not in ("baseline", "functions")}]


def _questions(looking: Bench, subjects: Iterable[Subject], advisories: Advisories | None) -> Iterator[Question]:
    """What the revision would have been asked. Where it cannot be asked, nothing is said."""
    layers = [subject for subject in subjects if isinstance(subject, Layer)]
    functions = [subject for subject in subjects if not isinstance(subject, Layer)]
    pool = ThreadPoolExecutor(looking.jobs, thread_name_prefix="since")
    try:
        trees = {subject.subject: tree for subject, tree in pool.map(_placed(looking), layers)}
        for layer in layers:
            yield from _asked(looking, layer, trees[layer.subject], (), advisories)

        def function(subject: Subject) -> list[Question]:
            used = (trees[name] for name in sorted(layers_of(looking, subject)))
            tree = _placed(looking)(subject)[1]
            return list(_asked(looking, subject, tree, tuple(one for one in used if isinstance(one, StagedTree)), advisories))

        for found in pool.map(function, functions):
            yield from found
    except BaseException:
        end_all()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def _placed(looking: Bench) -> Callable[[Subject], tuple[Subject, Staged]]:
    def place(subject: Subject) -> tuple[Subject, Staged]:
        try:
            return subject, None if is_image(subject) else staged(looking, subject)
        except ShipsafeError as error:  # what could not be staged there has changed since
            return subject, error

    return place


def _asked(
    looking: Bench, subject: Subject, tree: Staged, layers: tuple[StagedTree, ...], advisories: Advisories | None
) -> Iterator[Question]:  # fmt: skip
    case = Case(subject=subject, staged=tree, layers=layers)
    for gate in subject_gates():
        substance = answers.substance(gate, inquiry_of(looking, gate, case, advisories), asking=looking.asking)
        if substance:
            yield (subject.subject, gate.id), substance


def _advisories(looking: Bench, place: _Place) -> Advisories | None:
    """The advisories of then, where they lie in the repository. What others publish may have changed since, so it counts as changed."""
    settings = looking.policy.advisories
    if settings.source is not AdvisorySource.FOLDER or not Path(settings.path or "").is_relative_to(place.revision.folder):
        return None
    try:
        return looking.open_advisories(settings)
    except IncompleteError:
        return None
