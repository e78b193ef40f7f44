"""A project of a few files with one function or layer, staged for a runtime."""

from collections.abc import Mapping
from pathlib import Path

from shipsafe.adapters import process
from shipsafe.adapters.process import Run
from shipsafe.model.location import Location
from shipsafe.model.policy import GatePolicy, Policy
from shipsafe.model.project import Code, CodeKind, Function, Layer, Project, Subject
from shipsafe.model.tree import Distribution, StagedTree
from shipsafe.packing.sets import Sets
from shipsafe.packing.stage import stage
from tests.answers import answers_of

PLACE = Location(path="template.yaml", line=7)


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below `root`, which is made."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def function(
    path: str | None = "src",
    *,
    kind: CodeKind = CodeKind.FOLDER,
    runtime: str = "python3.13",
    architecture: str = "x86_64",
    text: str | None = None,
    requirements: str | None = None,
    build_method: str | None = None,
    skip_build: bool = False,
) -> Function:
    """The function `App`."""
    code = Code(kind=kind, path=path, text=text, uri="s3://bucket/key" if kind is CodeKind.S3 else None, location=PLACE)
    return Function(
        name="App", runtime=runtime, handler="app.handler", code=code, location=PLACE, architectures=(architecture,),
        requirements=requirements, build_method=build_method, skip_build=skip_build)  # fmt: skip


def layer(path: str = "layer", *, build_method: str | None = "python3.13") -> Layer:
    """The layer `Shared`."""
    return Layer(name="Shared", code=Code(kind=CodeKind.FOLDER, path=path), location=PLACE, build_method=build_method,
                 runtimes=("python3.13",))  # fmt: skip


def policy(*, index: str | None = None, extra: tuple[str, ...] = (), allow_sdist: tuple[str, ...] = (), lock: str | None = None) -> Policy:
    """A policy with what staging reads of it."""
    gates = {"dependencies": GatePolicy(settings={"allow-sdist": allow_sdist})}
    return Policy(path=None, digest="sha256:0", gates=gates, index=index, extra_indexes=extra, lock=lock)


def staged(
    root: Path,
    workspace: Path,
    subject: Subject | None = None,
    rules: Policy | None = None,
    *,
    offline: bool = False,
    run: Run = process.run,
    prebuilt: tuple[str, ...] = (),
) -> StagedTree:
    """Stage; `workspace` is made."""
    workspace.mkdir(parents=True)
    project = Project(root=root, template="template.yaml", prebuilt=prebuilt)
    sets = Sets(workspace / "sets", answers_of(workspace / "cache"))
    return stage(subject or function(), project, rules or policy(), workspace=workspace, sets=sets, offline=offline, run=run)


def paths(tree: StagedTree) -> list[str]:
    """What ships."""
    return [entry.path for entry in tree.entries]


def distribution(tree: StagedTree, name: str) -> Distribution:
    """The one of that name."""
    found = [one for one in tree.distributions if one.name == name]
    assert len(found) == 1, tree.distributions
    return found[0]
