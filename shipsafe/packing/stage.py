"""Function -> staged tree: exactly what will ship, lying in a private folder, before anything is asked of it.

    tree/            the function's code, its dependencies for its runtime and architecture
    tree/python/     the same for a layer that SAM builds for Python

Code wins over a dependency that has a file of the same path, as with `sam build`, and the gate `package` says so. `requirements.txt`
ships where it lies beside the code, as with `sam build`. No code of the audited project is ever run.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from shipsafe.adapters.files import MEBIBYTE, disk_errors, sha256_file
from shipsafe.adapters.process import Run, run
from shipsafe.errors import IncompleteError
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.project import CodeKind, Function, Project, Subject
from shipsafe.model.tree import FILE_MODE, Entry, Origin, Problem, ProblemKind, StagedTree
from shipsafe.packing.distributions import describe
from shipsafe.packing.install import Pinned, install
from shipsafe.packing.locks import Needs, find_lock, read_needs
from shipsafe.packing.runtimes import MACHINES, Runtime, lookup, platform
from shipsafe.packing.select import mode_of, select
from shipsafe.packing.unpack import unpack

_LARGEST = 1024 * MEBIBYTE  # of one source file: four times what Lambda takes in all


class BuiltElsewhereError(IncompleteError):
    """Another tool builds this code (a makefile, esbuild): the gates that need a tree are not asked."""


@dataclass(slots=True)
class _Draft:
    """The tree while it grows."""

    root: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def stage(
    subject: Subject, project: Project, policy: Policy, *, workspace: Path, offline: bool, run: Run = run
) -> StagedTree:  # fmt: skip
    """Stage one function or layer into `workspace`, a private, empty folder.

    Raises:
        ConfigError: two kinds of lock stand beside each other and the policy does not choose.
        BuiltElsewhereError: another tool builds it.
        IncompleteError: its code or its dependencies cannot be had; the message names file and line.
    """
    draft = _Draft(workspace / "tree")
    with disk_errors(draft.root):
        draft.root.mkdir()
        return _stage(subject, project, policy, draft, workspace, offline=offline, run=run)


def _stage(subject: Subject, project: Project, policy: Policy, draft: _Draft, workspace: Path, *, offline: bool, run: Run) -> StagedTree:
    code = subject.code
    if code.kind in (CodeKind.S3, CodeKind.UNKNOWN, CodeKind.IMAGE) or (code.path is None and code.kind is not CodeKind.INLINE):
        raise _no_code(subject)
    if code.kind is CodeKind.INLINE:
        _add_inline(subject, draft)
        return _finish(subject, draft, Needs(), {}, None)
    source = (project.root / (code.path or ".")).resolve()
    boundary = _boundary(project.root)
    if not source.is_relative_to(boundary):
        raise _error(subject, f"The code of {subject.name} lies outside the repository ({code.path})", "Move it into the repository.")
    if not source.exists():
        raise _error(subject, f"The code of {subject.name} is not there: {code.path}", "Correct the path, or build it first.")
    if code.kind is CodeKind.ZIP:
        _add_archive(subject, source, draft)
        return _finish(subject, draft, Needs(), {}, None, prebuilt=True)
    _refuse_other_builders(subject)
    prefix = "python/" if _is_built_layer(subject) else ""
    needs, pinned, runtime = _add_dependencies(subject, project, policy, source, draft, prefix, workspace, offline=offline, run=run)
    _add_code(source, project.root, boundary, draft, prefix)
    return _finish(subject, draft, needs, pinned, runtime)


def _boundary(root: Path) -> Path:
    """The repository: the nearest folder upward that holds `.git`, else the project itself."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root).resolve()


def _is_built_layer(subject: Subject) -> bool:
    return not isinstance(subject, Function) and bool(subject.build_method)


