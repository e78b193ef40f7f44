"""What many functions share is copied once."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shipsafe.packing.copies import Copies


def test_a_second_tree_gets_a_link_to_the_first_copy_and_never_to_the_source(tmp_path: Path) -> None:
    source, copies = tmp_path / "app.py", Copies()
    source.write_text("one")
    first, second = copies.put(source, tmp_path / "a"), copies.put(source, tmp_path / "b")
    assert first == second
    assert (first.size, first.sha256) == (3, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed")
    assert (tmp_path / "a").samefile(tmp_path / "b")
    assert not (tmp_path / "a").samefile(source)


def test_all_functions_of_a_run_ship_one_state_of_a_file(tmp_path: Path) -> None:
    source, copies = tmp_path / "app.py", Copies()
    source.write_text("one")
    copies.put(source, tmp_path / "a")
    source.write_text("two")
    assert copies.put(source, tmp_path / "b").size == 3
    assert (tmp_path / "b").read_text() == "one"


@pytest.mark.parametrize("gone", [True, False], ids=["the first copy is gone", "there are no links"])
def test_what_cannot_be_linked_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, gone: bool) -> None:
    source, copies = tmp_path / "app.py", Copies()
    source.write_text("one")
    copies.put(source, tmp_path / "a")
    if gone:
        (tmp_path / "a").unlink()
    else:
        monkeypatch.setattr(os, "link", _refuse)
    assert copies.put(source, tmp_path / "b").file == tmp_path / "b"
    assert (tmp_path / "b").read_text() == "one"


def test_many_threads_may_put_the_same_file(tmp_path: Path) -> None:
    source, copies = tmp_path / "app.py", Copies()
    source.write_text("one")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: copies.put(source, tmp_path / str(number)), range(50)))
    assert len({one.sha256 for one in made}) == 1
    assert all((tmp_path / str(number)).read_text() == "one" for number in range(50))


def test_two_threads_that_put_a_file_which_somebody_writes_ship_one_state_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, copies, copy = tmp_path / "app.py", Copies(), shutil.copyfile
    source.write_text("one")

    def written_meanwhile(one: Path, other: Path) -> None:
        copy(one, other)
        source.write_text(f"{source.read_text()} more")
        time.sleep(0.1)  # for the other, who waits

    monkeypatch.setattr(shutil, "copyfile", written_meanwhile)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda name: copies.put(source, tmp_path / name), "ab"))
    assert made[0] == made[1]
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()


def _refuse(_source: Path, _target: Path) -> None:
    raise OSError
