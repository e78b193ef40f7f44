"""Source of others in our own parser: what is ordinary is parsed, and nobody makes us hold gigabytes."""

import ast
import gc
import sys
import threading
import time
import typing
from pathlib import Path

import pytest

from shipsafe.adapters.parsing import MOST, is_too_much, parse
from shipsafe.model.tree import FILE_MODE, Entry, Origin
from shipsafe.packing.handler import Answer, find_python
from shipsafe.packing.setup_files import SetupError, read_setup

LIST = b"data = [" + b"0," * 2_000_000 + b"]\n"
NEWER = f"3.{sys.version_info.minor + 1}"  # than the one that runs the tests


def handler(folder: Path, source: bytes, name: str = "handler") -> tuple[Answer, str]:
    """What is said of a handler in a module of that source."""
    file = folder / "app.py"
    file.write_bytes(source)
    entry = Entry(path="app.py", mode=FILE_MODE, size=len(source), sha256="", source=file, origin=Origin.CODE)
    found = find_python(f"app.{name}", {"app.py": entry}, {}, python=NEWER)
    return found.answer, found.message


def test_a_long_file_of_ordinary_code_is_parsed() -> None:
    source = Path(typing.__file__).read_bytes()
    assert len(source) > 100_000
    assert ast.dump(parse(source) or ast.Module([], [])) == ast.dump(ast.parse(source))


def test_two_threads_build_their_trees_though_garbage_is_collected_meanwhile() -> None:
    """Whatever Python runs for it lets the other thread go on; here it waits for the other."""
    source = b"".join(b"def f%d(a):\n    return [b for b in a if b or (b and %d)]\n" % (number, number) for number in range(200))
    first, meanwhile, done, collected = threading.current_thread(), threading.Event(), threading.Event(), 0

    def beside() -> None:
        meanwhile.wait(timeout=120)
        parse(source)
        done.set()

    def collect(_phase: str, _info: object) -> None:
        nonlocal collected
        collected += threading.current_thread() is first
        if collected == 40:  # in the middle of the tree
            meanwhile.set()
            done.wait(timeout=120)

    other, usual = threading.Thread(target=beside), gc.get_threshold()
    other.start()
    gc.callbacks.append(collect)
    gc.set_threshold(100)
    try:
        assert parse(source) is not None
    finally:
        gc.set_threshold(*usual)
        gc.callbacks.remove(collect)
        meanwhile.set()
        other.join()


@pytest.mark.parametrize("source", [LIST, b"a;" * MOST, b"x = [" + b"a," * MOST + b"]", b"f'" + b"{a}" * MOST + b"'"])
def test_what_becomes_a_large_tree_is_not_parsed_and_takes_no_time(source: bytes) -> None:
    begun = time.process_time()
    assert parse(source) is None
    assert time.process_time() - begun < 1


def test_texts_and_comments_of_any_length_are_parsed() -> None:
    assert parse(b"text = '" + b"x" * 4_000_000 + b"'\n# " + b"y" * 1_000_000) is not None


def test_of_a_file_that_is_too_much_the_handler_is_missing_only_where_its_name_does_not_stand_in_it(tmp_path: Path) -> None:
    assert handler(tmp_path, LIST + b"def handler(e, c): ...\n") == (
        Answer.UNKNOWN,
        "app.py is too much to be parsed, so whether it has 'handler' was not found out.",
    )
    assert handler(tmp_path, LIST + b"def main(e, c): ...\n") == (Answer.MISSING, "app.py has no 'handler'.")


@pytest.mark.parametrize("more", [b"from web import *\n", b"from web import \\\n *\n", b"def __getattr__(name): ...\n", "# é\n".encode()])
def test_of_a_file_that_is_too_much_nothing_is_guessed(tmp_path: Path, more: bytes) -> None:
    assert handler(tmp_path, LIST + more)[0] is Answer.UNKNOWN


def test_a_file_that_is_too_much_and_not_what_it_says_it_is_is_no_python(tmp_path: Path) -> None:
    assert handler(tmp_path, b"# coding: nothing-like-it\n" + LIST)[0] is Answer.UNREAD  # a newer Python might know it
    assert handler(tmp_path, b"# coding: utf-8\n# \xe9\n" + LIST)[0] is Answer.UNREAD


def test_a_hint_is_not_looked_for_among_thousands_of_names(tmp_path: Path) -> None:
    begun = time.process_time()
    source = "".join(f"h{number:06d}andlerhandlerhandler=0\n" for number in range(20_000)).encode()
    answer, message = handler(tmp_path, source, "handlerhandlerhandlerxx")
    assert (answer, message) == (Answer.MISSING, "app.py has no 'handlerhandlerhandlerxx'.")
    assert time.process_time() - begun < 2
    assert "Did you mean 'handler'?" in handler(tmp_path, b"handler = 1\n", "handlr")[1]


def test_a_setup_that_is_too_much_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_bytes(b"data = [" + b"0," * MOST + b"]\nfrom setuptools import setup\nsetup(name='x')\n")
    with pytest.raises(SetupError, match="too much"):
        read_setup(tmp_path)
    assert is_too_much((tmp_path / "setup.py").read_bytes())
