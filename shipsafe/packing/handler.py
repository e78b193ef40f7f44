"""Where a handler is, found by parsing: nothing of the audited code is imported or run.

    app.handler          app.py or app/__init__.py must bind `handler`
    api/orders.handler   api/orders.py (the runtime turns `/` into `.`)

Layers are looked at where Lambda puts them (`/opt/python`, `/opt/python/lib/python3.13/site-packages`). What parsing cannot
tell (`from x import *`, a module `__getattr__`, an extension module) is said, not guessed.

Sources: awslambdaric `bootstrap._get_handler`; Lambda's Node.js runtime interface client, `UserFunction.js`; "Lambda runtime
API", `bootstrap`; https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html.
"""

import ast
import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.adapters.parsing import parse, text_of
from shipsafe.errors import ConfigError
from shipsafe.model.tree import Entry, StagedTree

_LARGEST = 8 * MEBIBYTE
_MANY, _LONG = 2_000, 80  # names, and characters of a name, that are compared for a hint
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Answer(StrEnum):
    """Whether the handler is there."""

    FOUND = "found"
    MISSING = "missing"
    UNKNOWN = "unknown"  # parsing cannot tell
    UNREAD = "unread"  # our parser refuses the file, and the runtime's is newer


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """The answer, as a sentence where it is not `found`; `entry` and `line` say where to look."""

    answer: Answer
    message: str = ""
    entry: Entry | None = None
    line: int | None = None
    module_found: bool = False


Files = Mapping[str, Entry]  # path as it lies on the module search path -> file


def find(runtime: str, handler: str, tree: StagedTree, layers: Iterable[StagedTree], *, python: str | None) -> Handler:
    """Look for a handler in a function's tree and in the trees of those of its layers that are known.

    Args:
        runtime: such as `python3.13`; for languages that are not looked into the answer is `unknown`, and says so.
        handler: as the template has it.
        tree: the function's.
        layers: of the project's own layers that it uses.
        python: the Python of the runtime, such as `3.13`, where it has one.
    """
    code = {entry.path: entry for entry in tree.entries}
    beside = [entry for layer in layers for entry in layer.entries]
    if runtime.startswith("python"):
        roots = (f"python/lib/python{python}/site-packages/", "python/")
        below = {entry.path.removeprefix(root): entry for root in reversed(roots) for entry in beside if entry.path.startswith(root)}
        return find_python(handler, code, below, python=python)
    if runtime.startswith("nodejs"):
        return find_node(handler, code)
    if runtime.startswith("provided"):
        return find_bootstrap(code, {entry.path: entry for entry in beside})
    return Handler(answer=Answer.UNKNOWN, message=f"Whether {handler} is there is not looked at for {runtime}.", module_found=True)


def find_python(handler: str, code: Files, layers: Files, *, python: str | None) -> Handler:
    """Look for a Python handler.

    Args:
        handler: as the template has it.
        code: files of the function, as they lie below /var/task.
        layers: files of the layers that are known, as they lie below a folder from which Python imports.
        python: the runtime's Python, such as `3.13`.
    """
    module, dot, name = handler.rpartition(".")
    if not dot or not module or not name:
        return Handler(answer=Answer.MISSING, message=f"The handler {handler!r} is not of the form MODULE.FUNCTION.")
    path = module.replace(".", "/")
    for files in (code, layers):
        for candidate in (f"{path}/__init__.py", f"{path}.py"):
            if candidate in files:
                return _in_file(files[candidate], name, python)
        compiled = [*(f"{path}{suffix}" for suffix in (".so", ".pyc")), f"{path}/__init__.pyc"]
        if any(one in files for one in compiled) or any(_is_extension(one, path) for one in files):
            return Handler(
                answer=Answer.UNKNOWN, message=f"The module of handler {handler} is compiled and was not looked into.", module_found=True
            )
    near = _near(path, [one.removesuffix(".py") for one in code if one.endswith(".py")])
    hint = f" Did you mean {near.replace('/', '.')}.{name}?" if near else ""
    return Handler(answer=Answer.MISSING, message=f"There is no {path}.py for handler {handler}.{hint}")


def _is_extension(path: str, module: str) -> bool:
    return path.startswith(f"{module}.") and path.endswith(".so") and "/" not in path[len(module) :]


