"""Local packages: code of the repository that a lock names by its folder, staged from source and never built.

Which files ship is told by rule (`local_layout`), as an editable install would see them. A package that is not pure Python, or whose
files only its build code knows, is refused: that code would run here. The metadata is written by us, so that the audit, the SBOM and
`importlib.metadata` see a distribution; its files are the repository's own code, so lint asks about them.

Sources: "Recording installed projects", "Core metadata specifications" (packaging.python.org).
"""

import base64
import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from shipsafe.adapters.files import relative
from shipsafe.model.location import Location
from shipsafe.model.tree import FILE_MODE, Origin
from shipsafe.packing.draft import Draft
from shipsafe.packing.local_layout import find_modules
from shipsafe.packing.local_project import LocalProject, read_project, refuse
from shipsafe.packing.needs import Local
from shipsafe.packing.select import Selected, mode_of, select

UNKNOWN_VERSION = "0+unknown"  # a version that only build code could make
_NATIVE = re.compile(r"\.(c|cc|cpp|cxx|pyx|pxd|rs|f|f90|for|cu|so|pyd|dylib|dll|a|o)$|\.so\.[0-9.]+$", re.IGNORECASE)


def read_local(
    folder: Path, *, name: str | None, version: str | None, requires: Sequence[str], place: Location, root: Path, boundary: Path,
    python: str,
) -> Local:  # fmt: skip
    """Read what a folder's project files say.

    Args:
        folder: the project's folder; need not be there.
        name: normalised, as the lock has it; None where only the folder was named.
        version: as the lock has it.
        requires: what it needs, as the lock says.
        place: who asks for it.
        root: the project root, for messages.
        boundary: the repository; no folder outside it is taken.
        python: `3.13`.

    Raises:
        IncompleteError: it is not there, lies outside the repository, is for another Python, or cannot be staged without running it.
    """
    shown = relative(Path(os.path.normpath(folder)), root)
    if "\0" in str(folder) or not folder.is_dir():
        raise refuse(place, f"The local package {name or shown} is not there: {shown!a}", "Correct its path, or lock again.")
    real = folder.resolve()
    if not real.is_relative_to(boundary) or ".git" in real.relative_to(boundary).parts:
        raise refuse(place, f"The local package {name or shown} lies outside the repository: {shown}", "Move it into the repository.")
    project = read_project(real, shown=shown, place=place)
    if name is None and project.name is None:
        raise refuse(place, f"Nothing in {shown} says what the package is called", "Give its pyproject.toml a [project] table with a name.")
    called = canonicalize_name(project.name or name or "")
    if name is not None and called != name:
        raise refuse(place, f"The package in {shown} is called {called}, and the lock means {name}", "Lock again.")
    _check_python(project, shown, place, python)
    return Local(
        name=called, version=_version(project.version or version, shown, place), folder=real, shown=shown, location=place,
        modules=find_modules(project, real, called, shown=shown, place=place), requires=tuple(requires),
        entry_points=project.entry_points, about=project.about, files=project.files)  # fmt: skip


def lay_locals(local: Sequence[Local], draft: Draft, prefix: str, root: Path) -> None:
    """Copy local packages into the tree, each with metadata of ours.

    Raises:
        IncompleteError: one holds native code or sources of such, or cannot be read.
    """
    for one in local:
        start = set(draft.entries)
        laid: dict[str, str] = {}
        for target, source in one.modules.items():
            for selected in _files(one, target, source, draft, root):
                draft.copy(prefix, selected, root)
                laid[selected.path] = draft.entries[prefix + selected.path].sha256
        if not laid:
            raise refuse(one.location, f"The local package {one.name} in {one.shown} has no file to ship", "Look at its layout.")
        if f"{prefix}{one.dist_info}/METADATA" in start:
            raise refuse(one.location, f"{one.name} {one.version} is both a local package and a dependency", "Lock again.")
        _write_metadata(one, laid, draft, prefix)


def _files(one: Local, target: str, source: str, draft: Draft, root: Path) -> list[Selected]:
    """The files of one package folder or module."""
    place = one.folder / source
    if place.is_file():
        return [Selected(path=target, file=place, mode=mode_of(place))]
    selection = select(place, root=root, python=True)
    draft.problems.extend(selection.problems)
    base = f"{target}/" if target else ""
    files = [file for file in selection.files if not _is_metadata(file.path)]
    native = next((file for file in files if _NATIVE.search(file.path)), None)
    if native is not None:
        raise refuse(
            Location(path=relative(native.file, root)),
            f"The local package {one.name} is not pure Python ({base}{native.path}), so it has to be built, which would run its code",
        )
    return [Selected(path=base + file.path, file=file.file, mode=file.mode) for file in files]


def _is_metadata(path: str) -> bool:
    """Whether a build or an editable install left it beside the packages."""
    return path.partition("/")[0].endswith((".egg-info", ".dist-info", ".egg-link"))


def _write_metadata(one: Local, laid: Mapping[str, str], draft: Draft, prefix: str) -> None:
    lines = ["Metadata-Version: 2.1", f"Name: {one.name}", f"Version: {one.version}", *one.about]
    lines += [f"Requires-Dist: {line}" for line in one.requires]
    texts = {"INSTALLER": "shipsafe\n", "METADATA": "".join(f"{line}\n" for line in lines)}
    if one.entry_points:
        groups = (f"[{group}]\n" + "".join(f"{name} = {to}\n" for name, to in sorted(table.items()))
                  for group, table in sorted(one.entry_points.items()))  # fmt: skip
        texts["entry_points.txt"] = "\n".join(groups)
    folder = draft.root / prefix / one.dist_info
    folder.mkdir(parents=True, exist_ok=True)
    rows = dict(laid)
    place = Location(path=one.files[0]) if one.files else one.location
    for file, text in texts.items():
        _note(draft, f"{prefix}{one.dist_info}/{file}", text, place)
        rows[f"{one.dist_info}/{file}"] = draft.entries[f"{prefix}{one.dist_info}/{file}"].sha256
    record = io.StringIO()
    writer = csv.writer(record, lineterminator="\n")
    for path, sha256 in sorted(rows.items()):
        digest = base64.urlsafe_b64encode(bytes.fromhex(sha256)).rstrip(b"=").decode()
        writer.writerow([path, f"sha256={digest}", draft.entries[prefix + path].size])
    writer.writerow([f"{one.dist_info}/RECORD", "", ""])
    _note(draft, f"{prefix}{one.dist_info}/RECORD", record.getvalue(), place)


def _note(draft: Draft, path: str, text: str, place: Location) -> None:
    file = draft.root / path
    file.write_text(text, encoding="utf-8")
    draft.note(path, file, Origin.CODE, place, mode=FILE_MODE)


def _version(text: str | None, shown: str, place: Location) -> str:
    if text is None:
        return UNKNOWN_VERSION
    try:
        return str(Version(text))
    except (InvalidVersion, ValueError) as error:
        raise refuse(place, f"The version {text[:40]!r} of the package in {shown} is none", "Correct it.") from error


def _check_python(project: LocalProject, shown: str, place: Location, python: str) -> None:
    if project.requires_python is None:
        return
    try:
        asked = SpecifierSet(project.requires_python)
    except InvalidSpecifier as error:
        raise refuse(place, f"requires-python of {shown} is {project.requires_python[:40]!r}", "Correct it.") from error
    if not asked.contains(f"{python}.0", prereleases=True) and not asked.contains(f"{python}.999"):
        raise refuse(place, f"The local package in {shown} is for Python {asked}, and the runtime has {python}", "Change one of the two.")
