"""Just enough of HCL's syntax: where an expression ends, its elements, the holes of its texts. Nothing is evaluated here."""

import re
from collections.abc import Iterator, Sequence

_LINES = 200  # of one expression
_LONGEST = 16_384
_CLOSING = {"(": ")", "[": "]", "{": "}", "${": "}", '"': '"'}
_CODE = re.compile(r"#[^\n]*|//[^\n]*|/\*.{0,512}?\*/|.", re.DOTALL)
_TEXT = re.compile(r"\\.|\$\{|.", re.DOTALL)
_COMMENT = ("#", "//", "/*")
_CALL = re.compile(r"(?P<name>[a-z]+)\((?P<inner>.*)\)", re.DOTALL)


def expression(lines: Sequence[str], number: int, column: int) -> str | None:
    """The expression that begins in a line (from 1) at a column (from 0), without comments; None where it has no end or is too long."""
    text = "\n".join(lines[number - 1 : number - 1 + _LINES])[column:][:_LONGEST]
    kept: list[str] = []
    for mark, depth in _walk(f"{text}\n"):
        if mark == "\n" and not depth:
            found = "".join(kept).strip()
            return found if found and not found.startswith("<<") else None
        kept.append(mark)
    return None


def elements(text: str) -> list[str] | None:
    """The elements of `[a, b]`, None for what is no such list."""
    if not (text.startswith("[") and text.endswith("]")) or text[1:].lstrip().startswith("for "):
        return None
    return _split(text[1:-1])


def call(text: str) -> tuple[str, list[str]] | None:
    """Name and arguments of `name(a, b)`, None for what is no such call."""
    found = _CALL.fullmatch(text)
    parts = _split(found["inner"]) if found else None
    return (found["name"], parts) if found and parts is not None else None


def holes(text: str) -> list[tuple[str, bool]] | None:
    """The parts of a quoted text, and whether each is an expression in `${}`; None for what is no quoted text."""
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')) or "\\" in text or "%{" in text or "$${" in text:  # noqa: PLR2004 - quotes
        return None
    parts: list[tuple[str, bool]] = []
    rest = text[1:-1]
    while "${" in rest:
        before, _, rest = rest.partition("${")
        inner, closed, rest = rest.partition("}")
        if not closed or any(mark in inner for mark in '"{'):
            return None
        parts += [(before, False), (inner.strip(), True)]
    return None if '"' in rest else [*parts, (rest, False)]


def _split(text: str) -> list[str] | None:
    """At commas that stand in no bracket and no text; None where brackets do not match."""
    parts, current, depth = [], list[str](), 0
    for mark, depth in _walk(text):
        if mark == "," and not depth:
            parts.append("".join(current).strip())
            current = []
        else:
            current.append(mark)
    parts.append("".join(current).strip())
    if depth:
        return None
    return parts if parts[-1] else parts[:-1]  # a comma may stand after the last one


def _walk(text: str) -> Iterator[tuple[str, int]]:
    """Everything but comments, and how many brackets and texts are open after it; -1 where one is closed that is not open."""
    stack: list[str] = []
    index = 0
    while index < len(text):
        in_text = bool(stack) and stack[-1] == '"'
        found = (_TEXT if in_text else _CODE).match(text, index)
        mark = found[0] if found else text[index]
        index += len(mark)
        if not in_text and mark.startswith(_COMMENT):
            continue
        if stack and mark == stack[-1]:
            stack.pop()
        elif mark in _CLOSING and (not in_text or mark == "${"):
            stack.append(_CLOSING[mark])
        elif mark in ")]}" and not in_text:
            yield mark, -1
            return
        yield mark, len(stack)
