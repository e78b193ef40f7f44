"""What a project's own files say of it, read as data: `pyproject.toml`, `setup.cfg`, and a `setup.py` that only calls `setup()`.

Name, version, needs and entry points; and whether building it would do more than copy files. Where it would, it is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipsafe.adapters import toml
from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.location import Location
from shipsafe.packing.setup_files import SetupError, read_setup

_LIMIT = MEBIBYTE
# Build backends that copy files of pure Python, by the first part of their name.
_COPYING = ("setuptools", "hatchling", "poetry", "flit_core", "flit", "uv_build", "pdm")
# Needed for a build, and a sign that something is compiled.
_COMPILING = re.compile(
    r"^(cython|cffi|mypy|mypyc|setuptools[-_]rust|setuptools[-_]golang|maturin|pybind11|nanobind|scikit[-_]build(?:[-_]core)?|meson(?:[-_]python)?"
    r"|cmake|ninja|swig|numpy|sip|pythran|milksnake|hatch[-_](?:mypyc|cython|build[-_]scripts)|poetry[-_]dynamic[-_]versioning)(?![\w-])",
    re.IGNORECASE,
)
_COMPILED = ("Cargo.toml", "CMakeLists.txt", "meson.build", "build.rs", "pdm_build.py", "hatch_build.py")
_LINE = re.compile(r"[^\x00-\x1f\x7f]{1,500}")
_VERSION = re.compile(r"""^__version__\s*(?::\s*\w+\s*)?=\s*['"]([^'"\n]+)['"]""", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalProject:
    """What is known of a project without running it.

    Attributes:
        name, version, requires_python: as written, None where they are not.
        backend: the first part of its build backend's name (`setuptools` where none is named).
        tools: the tables below `[tool]`.
        setup: what `setup.cfg` and `setup.py` say to setuptools.
        dependencies: PEP 508 lines, None where its files do not tell them so that they can be read.
        entry_points: group -> name -> object.
        about: lines of METADATA that say who made it, and what it is.
        files: those that were read, relative to the project root.
    """

    name: str | None
    version: str | None
    requires_python: str | None
    backend: str
    tools: Mapping[str, Any]
    setup: Mapping[str, Any]
    dependencies: tuple[str, ...] | None
    entry_points: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    about: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def read_project(folder: Path, *, shown: str, place: Location) -> LocalProject:
    """Read the files of a project folder.

    Raises:
        IncompleteError: one cannot be read, or building it would do more than copy files.
    """
    found = next((name for name in _COMPILED if (folder / name).is_file()), None)
    if found is not None:
        raise refuse(place, f"The local package in {shown} has a {found}: it is built by code, which would run here")
    document = _pyproject(folder, shown)
    project, tools, build = (as_table(document.get(key)) for key in ("project", "tool", "build-system"))
    _check_build(build, shown, place)
    backend = str(build.get("build-backend", "setuptools")).partition(".")[0].partition(":")[0]
    try:
        setup = read_setup(folder) if backend == "setuptools" else {}  # nobody else looks at these files
    except SetupError as error:
        raise refuse(Location(path=f"{shown}/{error.file}", line=error.line), f"The local package in {shown} {error}") from error
    poetry = as_table(tools.get("poetry"))
    return LocalProject(
        name=_text(project.get("name"), poetry.get("name"), setup.get("name")),
        version=_text(project.get("version"), poetry.get("version"), setup.get("version")) or _dynamic_version(folder, tools),
        requires_python=_text(project.get("requires-python"), setup.get("python_requires")),
        backend=backend,
        tools=tools,
        setup=setup,
        dependencies=_dependencies(project, poetry, setup),
        entry_points=_entry_points(project, poetry, setup),
        about=tuple(_about(project)),
        files=tuple(f"{shown}/{name}" for name in ("pyproject.toml", "setup.cfg", "setup.py") if (folder / name).is_file()),
    )


def refuse(place: Location, what: str, remedy: str = "") -> IncompleteError:
    """The error at the place that asks for a local package; without a remedy, the way out for what has to be built."""
    way_out = (
        "Build a wheel of it, put that on an index or into a `[indexes] find-links` folder and lock again; or stage with your own tool "
        "and use `shipsafe build --prebuilt`."
    )
    return IncompleteError(f"{what}.", remedy=remedy or way_out, path=place.path, line=place.line)


def as_table(value: Any) -> dict[str, Any]:
    """A table, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def as_texts(value: Any) -> list[str]:
    """The texts of a list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else []


def _pyproject(folder: Path, shown: str) -> dict[str, Any]:
    path = folder / "pyproject.toml"
    if not path.is_file():
        return {}
    name = f"{shown}/pyproject.toml"
    try:
        return toml.loads(read_bounded(path, limit=_LIMIT, shown=name).decode())
    except ConfigError as error:
        raise IncompleteError(error.what, remedy=error.remedy, path=name) from error
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and TOMLDecodeError are ValueErrors
        raise IncompleteError(f"Not valid TOML: {error}.", remedy="Correct the file.", path=name) from error


def _check_build(build: Mapping[str, Any], shown: str, place: Location) -> None:
    """Refuse what a build would run or compile."""
    backend = str(build.get("build-backend", "setuptools.build_meta"))
    if "backend-path" in build:
        raise refuse(place, f"The local package in {shown} brings its own build backend, which would run here")
    if backend.partition(".")[0].partition(":")[0] not in _COPYING:
        raise refuse(place, f"The local package in {shown} is built by {backend[:60]!a}, of which shipsafe does not know what it would do")
    for requirement in as_texts(build.get("requires")):
        if _COMPILING.match(requirement.strip()):
            raise refuse(place, f"The local package in {shown} needs {requirement[:60]!a} to be built: it is more than a copy of its files")


def _text(*values: Any) -> str | None:
    """The first that is a text of one line."""
    return next((value for value in values if isinstance(value, str) and _LINE.fullmatch(value)), None)


def _dependencies(project: Mapping[str, Any], poetry: Mapping[str, Any], setup: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "dependencies" in project:
        return tuple(as_texts(project["dependencies"]))
    if "dependencies" in as_texts(project.get("dynamic")) and "install_requires" not in setup:
        return None
    if set(as_table(poetry.get("dependencies"))) - {"python"}:
        return None  # poetry's own grammar: a poetry.lock says what comes of it
    return tuple(as_texts(setup.get("install_requires")))


def _entry_points(project: Mapping[str, Any], poetry: Mapping[str, Any], setup: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Plugins are found through them at run time. What is not plain text is left out."""
    groups: dict[str, Any] = {
        **as_table(poetry.get("plugins")),
        **as_table(project.get("entry-points")),
        **as_table(setup.get("entry_points")),
    }
    scripts = {**as_table(poetry.get("scripts")), **as_table(project.get("scripts"))}
    if scripts:
        groups["console_scripts"] = scripts
    found = {
        group: {name: to for name, to in as_table(table).items() if _LINE.fullmatch(name) and isinstance(to, str) and _LINE.fullmatch(to)}
        for group, table in groups.items()
        if _LINE.fullmatch(group)
    }
    return {group: table for group, table in found.items() if table}


