"""Which files of a local package ship: whole package folders and modules, found by rule where its project file does not name them.

1. What the project file names: `[tool.setuptools]` (`packages`, `package-dir`, `py-modules`, `packages.find`) and the same in setup.cfg
   and setup.py, `packages` of hatch and poetry, `module-name` and `module-root` of uv_build, `[tool.flit.module]`.
2. `src/`: for setuptools everything in it, else the folder or module that is called as the package is.
3. Beside the project file: the folder or module that is called as the package is (`acme-shared` is `acme_shared`).
4. For setuptools, the only package there is beside the project file (`tests`, `docs` and the like are none).

A package folder ships whole, as an editable install sees it. Settings that move, rename or make files are refused.

Sources: the reference pages of setuptools ("Package Discovery"), hatch ("Builder configuration"), poetry, flit and uv.
"""

import posixpath
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from shipsafe.model.location import Location
from shipsafe.packing.local_project import LocalProject, as_table, as_texts, refuse

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
# setuptools' FlatLayoutPackageFinder and FlatLayoutModuleFinder leave these out.
_NO_PACKAGES = frozenset({
    "ci", "bin", "debian", "doc", "docs", "documentation", "manpages", "news", "newsfragments", "changelog", "test", "tests", "unit_test",
    "unit_tests", "example", "examples", "scripts", "tools", "util", "utils", "python", "build", "benchmark", "benchmarks", "exercise",
    "exercises", "htmlcov", "tasks", "src",
})  # fmt: skip
_NO_MODULES = frozenset({"setup", "conftest", "test", "tests", "example", "examples", "build", "toxfile", "noxfile", "pavement", "dodo",
                         "tasks", "fabfile"})  # fmt: skip


def find_modules(project: LocalProject, folder: Path, name: str, *, shown: str, place: Location) -> dict[str, str]:
    """Path in the tree -> path below the project folder, of each package folder and module; "" is the root of either.

    Args:
        project: what its files say.
        folder: the project folder, absolute and without links.
        name: the package's normalised name.
        shown: the folder, for people.
        place: who asks for it.

    Raises:
        IncompleteError: the rules do not tell, or a setting changes what is copied.
    """
    finder = _Finder(project, folder, name.replace("-", "_").replace(".", "_"), shown, place)
    found = finder.configured() or finder.discovered()
    for target, source in found.items():
        there = folder / source
        if not there.exists() or not there.resolve().is_relative_to(folder):
            raise finder.error(f"names {source!a}, which is not in its folder")
        if any(not part.isidentifier() for part in target.removesuffix(".py").split("/")) and target:
            raise finder.error(f"has the module {target!a}, which cannot be imported")
    return found


