"""Function -> staged tree: exactly what will ship, lying in a private folder, before anything is asked of it.

    tree/            the function's code, and its dependencies for its runtime and architecture
    tree/python/     the same for a layer that SAM builds for Python

Code wins over a dependency that has a file of the same path, as with `sam build`, and the gate `package` says so. `requirements.txt`
ships where it lies beside the code, as with `sam build`. No code of the audited project is ever run.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from shipsafe.adapters.cache import canonical
from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.process import Run, run
from shipsafe.errors import IncompleteError
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.project import CodeKind, Function, Project, Subject
from shipsafe.model.tree import FILE_MODE, Origin, StagedTree
from shipsafe.packing.distributions import describe
from shipsafe.packing.draft import Draft
from shipsafe.packing.local_packages import lay_locals
from shipsafe.packing.locks import find_lock, read_needs
from shipsafe.packing.needs import Needs
from shipsafe.packing.prebuilt import ANY_PYTHON, Build, take
from shipsafe.packing.runtimes import MACHINES, Runtime, environment, lookup, platform
from shipsafe.packing.select import Selected, mode_of, select
from shipsafe.packing.sets import DependencySet, Sets, Wanting
from shipsafe.packing.unlocked import asked_in_vain
from shipsafe.packing.unpack import unpack


class BuiltElsewhereError(IncompleteError):
    """Another tool builds this code (a makefile, esbuild): the gates that need a tree are not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Installed:
    """What was asked for, for which runtime, and what it became."""

    needs: Needs = field(default_factory=Needs)
    found: DependencySet = field(default_factory=DependencySet)
    runtime: Runtime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where everything lies: the project, the repository around it, the code, the private folder. All absolute, without links."""

    root: Path
    boundary: Path
    code: Path
    workspace: Path

    @property
    def folder(self) -> Path:
        """The folder that the code lies in."""
        return self.code if self.code.is_dir() else self.code.parent


def stage(
    subject: Subject, project: Project, policy: Policy, *, workspace: Path, sets: Sets, offline: bool, run: Run = run
) -> StagedTree:  # fmt: skip
    """Stage one function or layer into `workspace`, a private, empty folder; its dependencies come from `sets`.

    Raises:
        ConfigError: two kinds of lock stand beside each other and the policy does not choose.
        BuiltElsewhereError: another tool builds it.
        IncompleteError: its code or its dependencies cannot be had; the message names file and line.
    """
    workspace = workspace.resolve()
    draft = Draft(workspace / "tree", sets.copies)
    with disk_errors(draft.root):
        draft.root.mkdir()
        if subject.code.kind is CodeKind.INLINE:
            _add_inline(subject, draft)
            return _finish(subject, draft, _Installed())
        site = _site(subject, project, workspace)
        if subject.code.prebuilt:
            build = Build(subject=subject, code=site.code, root=site.root, boundary=site.boundary, architecture=_architecture(subject))
            return take(build, draft, policy=policy, workspace=workspace, sets=sets, offline=offline, run=run)
        if subject.code.kind is CodeKind.ZIP:
            place = Location(path=subject.code.path or "")
            for path, file, mode in unpack(site.code, draft.root, shown=place.path):
                draft.note(path, file, Origin.CODE, place, mode=mode)
            return _finish(subject, draft, _Installed(), prebuilt=True)
        _refuse_other_builders(subject, project)
        installed = _add_dependencies(subject, site, policy, draft, sets, offline=offline, run=run)
        _add_code(subject, site, draft)
        return _finish(subject, draft, installed)


def _site(subject: Subject, project: Project, workspace: Path) -> _Site:
    """Look at where the code is said to be."""
    code = subject.code
    if code.kind is CodeKind.S3:
        raise _error(subject, f"The code of {subject.name} lies in a bucket ({code.uri or 'an S3 object'}), where shipsafe cannot look",
                     "Point it at a local folder.")  # fmt: skip
    if code.kind is CodeKind.IMAGE or code.path is None or code.kind is CodeKind.UNKNOWN:
        raise _error(subject, f"The template does not say where the code of {subject.name} is", "Give it a local path.")
    root = project.root.resolve()
    boundary = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    path = root / code.path
    if not path.exists():
        raise _error(subject, f"The code of {subject.name} is not there: {code.path}", "Correct the path, or build it first.")
    path = path.resolve()
    named = [(root / one).resolve() for one in project.prebuilt if code.prebuilt]
    if not any(path.is_relative_to(place) for place in (boundary, *named)):
        what = f"The code of {subject.name} lies outside the repository: {code.path}"
        raise _error(subject, what, "Move it into the repository.")
    return _Site(root=root, boundary=boundary, code=path, workspace=workspace)


def _as_it_lies(subject: Subject) -> bool:
    """Whether nothing is built: SAM's `SkipBuild`, and layers without a `BuildMethod`."""
    return subject.skip_build if isinstance(subject, Function) else not subject.build_method