def _in_file(entry: Entry, name: str, python: str | None) -> Handler:
    try:
        source = read_bounded(entry.source, limit=_LARGEST, shown=entry.path)
        module = parse(source)
        if module is None:
            return _in_much(entry, text_of(source), name)
    except ConfigError as error:
        return Handler(answer=Answer.UNKNOWN, message=f"{entry.path} was not parsed: {error.what}", entry=entry, module_found=True)
    except SyntaxError as error:
        return _unparsed(entry, f"{entry.path} line {error.lineno or 1} cannot be parsed: {error.msg}.", error.lineno, python)
    except (ValueError, RecursionError, MemoryError) as error:
        # A null byte; nesting beyond what the parser takes.
        return _unparsed(entry, f"{entry.path} cannot be parsed: {str(error) or type(error).__name__}.", None, python)
    bound = set(_bindings(module))
    if name in bound:
        return Handler(answer=Answer.FOUND, entry=entry, module_found=True)
    if "*" in bound or "__getattr__" in bound:
        why = "imports *" if "*" in bound else "has a __getattr__"
        return Handler(
            answer=Answer.UNKNOWN,
            message=f"{entry.path} {why}, so whether it has {name!r} was not found out.",
            entry=entry,
            module_found=True,
        )
    near = _near(name, sorted(bound))
    hint = f" Did you mean {near!r}?" if near else ""
    return Handler(answer=Answer.MISSING, message=f"{entry.path} has no {name!r}.{hint}", entry=entry, module_found=True)


def _in_much(entry: Entry, text: str, name: str) -> Handler:
    """A file that is too much to parse has no handler whose name does not even stand in it, unless it can bind names without that."""
    if text.isascii() and not re.search(rf"\b{re.escape(name)}\b|\b__getattr__\b|\bimport\b[\s\\]*\*", text):
        return Handler(answer=Answer.MISSING, message=f"{entry.path} has no {name!r}.", entry=entry, module_found=True)
    message = f"{entry.path} is too much to be parsed, so whether it has {name!r} was not found out."
    return Handler(answer=Answer.UNKNOWN, message=message, entry=entry, module_found=True)


def _near(name: str, others: Sequence[str]) -> str:
    """What somebody may have meant, or "": comparing takes time for each pair of characters, so not of many and not of long ones."""
    short = [one for one in others if len(one) <= _LONG] if len(name) <= _LONG and len(others) <= _MANY else []
    return next(iter(difflib.get_close_matches(name, short, n=1)), "")


def _unparsed(entry: Entry, message: str, line: int | None, python: str | None) -> Handler:
    """A file that our parser refuses is broken, unless the function runs on a newer Python than we do."""
    wanted = tuple(int(part) for part in (python or "").split(".") if part.isdigit())
    if wanted > sys.version_info[:2]:
        text = f"{message} It may be right for Python {python}: run `uvx --python {python} shipsafe check`."
        return Handler(answer=Answer.UNREAD, message=text, entry=entry, line=line, module_found=True)
    return Handler(answer=Answer.MISSING, message=message, entry=entry, line=line, module_found=True)


def _bindings(module: ast.Module) -> Iterator[str]:
    """Names that the module binds when it is imported; `*` for a star import. Without recursion: the source may be hostile."""
    todo: list[ast.AST] = list(module.body)
    while todo:
        node = todo.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.ImportFrom() | ast.Import():
                yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.MatchAs() | ast.MatchStar() if node.name:
                yield node.name
            case ast.MatchMapping() if node.rest:
                yield node.rest
        if not isinstance(node, _SCOPES):
            todo.extend(ast.iter_child_nodes(node))


def find_node(handler: str, code: Files) -> Handler:
    """Look for the file of a Node.js handler; its exports are not looked at."""
    folder, slash, base = handler.rpartition("/")
    module, dot, name = base.partition(".")
    if not dot or not module or not name:
        return Handler(answer=Answer.MISSING, message=f"The handler {handler!r} is not of the form FILE.FUNCTION.")
    path = f"{folder}{slash}{module}".removeprefix("./")
    if path.startswith("/"):
        return Handler(answer=Answer.UNKNOWN, message=f"The handler {handler} lies outside the package and was not looked at.")
    for candidate in (path, f"node_modules/{path}"):
        names = (candidate, *(f"{candidate}{suffix}" for suffix in (".js", ".mjs", ".cjs", "/index.js", "/index.mjs", "/package.json")))
        for one in names:
            if one in code:
                return Handler(answer=Answer.FOUND, entry=code[one], module_found=True)
    for suffix in (".ts", ".mts", ".cts", ".tsx"):
        if path + suffix in code:
            message = f"{path}{suffix} is TypeScript, which Lambda does not run; there is no {path}.js for handler {handler}."
            return Handler(answer=Answer.MISSING, message=message, entry=code[path + suffix])
    return Handler(answer=Answer.MISSING, message=f"There is no {path}.js, .mjs or .cjs for handler {handler}.")


def find_bootstrap(code: Files, layers: Files) -> Handler:
    """Look for what a custom runtime starts: an executable `bootstrap` in the package, else in a layer."""
    entry = code.get("bootstrap") or layers.get("bootstrap")
    if entry is None:
        return Handler(answer=Answer.MISSING, message="There is no `bootstrap` at the top, which a custom runtime starts.")
    if not entry.mode & 0o100:
        return Handler(answer=Answer.MISSING, message="`bootstrap` is not executable.", entry=entry, module_found=True)
    return Handler(answer=Answer.FOUND, entry=entry, module_found=True)