class _Finder:
    def __init__(self, project: LocalProject, folder: Path, module: str, shown: str, place: Location) -> None:
        self.project, self.folder, self.module, self.shown, self.place = project, folder, module, shown, place

    def error(self, why: str, remedy: str = "") -> Exception:
        return refuse(self.place, f"The local package in {self.shown} {why}", remedy)

    def configured(self) -> dict[str, str]:
        """What the project's file names; empty where it names nothing."""
        tools = self.project.tools
        match self.project.backend:
            case "setuptools":
                return self._setuptools(as_table(tools.get("setuptools")))
            case "hatchling":
                return self._hatch(as_table(as_table(tools.get("hatch")).get("build")))
            case "poetry":
                return self._poetry(as_table(tools.get("poetry")))
            case "uv_build":
                return self._uv(as_table(as_table(tools.get("uv")).get("build-backend")))
            case "flit" | "flit_core":
                named = as_table(as_table(tools.get("flit")).get("module")).get("name")
                return self._named(named, ("src", "")) if isinstance(named, str) else {}
            case _:
                build = as_table(as_table(tools.get("pdm")).get("build"))
                self._refuse_keys(build, ("includes", "custom-hook", "run-setup", "package-dir"), "tool.pdm.build")
                return {}

    def discovered(self) -> dict[str, str]:
        """What the layout of the folder tells."""
        setuptools = self.project.backend == "setuptools"
        if setuptools and (self.folder / "src").is_dir():
            return {"": "src"}
        found = self._at("src", self.module) or self._at("", self.module)
        if found:
            return found
        if setuptools and (only := self._only()):
            return {only: only}
        remedy = "Name its packages in its pyproject.toml (docs/guides/locks.md says how)."
        raise self.error(f"has neither src/{self.module} nor {self.module}, so that nobody can tell which of its files ship", remedy)

    def _at(self, base: str, dotted: str) -> dict[str, str]:
        """The package folder or module of that dotted name, below `base`."""
        path = dotted.replace(".", "/")
        for target in (path, f"{path}.py"):
            source = posixpath.join(base, target)
            if (self.folder / source).is_dir() if target == path else (self.folder / source).is_file():
                return {target: source}
        return {}

    def _named(self, dotted: str, bases: tuple[str, ...]) -> dict[str, str]:
        found = next((there for base in bases if _DOTTED.fullmatch(dotted) and (there := self._at(base, dotted))), {})
        if not found:
            raise self.error(f"names {dotted[:60]!a}, which is not in its folder", "Correct its pyproject.toml.")
        return found

    def _only(self) -> str:
        """The one package beside the project file, else the one module."""
        packages = [one.parent.name for one in sorted(self.folder.glob("*/__init__.py")) if one.parent.name.isidentifier()]
        packages = [one for one in packages if one not in _NO_PACKAGES]
        modules = [one.name for one in sorted(self.folder.glob("*.py")) if one.stem.isidentifier() and one.stem not in _NO_MODULES]
        if len(packages) == 1:
            return packages[0]
        return modules[0] if not packages and len(modules) == 1 else ""

    def _refuse_keys(self, table: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
        for key in keys:
            if table.get(key):
                raise self.error(f"has `{key}` in [{where}], which does more than copy packages")

    def _setuptools(self, table: Mapping[str, Any]) -> dict[str, str]:
        self._refuse_keys(table, ("ext-modules", "cmdclass", "data-files", "script-files"), "tool.setuptools")
        said = self.project.setup
        packages = table.get("packages", said.get("packages"))
        modules = as_texts(table.get("py-modules", said.get("py_modules")))
        moved = {str(key): str(value) for key, value in as_table(table.get("package-dir", said.get("package_dir"))).items()}
        found: dict[str, str] = {}
        for dotted in modules:
            found |= self._named(dotted, (moved.get("", ""),))
        if isinstance(packages, dict):
            find = as_table(packages.get("find", packages.get("find-namespace", packages)))
            return found | self._find(find, moved)
        listed = as_texts(packages)
        for dotted in listed:
            if dotted in moved:
                found[dotted.replace(".", "/")] = moved[dotted]
            elif not any(dotted.startswith(f"{other}.") for other in listed):  # else it ships with the package around it
                found |= self._named(dotted, (moved.get("", ""),))
        if not found and packages is None and moved.get(""):
            return {"": moved[""]}
        return found

    def _find(self, find: Mapping[str, Any], moved: Mapping[str, str]) -> dict[str, str]:
        """Top-level packages that setuptools' finder finds in `where`; one that is partly included ships whole."""
        include, exclude = as_texts(find.get("include")) or ["*"], as_texts(find.get("exclude"))
        found = {}
        for where in as_texts(find.get("where")) or [moved.get("", ".")]:
            if not (self.folder / where).resolve().is_relative_to(self.folder):
                raise self.error(f"names {where!a}, which is not in its folder")
            for one in sorted((self.folder / where).glob("*/")):
                wanted = any(fnmatchcase(one.name, pattern) or pattern.startswith(f"{one.name}.") for pattern in include)
                ruled_out = any(fnmatchcase(one.name, pattern) for pattern in exclude)
                if one.name.isidentifier() and wanted and not ruled_out and (any(one.rglob("*.py"))):
                    found[one.name] = posixpath.normpath(posixpath.join(where, one.name))
        if not found:
            raise self.error("has no package where setuptools is told to look", "Correct its pyproject.toml.")
        return found

    def _hatch(self, build: Mapping[str, Any]) -> dict[str, str]:
        wheel = as_table(as_table(build.get("targets")).get("wheel"))
        for table, where in ((build, "tool.hatch.build"), (wheel, "tool.hatch.build.targets.wheel")):
            keys = ("hooks", "force-include", "sources", "only-include", "include", "exclude", "artifacts")
            self._refuse_keys(table, keys, where)
        packages = as_texts(wheel.get("packages", build.get("packages")))
        return {posixpath.basename(path.rstrip("/")): posixpath.normpath(path) for path in packages}

    def _poetry(self, table: Mapping[str, Any]) -> dict[str, str]:
        self._refuse_keys(table, ("build",), "tool.poetry")
        found = {}
        packages = table.get("packages")
        for one in packages if isinstance(packages, list) else ():
            entry = as_table(one)
            include = str(entry.get("include", "")).removesuffix("/**/*").rstrip("/")
            if "to" in entry or not re.fullmatch(r"[\w./]+", include):
                raise self.error("has `packages` in [tool.poetry] that move or match files", "Name whole packages, one an entry.")
            found[include] = posixpath.normpath(posixpath.join(str(entry.get("from", "")), include))
        return found

    def _uv(self, table: Mapping[str, Any]) -> dict[str, str]:
        self._refuse_keys(table, ("data",), "tool.uv.build-backend")
        names = table.get("module-name", self.module)
        root = str(table.get("module-root", "src"))
        found: dict[str, str] = {}
        for dotted in [names] if isinstance(names, str) else as_texts(names):
            found |= self._named(dotted, (root,))
        return found