def _about(project: Mapping[str, Any]) -> Iterator[str]:
    """Of the fields that people fill in, those that an SBOM has a place for."""
    authors = project.get("authors")
    author = as_table(authors[0]) if isinstance(authors, list) and authors else {}
    licence = project.get("license")
    told = {
        "Summary": project.get("description"),
        "Author": author.get("name"),
        "Author-email": author.get("email"),
        "License": as_table(licence).get("text", licence),
    }
    for name, value in told.items():
        if text := _text(value):
            yield f"{name}: {text}"


def _dynamic_version(folder: Path, tools: Mapping[str, Any]) -> str | None:
    """The version that a file of the project holds as a constant, where its tool is told to look there."""
    hatch = as_table(as_table(tools.get("hatch")).get("version")).get("path")
    dynamic = as_table(as_table(as_table(tools.get("setuptools")).get("dynamic")).get("version"))
    attribute = dynamic.get("attr")
    names = [hatch] if isinstance(hatch, str) else []
    if isinstance(attribute, str) and re.fullmatch(r"[A-Za-z_][\w.]*", attribute):
        module = attribute.rpartition(".")[0].replace(".", "/")
        names += [f"{base}{module}{end}" for base in ("", "src/") for end in (".py", "/__init__.py")]
    elif isinstance(dynamic.get("file"), str):
        text = _inside(folder, dynamic["file"])
        return _text((text or "").strip())
    for name in names:
        if (text := _inside(folder, name)) is not None and (match := _VERSION.search(text)):
            return match[1]
    return None


def _inside(folder: Path, name: str) -> str | None:
    """The text of a small file of the project, if it is one."""
    path = folder / name
    if "\0" in name or not path.is_file() or not path.resolve().is_relative_to(folder):
        return None
    try:
        return read_bounded(path, limit=_LIMIT).decode()
    except (ConfigError, UnicodeDecodeError):
        return None