def _prefix(subject: Subject) -> str:
    """Where SAM puts what it builds: Python looks for a layer's modules in `python/`."""
    return "" if isinstance(subject, Function) or not subject.is_python or _as_it_lies(subject) else "python/"


def _refuse_other_builders(subject: Subject, project: Project) -> None:
    method = subject.build_method
    other = "" if project.template in (None, "template.yaml", "template.yml") else project.template  # SAM finds these by itself
    build, path = (f" -t {other}", f" {other}") if other else ("", "")
    if method and not _as_it_lies(subject) and not method.startswith("python"):
        raise BuiltElsewhereError(
            f"{subject.name} is built by {method!r}, which runs commands of the project.",
            remedy=f"Run `sam build{build}`, then `shipsafe build{path} --prebuilt .aws-sam/build`.",
            path=subject.location.path,
            line=subject.location.line,
        )


def _error(subject: Subject, what: str, remedy: str) -> IncompleteError:
    place = subject.code.location or subject.location
    return IncompleteError(f"{what}.", remedy=remedy, path=place.path, line=place.line)


def _add_dependencies(
    subject: Subject, site: _Site, policy: Policy, draft: Draft, sets: Sets, *, offline: bool, run: Run
) -> _Installed:  # fmt: skip
    """Lay down what a Python function or a layer that is built for Python needs; other subjects need nothing that we install."""
    if not subject.is_python or _as_it_lies(subject):
        return _Installed()
    runtime = lookup(subject.runtime or "")
    if runtime is None or runtime.python is None:
        raise _error(subject, f"{subject.runtime}, the runtime of {subject.name}, is not one that shipsafe can install for",
                     "Choose a runtime that Lambda offers, or upgrade shipsafe.")  # fmt: skip
    lock = _lock(subject, site, policy)
    if lock is None:
        if (problem := asked_in_vain(site.folder, root=site.root)) is not None:
            draft.problems.append(problem)
        return _Installed(runtime=runtime)
    architecture = _architecture(subject)
    needs = read_needs(lock, folder=site.folder, root=site.root, boundary=site.boundary, workspace=site.workspace,
                       environment=environment(runtime.python, architecture), run=run, choice=policy.choice(subject.name),
                       shared=Path(policy.shared_lock).resolve() if policy.shared_lock else None,
                       constraints=[Path(one) for one in policy.constraints])  # fmt: skip
    wanting = Wanting(needs=needs, who=subject.name, subject=subject.subject, runtime=runtime, architecture=architecture, policy=policy,
                      workspace=site.workspace, offline=offline, run=run)  # fmt: skip
    found = sets.get(wanting)
    if found.files:
        draft.lay(_prefix(subject), found, {one.name: one.location for one in needs.wanted}, Location(path=needs.files[0]))
    lay_locals(needs.local, draft, _prefix(subject), site.root)
    draft.note_unlocked(needs)
    return _Installed(needs=needs, found=found, runtime=runtime)


