"""Python's parser in our own process, for source that somebody may have made to exhaust it.

A tree takes up to 900 bytes for each name, number or sign of the source: a list of two million numbers in 4 MiB becomes more than 2 GiB.
So those are counted first, which takes a few milliseconds and no memory, and what has too many of them is not parsed. Ordinary code has
five bytes for each of them, so that 400 KiB of it are parsed, and any length of texts and comments beside it.

    parse(content)          # a tree, or None: it would be too large
    text_of(content)        # for whoever then looks at words
"""

import ast
import gc
import io
import re
import tokenize
import warnings
from threading import Lock

MOST = 80_000  # names, numbers and signs: 70 MB
_ONE = re.compile(rb"\w+|[^\w\s]")
_ONE_AT_A_TIME = Lock()


def parse(content: bytes) -> ast.Module | None:
    """The tree of a module, or None where it would take too much memory.

    Raises:
        SyntaxError: it cannot be parsed.
        ValueError, RecursionError, MemoryError: a null byte; nesting beyond what the parser takes.
    """
    return None if is_too_much(content) else tree_of(content)


def tree_of(source: bytes | str) -> ast.Module:
    """The tree of a module that is not too much.

    Functions are looked at in several threads. Filters of warnings are those of all threads, and Python 3.11 counts the depth of all
    trees that are built in one number: where the collector of garbage lets another thread go on meanwhile, both end with a SystemError.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as `parse`.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in their source is not our news
        collects = gc.isenabled()
        gc.disable()
        try:
            return ast.parse(source)
        finally:
            if collects:
                gc.enable()


def is_too_much(content: bytes, most: int = MOST) -> bool:
    """Whether there are more names, numbers and signs in it than that."""
    return len(content) > most and any(number >= most for number, _ in enumerate(_ONE.finditer(content)))


def text_of(content: bytes) -> str:
    """The text of a module, as its encoding is declared (PEP 263).

    Raises:
        SyntaxError, ValueError: it is declared as what it is not, or as what nobody knows.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    return content.decode(encoding)
