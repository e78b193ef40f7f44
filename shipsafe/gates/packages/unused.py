"""Whether what a function asks for is imported by anybody: what is not needed can only be attacked.

The function's own code is read, never run. A distribution is used when its code, or that of a layer of the project, imports one of its
modules or names it in a text (`importlib.import_module("psycopg2")`, `mysql+pymysql://`), when another distribution needs it, or when
it offers entry points, which are found by name.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.parsing import parse, text_of
from shipsafe.model.finding import Finding, Persona, Rule
from shipsafe.model.gate import Inquiry
from shipsafe.model.project import Function
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Distribution, Entry, Origin, Source, StagedTree

UNUSED = Rule(
    id="dependencies/unused",
    severity=Severity.LOW,
    persona=Persona.PEDANTIC,
    summary="A distribution is asked for, and nothing imports it.",
    remedy="Remove it from the requirements and lock again; where it is loaded in another way, waive it with the reason.",
    why="Every distribution makes a cold start longer and can be attacked, one that nobody uses for nothing. Only what the function asks "
    "for itself is looked at, and only imports that stand in its code or in a layer of the project.",
    bad="# requirements.txt\nrequests==2.32.5\n\n# app.py\nimport json",
    good="# requirements.txt\nrequests==2.32.5\n\n# app.py\nimport requests",
    references=("https://deptry.com/rules-violations/",),
)
_LARGEST = 4 * MEBIBYTE
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MODULE = re.compile(r"^(?P<module>[A-Za-z_][A-Za-z0-9_]*)(?:\.[A-Za-z0-9_.-]+)?\.(?:py|pyc|so|pyd)$")
_SPELLED = re.compile(rb"\\[xuUN0-7]|coding[:=]")  # escapes of letters, and other encodings
_LONGEST_TEXT = 200  # characters; a module's name in a page of prose says nothing
_PLAIN_SCRIPTS = re.compile(r"^\s*\[(?!console_scripts\]|gui_scripts\])", re.MULTILINE)


@dataclass(slots=True)
class _Uses:
    """What code imports: dotted names, and words in short texts. `unread` says whether some of it could not be read.

    `wanted` are the words that somebody asks for.
    """

    wanted: frozenset[str]
    names: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    unread: bool = False


def unused(inquiry: Inquiry) -> Iterator[Finding]:
    """One finding for each direct distribution of a function that nobody imports; none where some code could not be read."""
    subject, tree = inquiry.subject, inquiry.staged
    if not isinstance(subject, Function):
        return  # a layer is there for others
    needed = {name for one in tree.distributions for name in one.requires if name != one.name}
    asked = [one for one in tree.distributions if one.source is Source.INDEX and not one.via and one.name not in needed]
    if not asked:
        return
    owned = _owned(tree.distributions)
    uses = _Uses(wanted=frozenset({module for module in owned if "." not in module} | {one.name.replace("-", "_") for one in asked}))
    for entry in _code((tree, *inquiry.layer_trees)):
        _read(entry, uses)
    uses.names.add((subject.handler or "").replace("/", ".").rpartition(".")[0])
    if uses.unread:
        return
    for one in asked:
        if not _is_used(one, uses, owned) and not _has_entry_points(one, tree):
            yield Finding(
                rule=UNUSED.id, subject=subject.subject, message=f"{one.name} is asked for, and nothing in the function imports it.",
                remedy=UNUSED.remedy, severity=UNUSED.severity, location=one.location, key=one.name, package=one.name,
                version=one.version, path=(one.name,))  # fmt: skip


def _code(trees: Iterable[StagedTree]) -> Iterator[Entry]:
    return (entry for tree in trees for entry in tree.entries if entry.origin is Origin.CODE and entry.path.endswith(".py"))


def _read(entry: Entry, uses: _Uses) -> None:
    try:
        with entry.source.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) <= _LARGEST and not _could_name(content, uses.wanted):
            return
        tree = parse(content)
        if tree is None:  # too much to parse: any word may be an import
            uses.words |= {found[0] for found in _WORD.finditer(text_of(content)) if found[0] in uses.wanted}
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        uses.unread = True
        return
    if len(content) > _LARGEST:
        uses.unread = True
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            uses.names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            uses.names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) <= _LONGEST_TEXT:
            uses.words |= uses.wanted.intersection(_WORD.findall(node.value))


def _could_name(content: bytes, wanted: Iterable[str]) -> bool:
    """Whether code can speak of any of these: its bytes have the word, or it can spell words in another way.

    Parsing is dear, and most files of a function import none of its distributions. Identifiers of other alphabets may be the same as
    ASCII ones (PEP 3131), and a text may spell a letter by its number.
    """
    return not content.isascii() or _SPELLED.search(content) is not None or any(word.encode() in content for word in wanted)


def _owned(distributions: Iterable[Distribution]) -> dict[str, set[str]]:
    """Dotted module or package -> names of the distributions that have files there; several share a namespace package."""
    owned: dict[str, set[str]] = {}
    for one in distributions:
        for path in one.paths:
            *folders, last = path.removeprefix("python/").split("/")
            module = _MODULE.match(last)
            if module is None or not all(part.isidentifier() for part in folders):
                continue
            parts = folders if module["module"] == "__init__" else [*folders, module["module"]]
            for end in range(1, len(parts) + 1):
                owned.setdefault(".".join(parts[:end]), set()).add(one.name)
    return owned


def _is_used(one: Distribution, uses: _Uses, owned: dict[str, set[str]]) -> bool:
    """Whether an import reaches one of its modules; of a namespace that several share, the longest part that is known counts."""
    tops = {module for module, names in owned.items() if one.name in names and "." not in module}
    if not tops:
        return True  # it brings no module, so that nobody could import it: what it is for cannot be seen here
    if uses.words & tops or uses.words & {one.name.replace("-", "_")}:
        return True
    for name in uses.names:
        parts = name.split(".")
        known = next((known for end in range(len(parts), 0, -1) if (known := ".".join(parts[:end])) in owned), None)
        if known is not None and one.name in owned[known]:
            return True
    return False


def _has_entry_points(one: Distribution, tree: StagedTree) -> bool:
    """Whether it offers something that others find by name: a plugin, a driver."""
    path = f"{one.dist_info}/entry_points.txt"
    if path not in one.paths:
        return False
    tree.materialise()
    entry = next((entry for entry in tree.entries if entry.path == path), None)
    try:
        return (
            entry is not None and _PLAIN_SCRIPTS.search(entry.source.read_text(encoding="utf-8", errors="replace")[:_LARGEST]) is not None
        )
    except OSError:
        return True