def _refuse_other_builders(subject: Subject) -> None:
    method = subject.build_method
    if method and not method.startswith("python"):
        raise BuiltElsewhereError(
            f"{subject.name} is built by {method!r}, which runs commands of the project.",
            remedy="Build it with its own tool and point its code at the result.",
            path=subject.location.path, line=subject.location.line)  # fmt: skip


def _no_code(subject: Subject) -> IncompleteError:
    code = subject.code
    if code.kind is CodeKind.S3:
        return _error(subject, f"The code of {subject.name} lies in a bucket ({code.uri or 'an S3 object'}), where shipsafe cannot look",
                      "Point it at a local folder.")  # fmt: skip
    return _error(subject, f"The template does not say where the code of {subject.name} is", "Give it a local path.")


def _error(subject: Subject, what: str, remedy: str) -> IncompleteError:
    place = subject.code.location or subject.location
    return IncompleteError(f"{what}.", remedy=remedy, path=place.path, line=place.line)


def _add_dependencies(
    subject: Subject,
    project: Project,
    policy: Policy,
    source: Path,
    draft: _Draft,
    prefix: str,
    workspace: Path,
    *,
    offline: bool,
    run: Run,
) -> tuple[Needs, Mapping[str, Pinned], Runtime | None]:
    """Install what a Python function or built layer needs; other subjects need nothing that we install."""
    as_it_lies = subject.skip_build if isinstance(subject, Function) else not subject.build_method
    if not subject.is_python or as_it_lies:
        return Needs(), {}, None
    runtime = lookup(subject.runtime or "")
    if runtime is None or runtime.python is None:
        raise _error(subject, f"shipsafe does not know the runtime {subject.runtime} of {subject.name}", "Upgrade shipsafe.")
    architecture = _architecture(subject)
    folder = source if source.is_dir() else source.parent
    lock = _lock(subject, project, policy, folder)
    if lock is None:
        return Needs(), {}, runtime
    python = runtime.python
    needs = read_needs(lock, root=project.root, python=python, architecture=architecture, workspace=workspace)
    target = draft.root / prefix
    target.mkdir(exist_ok=True)
    pinned = install(needs, target, who=subject.name, runtime=runtime, architecture=architecture, policy=policy, workspace=workspace,
                     offline=offline, run=run)  # fmt: skip
    lines = {wanted.name: wanted.location for wanted in needs.wanted}
    owners = {path: name for name, paths in describe_files(target).items() for path in paths}
    for file in sorted(path for path in target.rglob("*") if path.is_file()):
        inner = file.relative_to(target).as_posix()
        if file.suffix in (".pyc", ".pyo") or "__pycache__" in file.parts:
            continue
        location = lines.get(owners.get(inner, ""), Location(path=needs.files[0]))
        _add(draft, f"{prefix}{inner}", file, Origin.DEPENDENCY, location)
    if not all(wanted.hashes and wanted.pinned for wanted in needs.wanted):
        loose = next(wanted for wanted in needs.wanted if not (wanted.hashes and wanted.pinned))
        message = f"{loose.name} is not locked: {'no hash' if loose.pinned else 'no exact version'} in {loose.location.path}."
        draft.problems.append(Problem(kind=ProblemKind.UNLOCKED, key=needs.files[0], message=message, location=loose.location))
    return needs, pinned, runtime


def describe_files(target: Path) -> dict[str, list[str]]:
    """Normalised name -> paths of its files below `target`, as their RECORDs say."""
    return {one.name: list(one.paths) for one in describe(target, "", {}, None, {}, frozenset())}


def _lock(subject: Subject, project: Project, policy: Policy, folder: Path) -> Path | None:
    if subject.requirements is None:
        return find_lock(folder, root=project.root.resolve(), chosen=policy.lock)
    path = project.root.resolve() / subject.requirements
    if not path.is_file():
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


