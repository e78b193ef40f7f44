"""Whether a handler is there: found by parsing, never by importing.

Lambda's handler `src/orders.app.run` (slashes allowed in the module) is `run` in `src/orders/app.py`, or in `src/orders/app/__init__.py`.
Source: AWS, "Define Lambda function handler in Python".
"""

import ast
import warnings
from collections.abc import Iterable
from enum import StrEnum

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.model.tree import Entry

_LARGEST = 5 * MEBIBYTE


class Answer(StrEnum):
    """What can be said of a handler."""

    THERE = "there"
    NO_MODULE = "no module"
    NO_NAME = "no name"
    BROKEN = "broken"
    MALFORMED = "malformed"
    UNCLEAR = "unclear"  # a star import or a module-level __getattr__ may provide it


def find_python(handler: str, entries: Iterable[Entry], prefixes: tuple[str, ...] = ("",)) -> tuple[Answer, Entry | None, str]:
    """Look for a Python handler.

    Args:
        handler: as the template has it.
        entries: the files of the function, and of its layers.
        prefixes: folders of the tree that are on the path (`python/` in a layer).

    Returns:
        What can be said, the file of the module where there is one, and a detail (a syntax error with its line).
    """
    module, dot, name = handler.replace("/", ".").rpartition(".")
    if not dot or not all(part.isidentifier() or "-" in part for part in module.split(".")) or not name.isidentifier():
        return Answer.MALFORMED, None, ""
    path = module.replace(".", "/")
    candidates = [f"{prefix}{path}{end}" for prefix in prefixes for end in (".py", "/__init__.py")]
    by_path = {entry.path: entry for entry in entries}
    entry = next((by_path[candidate] for candidate in candidates if candidate in by_path), None)
    if entry is None:
        compiled = any(other.startswith(f"{prefix}{path}.") and other.endswith(".so") for other in by_path for prefix in prefixes)
        return (Answer.UNCLEAR if compiled else Answer.NO_MODULE), None, path
    return _in_module(entry, name)


def _in_module(entry: Entry, name: str) -> tuple[Answer, Entry, str]:
    if entry.size > _LARGEST:
        return Answer.UNCLEAR, entry, "the module is too large to parse"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the code may be warned of is not our question
            tree = ast.parse(entry.source.read_bytes())
    except SyntaxError as error:
        return Answer.BROKEN, entry, f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return Answer.BROKEN, entry, str(error) or type(error).__name__
    names, open_ended = _names(tree.body)
    if name in names:
        return Answer.THERE, entry, ""
    return (Answer.UNCLEAR if open_ended else Answer.NO_NAME), entry, name


def _names(body: list[ast.stmt]) -> tuple[set[str], bool]:
    """Names that a module binds at its top level (under if, try and with, too), and whether it may bind others."""
    names: set[str] = set()
    open_ended = False
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            open_ended |= node.name == "__getattr__"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            open_ended |= any(alias.name == "*" for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)}
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While | ast.TryStar):
            for inner in _blocks(node):
                more, also_open = _names(inner)
                names |= more
                open_ended |= also_open
    return names, open_ended


def _blocks(node: ast.stmt) -> Iterable[list[ast.stmt]]:
    for attribute in ("body", "orelse", "finalbody"):
        yield getattr(node, attribute, [])
    for handler in getattr(node, "handlers", []):
        yield handler.body
