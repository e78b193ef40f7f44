"""What another tool staged, taken as it lies: a folder or zip of SAM's, of CDK's bundling, of the Serverless Framework's, of anybody's.

Nothing is installed, and nothing is left out but what never ships. Whose each file is says `packing/provenance.py`; what is there is
compared with the lock of the folder that it was built from, else with the list that the tool has copied into its build.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipsafe.adapters.cache import canonical
from shipsafe.adapters.files import relative
from shipsafe.adapters.process import Run
from shipsafe.errors import IncompleteError
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.project import Function, Layer, Subject
from shipsafe.model.tree import Origin, StagedTree
from shipsafe.packing.draft import Draft
from shipsafe.packing.lock_comparison import Lock
from shipsafe.packing.locks import find_lock, read_needs
from shipsafe.packing.proof import Proof, prove
from shipsafe.packing.provenance import know
from shipsafe.packing.records import named
from shipsafe.packing.runtimes import environment, lookup
from shipsafe.packing.select import never_ships, select_all
from shipsafe.packing.sets import DependencySet, Sets, Wanting
from shipsafe.packing.source_tree import SourceTree
from shipsafe.packing.unpack import unpack

ANY_PYTHON = "3.13"  # for the markers of distributions in a build whose runtime is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Whose build it is, and where everything lies: `code` the folder or zip. Paths are absolute, without links."""

    subject: Subject
    code: Path
    root: Path
    boundary: Path
    architecture: str

    @property
    def source(self) -> SourceTree | None:
        """The folder that it was built from, where that is known."""
        source = self.subject.code.source
        prefix = "python/" if isinstance(self.subject, Layer) else ""
        return SourceTree(folder=self.root / source, prefix=prefix) if source is not None else None


def take(build: Build, draft: Draft, *, policy: Policy, workspace: Path, sets: Sets, offline: bool, run: Run) -> StagedTree:
    """The staged tree of a build; `sets` gives the wheels of its lock where the policy wants a proof.

    Raises:
        ConfigError: two kinds of lock stand beside each other and the policy does not choose.
        IncompleteError: the build is empty or too large, cannot be read, or is a zip that is refused.
    """
    subject = build.subject
    notes = [_lay(draft, build.code, build.root)]
    if not draft.entries:
        shown = relative(build.code, build.root)
        raise IncompleteError(f"There is no file to ship for {subject.name}.", remedy="Build it again with its own tool.", path=shown)
    draft.note_collisions()
    runtime = lookup(subject.runtime or "")
    python = (runtime and runtime.python) or ANY_PYTHON
    markers = environment(python, build.architecture)
    lock = None
    if subject.is_python and (path := _find_lock(build, policy)):
        lock, doubt = _read_lock(path, build, policy, markers, workspace, run)
        notes.append(doubt)
    known = know(draft, lock=lock, source=build.source, root=build.root, policy=policy, environment=markers)
    if lock:
        draft.note_unlocked(lock.needs)
    notes += known.notes
    proof = Proof(distributions=known.distributions)
    if policy.proves_prebuilt:
        wheels = DependencySet()
        if lock and lock.is_complete and runtime:
            wanting = Wanting(needs=lock.needs, who=subject.name, runtime=runtime, architecture=build.architecture, policy=policy,
                              workspace=workspace, offline=offline, run=run)  # fmt: skip
            wheels, failure = _wheels(sets, wanting)
            notes.append(failure)
        proof = prove(known.distributions, draft.entries, known.ours, wheels)
        draft.problems += proof.problems
    entries = tuple(sorted(draft.entries.values(), key=lambda entry: entry.path.encode()))
    facts = [(one.path, one.mode, one.sha256, one.origin, str(one.location)) for one in entries]
    return StagedTree(
        subject=subject.subject,
        root=draft.root,
        entries=entries,
        distributions=proof.distributions,
        unproven=proof.unproven,
        problems=tuple(draft.problems),
        python=python if subject.is_python and runtime else None,
        inputs=lock.needs.files if lock else (),
        agrees_with=known.agrees_with,
        notes=tuple(note for note in notes if note),
        fingerprint=hashlib.sha256(canonical([subject, facts, known, proof, draft.problems, notes])).hexdigest(),
    )


def _wheels(sets: Sets, wanting: Wanting) -> tuple[DependencySet, str]:
    """What the lock gives, or why that cannot be had: then nothing is proven, and the audit goes on."""
    try:
        return sets.get(wanting), ""
    except IncompleteError as error:
        return DependencySet(), f"The build was not compared with the wheels of its lock: {error}"


def _lay(draft: Draft, code: Path, root: Path) -> str:
    """Take up all of a folder or zip as code, and give a note on what was left out of it, or "".

    Args:
        draft: the tree to be.
        code: the folder or zip, absolute.
        root: the project's root.

    Raises:
        IncompleteError: it is too large, cannot be read, or is a zip that is refused.
    """
    if code.is_dir():
        selection = select_all(code, root=root)
        draft.problems.extend(selection.problems)
        for selected in selection.files:
            draft.copy("", selected, root)
        left_out = selection.left_out
    else:
        left_out = []
        place = Location(path=relative(code, root))
        for path, file, mode in unpack(code, draft.root, shown=place.path):
            if never_ships(path):
                left_out.append(path)
                file.unlink()
            else:
                draft.note(path, file, Origin.CODE, place, mode=mode)
    if not left_out:
        return ""
    return f"Compiled Python and version control never ship and were left out of the build: {named(left_out, most=3)}."


def _find_lock(build: Build, policy: Policy) -> Path | None:
    """The list of what should be in it."""
    configured, source = build.subject.requirements, build.source
    if configured is not None:
        path = build.root / configured
        if not path.is_file() or not path.resolve().is_relative_to(build.boundary):
            what = f"The requirements of {build.subject.name} are not there: {configured}."
            raise IncompleteError(what, remedy="Correct the path.", path=policy.path)
        return path
    if source is not None:
        # Above what its own tool ships as it lies (CDK, SkipBuild) stands the lock of something else: docs/adr/0009.
        root = source.folder if _as_it_lies(build.subject) else build.root
        return find_lock(source.folder, root=root, chosen=policy.lock)
    return find_lock(build.code, root=build.code, chosen=policy.lock) if build.code.is_dir() else None


def _as_it_lies(subject: Subject) -> bool:
    return subject.skip_build if isinstance(subject, Function) else not subject.build_method


def _read_lock(
    path: Path, build: Build, policy: Policy, markers: Mapping[str, str], workspace: Path, run: Run
) -> tuple[Lock | None, str]:  # fmt: skip
    """What it lists, or why that cannot be read: the other tool may have taken what is refused here."""
    folder = build.source.folder if build.source else (build.code if build.code.is_dir() else build.code.parent)
    boundary = build.boundary if path.is_relative_to(build.boundary) else build.code
    shown = relative(path, build.root)
    try:
        needs = read_needs(path, folder=folder, root=build.root, boundary=boundary, workspace=workspace, environment=markers, run=run,
                           choice=policy.choice(build.subject.name), constraints=[Path(one) for one in policy.constraints],
                           shared=Path(policy.shared_lock).resolve() if policy.shared_lock else None)  # fmt: skip
    except IncompleteError as error:
        return None, f"The build was not compared with {shown}: {error}"
    return Lock(needs=needs, shown=needs.files[0] if needs.files else shown), ""