def _add_code(source: Path, root: Path, boundary: Path, draft: _Draft, prefix: str) -> None:
    if source.is_file():
        _add_copy(draft, prefix + source.name, source, mode_of(source), root)
        return
    selection = select(source, root=root, boundary=boundary)
    draft.problems.extend(selection.problems)
    for selected in selection.files:
        _add_copy(draft, prefix + selected.path, selected.file, selected.mode, root)


def _add_copy(draft: _Draft, path: str, file: Path, mode: int, root: Path) -> None:
    """Copy a file of the project into the tree: what is looked at from now on is the copy."""
    place = Location(path=file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix())
    if file.stat().st_size > _LARGEST:
        raise IncompleteError("Larger than anything Lambda takes.", remedy="Leave it out with .shipsafeignore.", path=place.path)
    there = draft.entries.get(path)
    if there is not None and there.origin is Origin.DEPENDENCY:
        message = f"{path} stands in the code and in a dependency; the code's is shipped."
        draft.problems.append(Problem(kind=ProblemKind.NAME_COLLISION, key=path, message=message, location=place))
    target = draft.root / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copyfile(file, target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        message = f"{path} is a file in the code and a folder in a dependency, or the reverse."
        raise IncompleteError(message, remedy="Rename it.", path=place.path) from error
    _add(draft, path, target, Origin.CODE, place, mode=mode)


def _add_inline(subject: Subject, draft: _Draft) -> None:
    name = "index.py" if subject.is_python else "index.js"
    file = draft.root / name
    file.write_text(subject.code.text or "", encoding="utf-8")
    _add(draft, name, file, Origin.CODE, subject.code.location or subject.location, mode=FILE_MODE)


def _add_archive(subject: Subject, source: Path, draft: _Draft) -> None:
    place = Location(path=subject.code.path or source.name)
    for path, file, mode in unpack(source, draft.root, shown=place.path):
        _add(draft, path, file, Origin.CODE, place, mode=mode)


def _add(draft: _Draft, path: str, file: Path, origin: Origin, location: Location, *, mode: int | None = None) -> None:
    draft.entries[path] = Entry(
        path=path, mode=mode if mode is not None else mode_of(file), size=file.stat().st_size, sha256=sha256_file(file), source=file,
        origin=origin, location=location)  # fmt: skip


def _finish(
    subject: Subject,
    draft: _Draft,
    needs: Needs,
    pinned: Mapping[str, Pinned],
    runtime: Runtime | None,
    *,
    prebuilt: bool = False,
) -> StagedTree:
    entries = tuple(sorted(draft.entries.values(), key=lambda entry: entry.path.encode()))
    if not entries:
        raise _error(subject, f"There is no file to ship for {subject.name}", "Correct its path, or .shipsafeignore.")
    _note_case_clashes(draft)
    prefix = "python/" if _is_built_layer(subject) else ""
    known = runtime or lookup(subject.runtime or "")
    distributions = describe(
        draft.root, prefix, pinned, known.python if known else None, {wanted.name: wanted.location for wanted in needs.wanted},
        needs.direct if needs.direct is not None else frozenset(), shipped=frozenset(draft.entries))  # fmt: skip
    return StagedTree(
        subject=subject.subject,
        root=draft.root,
        entries=entries,
        distributions=distributions,
        problems=tuple(draft.problems),
        python=runtime.python if runtime else None,
        platform=platform(runtime, _architecture(subject)) if runtime else None,
        inputs=needs.files,
        prebuilt=prebuilt,
    )


def _note_case_clashes(draft: _Draft) -> None:
    """Two paths that differ only in case are one file where the zip is unpacked on another system, and confuse people here."""
    seen: dict[str, str] = {}
    for path in sorted(draft.entries):
        other = seen.setdefault(PurePosixPath(path).as_posix().casefold(), path)
        if other != path:
            draft.problems.append(
                Problem(kind=ProblemKind.NAME_COLLISION, key=path, message=f"{path} and {other} differ only in case.",
                        location=draft.entries[path].location))  # fmt: skip
