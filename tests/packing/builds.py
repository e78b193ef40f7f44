"""What another tool has staged: wheels unpacked beside the code, as pip and SAM leave them."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shipsafe.model.policy import Policy
from shipsafe.model.project import CodeKind, Function, Layer
from shipsafe.model.tree import Problem, ProblemKind, StagedTree
from tests.packing.loopback import wheel
from tests.packing.staging import function, staged, write

APP = "def handler(event, context): ...\n"


def installed(
    name: str,
    version: str = "1.0",
    *,
    base: str = "",
    changed: Mapping[str, bytes] | None = None,
    requires: tuple[str, ...] = (),
    files: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """The files of an installed distribution below a base; RECORD says what `changed` was before somebody changed it."""
    _, data = wheel(name, version, files, requires=requires)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        content = {path: opened.read(path) for path in opened.namelist()}
    return {f"{base}{path}": data for path, data in {**content, **(changed or {})}.items()}


def build(
    tmp_path: Path,
    files: Mapping[str, str | bytes],
    *,
    source: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    subject: Function | Layer | None = None,
) -> StagedTree:
    """Stage the folder `built`, which was made of `src` where that is given."""
    write(tmp_path / "project" / "built", files)
    write(tmp_path / "project" / "src", source or {})
    chosen = subject or function("built")
    code = replace(chosen.code, prebuilt=True, source="src" if source is not None else None)
    return staged(tmp_path / "project", tmp_path / "work", replace(chosen, code=code), policy)


def zipped(tmp_path: Path, files: Mapping[str, bytes]) -> StagedTree:
    """Stage the zip `built.zip`."""
    (tmp_path / "project").mkdir()
    with zipfile.ZipFile(tmp_path / "project" / "built.zip", "w") as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    chosen = function("built.zip", kind=CodeKind.ZIP)
    return staged(tmp_path / "project", tmp_path / "work", replace(chosen, code=replace(chosen.code, prebuilt=True)))


def problems(tree: StagedTree, kind: ProblemKind) -> list[Problem]:
    """Those of a kind."""
    return [one for one in tree.problems if one.kind is kind]
