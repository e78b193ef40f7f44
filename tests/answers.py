"""Caches that a test opens without a run around them: they are let go of when it ends, as a run lets go of its own."""

from contextlib import ExitStack, closing
from pathlib import Path

from shipsafe.adapters.cache import Cache, open_cache

OPEN = ExitStack()  # closed after each test (conftest.py)


def answers_of(folder: Path) -> Cache:
    """The answers that are kept in a cache folder, until the end of the test."""
    return OPEN.enter_context(closing(open_cache(folder)))
