"""`cyclonedx-py`, the second opinion on what distributions lie in a tree, asked without running any of the tree's code.

`PYTHONPATH=TREE cyclonedx-py environment EMPTY_VENV` starts a Python that has TREE on its path, and would run a
`sitecustomize.py` or a `json.py` of the tree. So it is pointed at a shadow of the tree that holds nothing but the files in
which distributions say their name, and lists the same.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.adapters.process import Run
from shipsafe.adapters.process import run as run_process
from shipsafe.errors import IncompleteError
from shipsafe.model.tree import Entry

_LIMIT = 4 * MEBIBYTE  # bytes of one metadata file
# Where Lambda puts a function's code on the path, and where it looks in a layer.
# https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
_ROOTS = re.compile(r"(?:python/(?:lib/python3\.\d+/site-packages/)?)?")
_REMEDY = "Take a newer version of the distribution, or set cross-check = false in [gates.sbom]."
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA|[^/]+\.egg-info/PKG-INFO|[^/]+\.egg-info")


def metadata_place(path: str) -> str | None:
    """Where on Python's path a file lies in which a distribution says its name; None for every other file of a tree."""
    root = _ROOTS.match(path)
    inner = path[root.end() :] if root else path
    return inner if _METADATA.fullmatch(inner) else None


def list_distributions(entries: Iterable[Entry], *, workspace: Path, run: Run = run_process) -> tuple[tuple[str, str | None], ...]:
    """Normalised name and version of every distribution that cyclonedx-py sees in the tree, sorted.

    Args:
        entries: the files of the tree.
        workspace: an empty folder.
        run: starts the child.

    Raises:
        IncompleteError: it could not be asked, or did not understand what lies in the tree.
    """
    shadow, venv, target = workspace / "shadow", workspace / "venv", workspace / "cyclonedx-py.json"
    with disk_errors(workspace):
        shadow.mkdir()
        _copy_metadata(entries, shadow)
    _child(run, ["-m", "venv", "--without-pip", venv], "venv", workspace)
    argv: list[str | Path] = ["-m", "cyclonedx_py", "environment", "--of", "JSON", "--output-reproducible", "-o", target, venv]
    _child(run, argv, "cyclonedx-py", workspace, {"PYTHONPATH": str(shadow)})
    components = json.loads(target.read_text(encoding="utf-8")).get("components", [])
    return tuple(sorted(((canonicalize_name(entry["name"].strip()), entry.get("version")) for entry in components), key=str))


def _child(run: Run, argv: list[str | Path], name: str, cwd: Path, env: dict[str, str] | None = None) -> None:
    finished = run([sys.executable, "-P", *argv], cwd=cwd, env=env, timeout=300)
    if finished.returncode != 0:
        cause = (finished.stderr.strip().splitlines() or [f"code {finished.returncode}"])[-1].rpartition(" > ")[2].rstrip(".")
        raise IncompleteError(f"{name} could not list the distributions: {cause}.", remedy=_REMEDY)


def _copy_metadata(entries: Iterable[Entry], shadow: Path) -> None:
    """Copy what says a name, from every folder that Lambda puts on the path, into one folder."""
    for entry in entries:
        if (inner := metadata_place(entry.path)) is None:
            continue
        if entry.size > _LIMIT:
            raise IncompleteError("Metadata larger than 4 MiB is not read.", remedy="Leave it out.", path=entry.path)
        try:
            entry.source.read_bytes().decode()
        except UnicodeDecodeError as error:  # cyclonedx-py would end at it without saying where it was
            raise IncompleteError("cyclonedx-py cannot read metadata that is not UTF-8.", remedy=_REMEDY, path=entry.path) from error
        place = shadow / PurePosixPath(inner)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entry.source, place)