def _lock(subject: Subject, site: _Site, policy: Policy) -> Path | None:
    if subject.requirements is None:
        return find_lock(site.folder, root=site.root, chosen=policy.lock)
    path = site.root / subject.requirements
    if not path.is_file() or not path.resolve().is_relative_to(site.boundary):
        raise _error(subject, f"The requirements of {subject.name} are not there: {subject.requirements}", "Correct the path.")
    return path


def _architecture(subject: Subject) -> str:
    if isinstance(subject, Function):
        chosen = subject.architectures[0]
    else:
        chosen = subject.build_architecture or next(iter(subject.architectures), "x86_64")
    if chosen not in MACHINES:
        raise _error(subject, f"{chosen} is not an architecture of Lambda", "Use x86_64 or arm64.")
    return chosen


def _add_code(subject: Subject, site: _Site, draft: Draft) -> None:
    prefix = _prefix(subject)
    if not site.code.is_dir():
        draft.copy(prefix, Selected(path=site.code.name, file=site.code, mode=mode_of(site.code)), site.root)
        return
    selection = select(site.code, root=site.root, python=subject.is_python)
    draft.problems.extend(selection.problems)
    for selected in selection.files:
        draft.copy(prefix, selected, site.root)


def _add_inline(subject: Subject, draft: Draft) -> None:
    name = "index.py" if subject.is_python else "index.js"
    place = subject.code.location or subject.location
    file = draft.root / name
    try:
        file.write_bytes((subject.code.text or "").encode())
    except UnicodeEncodeError as error:
        raise _error(subject, f"The inline code of {subject.name} is not text", "Write it as UTF-8.") from error
    draft.note(name, file, Origin.CODE, place, mode=FILE_MODE)


def _finish(subject: Subject, draft: Draft, installed: _Installed, *, prebuilt: bool = False) -> StagedTree:
    if not draft.entries:
        raise _error(subject, f"There is no file to ship for {subject.name}", "Correct its path, or .shipsafeignore.")
    draft.note_collisions()
    runtime = installed.runtime
    known = runtime or lookup(subject.runtime or "")
    architecture = _architecture(subject)
    prefix, found = _prefix(subject), installed.found
    facts = [one.below(prefix) for one in found.facts]
    rewritten = {path.rpartition("/")[0] for path, entry in draft.entries.items() if entry.origin is Origin.CODE}
    if any(one.path in rewritten for one in facts):
        found.materialise()  # the code has put files of its own among a dependency's metadata, so that is read again
    distributions = describe(
        draft.entries, prefix=prefix, known=[one for one in facts if one.path not in rewritten], pinned=found.pinned,
        needs=installed.needs, environment=environment((known and known.python) or ANY_PYTHON, architecture))  # fmt: skip
    return StagedTree(
        subject=subject.subject,
        root=draft.root,
        entries=tuple(sorted(draft.entries.values(), key=lambda entry: entry.path.encode())),
        distributions=distributions,
        problems=tuple(draft.problems),
        python=runtime.python if runtime else None,
        platform=platform(runtime, architecture) if runtime else None,
        inputs=installed.needs.files,
        notes=found.built,
        prebuilt=prebuilt,
        fingerprint=_fingerprint(subject, draft, installed, lines=True),
        likeness=_fingerprint(subject, draft, installed, lines=False),
        materialise=found.materialise,
    )


def _fingerprint(subject: Subject, draft: Draft, installed: _Installed, *, lines: bool) -> str:
    """A digest of everything that made the tree: the set by its key, all else by what it is."""
    code = [
        (entry.path, entry.mode, entry.sha256, entry.location)
        for entry in draft.entries.values()
        if entry.origin is Origin.CODE
    ]  # fmt: skip
    parts = (subject, installed.found.key, installed.needs, installed.runtime, sorted(code), draft.problems)
    return hashlib.sha256(canonical(parts, lines=lines)).hexdigest()
