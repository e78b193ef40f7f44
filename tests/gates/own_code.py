"""A project with one function whose code is given as text, staged as it lies: what the lint and sbom gates are asked about."""

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from shipsafe.model.gate import Inquiry
from shipsafe.model.location import Location
from shipsafe.model.policy import GatePolicy, Policy
from shipsafe.model.project import Code, CodeKind, Function, Project
from shipsafe.model.tree import FILE_MODE, Distribution, Entry, Origin, StagedTree

CODE = "src/orders"


def ask_about(
    folder: Path,
    files: Mapping[str, str | bytes],
    *,
    runtime: str = "python3.11",
    gate: str = "lint",
    settings: Mapping[str, object] | None = None,
    dependencies: Mapping[str, str | bytes] | None = None,
    distributions: tuple[Distribution, ...] = (),
    project_files: Mapping[str, str] | None = None,
    inline: bool = False,
    epoch: int | None = None,
) -> Inquiry:
    """The inquiry that a flow would hand to a gate.

    `files` are the function's code, `dependencies` what was installed beside it, `project_files` what else lies in the project
    (paths from its root).
    """
    root, tree = folder / "project", folder / "tree"
    for name, text in (project_files or {}).items():
        _write(root / name, text)
    entries = []
    for name, content in files.items():
        _write(root / CODE / name, content)
        place = Location(path="template.yaml", line=7) if inline else Location(path=f"{CODE}/{name}")
        entries.append(_entry(tree, name, content, Origin.CODE, place))
    entries += [_entry(tree, name, content, Origin.DEPENDENCY, None) for name, content in (dependencies or {}).items()]
    code = Code(kind=CodeKind.INLINE) if inline else Code(kind=CodeKind.FOLDER, path=CODE)
    place = Location(path="template.yaml", line=3)
    function = Function(name="Orders", runtime=runtime, handler="app.handler", code=code, location=place)
    workspace = folder / "workspace"
    workspace.mkdir()
    return Inquiry(
        project=Project(root=root, template="template.yaml", functions=(function,)),
        subject=function,
        policy=Policy(path="shipsafe.toml", digest="sha256:0", gates={gate: GatePolicy(settings=settings or {})}),
        today=date(2026, 11, 21),
        workspace=workspace,
        tree=StagedTree(
            subject=function.subject,
            root=tree,
            entries=tuple(sorted(entries, key=lambda entry: entry.path.encode())),
            distributions=distributions,
        ),
        epoch=epoch,
    )


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _entry(tree: Path, name: str, content: str | bytes, origin: Origin, location: Location | None) -> Entry:
    data = content.encode() if isinstance(content, str) else content
    _write(tree / name, data)
    return Entry(
        path=name,
        mode=FILE_MODE,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        source=tree / name,
        origin=origin,
        location=location,
    )
