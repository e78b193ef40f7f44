"""The workflows of a project, and the actions that lie beside them: their texts, read once.

GitHub runs `.github/workflows/*.yml` and `*.yaml` of the repository's top folder. A project that lies deeper shares them with others: they
are asked about with it where the policy requires the gate. Actions are read where they are kept by custom
(`action.yml` at the top, below `.github/actions` and `actions`) and wherever a workflow names one by its path.
"""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shipsafe.adapters.files import MEBIBYTE, relative
from shipsafe.adapters.git import repository_prefix
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.gates.shipping.document import Node, read
from shipsafe.model.project import Project

FOLDER = ".github/workflows"
_ENDS = (".yml", ".yaml")
_KEPT_ACTIONS = ("", ".github/actions/*/", ".github/actions/*/*/", "actions/*/")
_MOST = 500
_LARGEST = MEBIBYTE
_HERE = ("./", "$/")  # what a path of this repository begins with


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A workflow or an action.

    Attributes:
        path: POSIX, relative to the folder that holds `.github`.
        shown: POSIX, relative to the project's root.
        text: without a byte order mark.
        root: its document.
    """

    path: str
    shown: str
    text: str
    root: Node

    @property
    def is_workflow(self) -> bool:
        """Whether GitHub runs it by itself, or others call it as a workflow."""
        return self.path.startswith(f"{FOLDER}/")

    @property
    def jobs(self) -> Mapping[str, Node]:
        """The jobs of a workflow by their ids."""
        jobs = self.root.at("jobs")
        return jobs.fields if jobs and self.is_workflow else {}

    @property
    def triggers(self) -> frozenset[str]:
        """What starts it: `push`, `pull_request_target`."""
        on = self.root.at("on")
        return frozenset((on.text, *(one.text for one in on.items), *on.fields)) - {""} if on else frozenset()


def has_workflows(project: Project) -> bool:
    """Whether there is anything in its own folder that GitHub would run, or nobody can say."""
    try:
        return bool(_workflows(project.root))
    except IncompleteError:
        return True


def home_of(project: Project, *, required: bool) -> Path | None:
    """The folder with the workflows: the project's, else that of its repository where the gate is `required`; None where none has any.

    Raises:
        IncompleteError: nobody can say.
    """
    top = project.root
    for _ in filter(None, repository_prefix(project.root).split("/")):
        top = top.parent
    homes = (project.root, top) if required else (project.root,)
    return next((home for home in homes if _workflows(home)), None)


def found(home: Path, project: Project) -> tuple[File, ...]:
    """Every workflow and every action below a folder, in the order of their paths.

    Raises:
        ConfigError: one cannot be read: no YAML, too large, not a regular file.
        IncompleteError: one is a link, there are too many, or a folder cannot be looked into.
    """
    try:
        return _found(home, relative(home, project.root))
    except OSError as error:  # a folder that may not be searched, a name that is too long
        what = f"Workflows and actions cannot be looked at: {error.strerror}."
        raise IncompleteError(what, remedy="Check the path and its rights.", path=shown(str(error.filename))) from error


def _found(home: Path, prefix: str) -> tuple[File, ...]:
    files: dict[str, File] = {}
    waiting = [*_workflows(home), *_actions(home)]
    while waiting:
        path = waiting.pop().relative_to(home).as_posix()
        if path in files:
            continue
        if len(files) == _MOST:
            raise IncompleteError(f"There are more than {_MOST} workflows and actions.", remedy="Look at them with zizmor itself.")
        files[path] = file = _file(home, path, posixpath.normpath(f"{prefix}/{path}"))
        waiting += _named(file, home)
    return tuple(files[path] for path in sorted(files))


def steps(node: Node) -> tuple[Node, ...]:
    """The steps of a job, or of a composite action's `runs`."""
    listed = node.at("steps")
    return listed.items if listed else ()


def jobs_like(file: File) -> Iterator[tuple[str, Node]]:
    """Whatever holds steps: the jobs of a workflow by their ids, and `runs` of an action."""
    yield from file.jobs.items()
    if not file.is_workflow and (runs := file.root.at("runs")):
        yield "runs", runs


def _workflows(root: Path) -> list[Path]:
    folder = root / FOLDER
    try:
        names = sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        what = f"The workflows cannot be listed: {error.strerror}."
        raise IncompleteError(what, remedy="Check the folder's rights.", path=FOLDER) from error
    return [folder / name for name in names if name.endswith(_ENDS)]


def _actions(root: Path) -> Iterator[Path]:
    return (path for folder in _KEPT_ACTIONS for end in _ENDS for path in sorted(root.glob(f"{folder}action{end}")))


def _named(file: File, root: Path) -> Iterator[Path]:
    """Actions and workflows of this repository that a file uses by their paths."""
    for _, job in jobs_like(file):
        for uses in (job.at("uses"), *(step.at("uses") for step in steps(job))):
            if uses is None or not uses.text.startswith(_HERE):
                continue
            path = PurePosixPath(uses.text[len(_HERE[0]) :])
            if path.is_absolute() or ".." in path.parts:
                continue  # GitHub runs none that lies outside
            ends = (path,) if path.name.endswith(_ENDS) else tuple(path / f"action{end}" for end in _ENDS)
            yield from (root / end for end in ends if (root / end).is_file())


def _file(root: Path, path: str, name: str) -> File:
    from shipsafe.adapters.template_text import read_text  # noqa: PLC0415 - the rules are wanted without the parser

    place = root
    for part in PurePosixPath(path).parts:
        place /= part
        if place.is_symlink():
            raise IncompleteError("It is a link, which is not followed.", remedy="Put the file itself there.", path=name)
    if place.is_file() and place.stat().st_size > _LARGEST:
        raise ConfigError(f"Larger than {_LARGEST // MEBIBYTE} MiB, which no workflow is.", remedy="Split it.", path=name)
    text = read_text(place, name=name)
    return File(path=path, shown=name, text=text, root=read(text, name=name))
