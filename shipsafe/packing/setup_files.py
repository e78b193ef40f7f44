"""`setup.cfg` and `setup.py`, read and never run: what they say to setuptools where they say it in constants.

A `setup.py` that imports setuptools, assigns, and calls `setup()` with constants or `find_packages(...)` can be read. One that does
more computes something, and only running it would tell what. `description`, `author` and other words that decide nothing may be
anything.
"""

import ast
import configparser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.adapters.parsing import is_too_much, tree_of
from shipsafe.errors import ConfigError

_LIMIT = MEBIBYTE
# What decides what ships. `packages` may be a call of one of the finders.
_TOLD = ("name", "version", "packages", "package_dir", "py_modules", "install_requires", "python_requires", "entry_points")
# What runs or compiles something, or puts files where nobody can tell.
_BUILT = ("ext_modules", "ext_package", "cmdclass", "cffi_modules", "rust_extensions", "libraries", "setup_requires", "use_scm_version",
          "distclass", "data_files", "scripts", "command_packages", "build_golang", "mypyc_modules")  # fmt: skip
_FINDERS = ("find_packages", "find_namespace_packages")


class SetupError(Exception):
    """Only running it would tell: why, in `file` at `line`."""

    def __init__(self, why: str, file: str, line: int | None = None) -> None:
        super().__init__(why)
        self.file, self.line = file, line


def read_setup(folder: Path) -> dict[str, Any]:
    """Keyword -> value of what the two files say, setup.py's last; `packages` is a list, or `{"find": {where, include, exclude}}`.

    Raises:
        SetupError: they cannot be read as data.
    """
    return {**_read_cfg(folder / "setup.cfg"), **_read_py(folder / "setup.py")}


def _text(path: Path) -> str:
    try:
        return read_bounded(path, limit=_LIMIT, shown=path.name).decode()
    except (ConfigError, UnicodeDecodeError) as error:
        raise SetupError(f"has a {path.name} that cannot be read", path.name) from error


def _read_cfg(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    try:
        parser.read_string(_text(path))
    except configparser.Error as error:
        raise SetupError(f"has a setup.cfg that cannot be read: {str(error).splitlines()[0]}", path.name) from error
    options = parser["options"] if parser.has_section("options") else {}
    for key in ("setup_requires", "data_files", "scripts", "cmdclass"):
        if key in options or parser.has_section(f"options.{key}"):
            raise SetupError(f"has `{key}` in its setup.cfg", path.name)
    said = _packages(parser, options)
    metadata = parser["metadata"] if parser.has_section("metadata") else {}
    said |= {key: metadata[key].strip() for key in ("name", "version") if key in metadata}
    if said.get("version", "").startswith(("attr:", "file:")):
        del said["version"]
    if "install_requires" in options:  # one a line: a semicolon begins a marker
        said["install_requires"] = [line.strip() for line in options["install_requires"].splitlines() if line.strip()]
    if "python_requires" in options:
        said["python_requires"] = options["python_requires"].strip()
    if parser.has_section("options.entry_points"):
        said["entry_points"] = _points({group: text.splitlines() for group, text in parser["options.entry_points"].items()})
    return said


def _packages(parser: configparser.ConfigParser, options: Mapping[str, str]) -> dict[str, Any]:
    """What setup.cfg says of packages and modules."""
    said: dict[str, Any] = {key: options[key].replace(",", "\n").split() for key in ("py_modules", "packages") if key in options}
    if "package_dir" in options:
        pairs = (line.partition("=") for line in options["package_dir"].replace(",", "\n").splitlines() if line.strip())
        said["package_dir"] = {key.strip(): value.strip() for key, _, value in pairs}
    if said.get("packages") in (["find:"], ["find_namespace:"]):
        find = parser["options.packages.find"] if parser.has_section("options.packages.find") else {}
        said["packages"] = {"find": {key: find[key].replace(",", "\n").split() for key in ("where", "include", "exclude") if key in find}}
    return said


def _points(groups: Any) -> dict[str, dict[str, str]]:
    """`name = module:object` lines as a table."""
    found: dict[str, dict[str, str]] = {}
    for group, lines in groups.items() if isinstance(groups, dict) else ():
        pairs = (str(line).partition("=") for line in (lines if isinstance(lines, list | tuple) else [lines]) if str(line).strip())
        found[str(group)] = {name.strip(): to.strip() for name, _, to in pairs}
    return found


def _read_py(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    text = _text(path)
    if is_too_much(text.encode()):
        raise SetupError("has a setup.py that is too much to be parsed", path.name)
    try:
        tree = tree_of(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SetupError("has a setup.py that is not Python", path.name) from error
    return _Script(path.name).read(tree)


class _Script:
    """One setup.py: the values that it has assigned so far, and what it calls `setup()` with."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[str, Any] = {}
        self.said: dict[str, Any] | None = None

    def read(self, tree: ast.Module) -> dict[str, Any]:
        """What `setup()` is called with."""
        self._walk(tree.body)
        if self.said is None:
            raise SetupError("has a setup.py that does not call setup()", self.file)
        return self.said

    def _walk(self, body: list[ast.stmt]) -> None:
        for statement in body:
            match statement:
                case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                    continue
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._assign(name, value)
                case ast.With(body=inner) if all(isinstance(one, ast.Assign) for one in inner):
                    self._walk(inner)
                case ast.If(test=ast.Compare(left=ast.Name(id="__name__")), body=inner, orelse=[]):
                    self._walk(inner)
                case ast.Expr(value=ast.Call(func=ast.Name(id="setup") | ast.Attribute(attr="setup"), args=[]) as call) if (
                    self.said is None
                ):
                    self.said = dict(self._keyword(one) for one in call.keywords)
                    self.said = {key: value for key, value in self.said.items() if key}
                case _:
                    raise self._computes(statement)

    def _assign(self, name: str, value: ast.expr) -> None:
        try:
            self.values[name] = self._value(value)
        except ValueError:
            self.values.pop(name, None)  # it matters only where something that decides is made of it

    def _keyword(self, keyword: ast.keyword) -> tuple[str, Any]:
        name = keyword.arg
        if name is None or name in _BUILT:
            raise self._computes(keyword.value, f"gives {'**' if name is None else name} to setup()")
        if name not in _TOLD:
            return "", None
        try:
            value = self._value(keyword.value)
        except ValueError as error:
            raise self._computes(keyword.value, f"computes {name}") from error
        return name, _points(value) if name == "entry_points" else value

    def _value(self, node: ast.expr) -> Any:
        """The value of an expression; ValueError where only running it would tell."""
        match node:
            case ast.Name(id=name) if name in self.values:
                return self.values[name]
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords) if name in _FINDERS:
                found = dict(zip(("where", "exclude", "include"), (ast.literal_eval(one) for one in args), strict=False))
                found |= {one.arg or "": ast.literal_eval(one.value) for one in keywords}
                if not all(isinstance(value, str | list | tuple) for value in found.values()):
                    raise ValueError(name)
                return {"find": {key: [value] if isinstance(value, str) else list(value) for key, value in found.items()}}
        try:
            return ast.literal_eval(node)
        except (TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise ValueError(str(error)) from error

    def _computes(self, node: ast.AST, why: str = "does more than call setup()") -> SetupError:
        return SetupError(
            f"has a setup.py that {why}, so that only running it would tell what it is", self.file, getattr(node, "lineno", None)
        )
