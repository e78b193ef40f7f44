"""Functions of a plain folder: Python files that define a handler, `def handler(event, context)`.

Nothing is imported or run. What is found is a proposal that a person sees before it is written: the policy then names the functions.
"""

import ast
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.adapters.parsing import parse
from shipsafe.errors import ConfigError
from shipsafe.packing.runtimes import lookup
from shipsafe.starting.answers import Handler, plain_name, plain_path, slug
from shipsafe.starting.walk import folders

# Files whose name says nothing: such a function is called as its folder is.
_NAMELESS = frozenset(("app", "function", "handler", "index", "lambda", "lambda_function", "lambda_handler", "main"))
_MOST_FILES = 2000
_MOST = 200
_ARGUMENTS = 2
_NEWEST = "python3.13"
_VERSION = ".python-version"
IGNORE = ".shipsafeignore"
IGNORED = """\
# What lies beside the code and does not ship. The syntax is that of .gitignore. From `shipsafe init`.
/.github/
/.gitlab-ci.yml
/bitbucket-pipelines.yml
/buildspec*.yml
/shipsafe.toml
/shipsafe-baseline.toml
/tests/
/docs/
/dist/
/*.md
"""


def handlers(root: Path, *, project: str) -> tuple[Handler, ...]:
    """The handlers in a folder and below it, the nearest first.

    Args:
        root: the folder; `.python-version` in it names the runtime.
        project: the name of a function that lies in the folder itself.

    Raises:
        ConfigError: there are more than 200, two would have one name, or a path cannot be written down.
    """
    runtime, found = _runtime(root), dict[str, Handler]()
    for file in islice(_modules(root), _MOST_FILES):
        called = _handler(file)
        if called is None:
            continue
        folder = file.parent.relative_to(root).as_posix()
        own = file.parent.name if file.parent != root else project
        name = plain_name(own if file.stem in _NAMELESS else file.stem) or slug(file.stem)
        if name.casefold() in found:  # orders/get.py and users/get.py
            name = f"{plain_name(own) or slug(own)}-{name}"
        if name.casefold() in found or len(found) >= _MOST:
            what = f"There are more than {_MOST} handlers." if len(found) >= _MOST else f"Two functions would be called {name}."
            raise ConfigError(what, remedy="Name functions under [[functions]] in shipsafe.toml yourself, then run this again.")
        code = plain_path(folder, "folder")
        found[name.casefold()] = Handler(name=name, handler=f"{file.stem}.{called}", runtime=runtime, code=code)
    return tuple(found.values())


def _runtime(root: Path) -> str:
    """As `.python-version` says, where Lambda has that."""
    try:
        said = read_bounded(root / _VERSION, limit=MEBIBYTE).decode(errors="replace").split("\n")[0].strip()
    except ConfigError:  # there is none, or it is nothing to read
        return _NEWEST
    name = f"python{'.'.join(said.split('.')[:2])}"
    return name if lookup(name) else _NEWEST


def _modules(root: Path) -> Iterator[Path]:
    for folder, files in folders(root):
        for name in files:
            stem, dot, ending = name.rpartition(".")
            if dot and ending == "py" and stem.isidentifier() and stem.isascii():
                yield folder / name


def _handler(file: Path) -> str | None:
    """The function that Lambda would call: the first of a module with `(event, context)`."""
    try:
        tree = parse(read_bounded(file, limit=MEBIBYTE))
    except (ConfigError, SyntaxError, ValueError, RecursionError, MemoryError):  # nothing that Lambda could run, or too large to tell
        return None
    for node in tree.body if tree else ():
        if isinstance(node, ast.FunctionDef) and node.name.isascii():
            names = [one.arg.strip("_") for one in (*node.args.posonlyargs, *node.args.args)]
            if len(names) == _ARGUMENTS and names[0].endswith("event") and names[1] in ("context", "ctx"):
                return node.name
    return None
