"""Each row of docs/tampering.md is a test: what is done, the exit code, the first sentence, and the links that do not hold."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shipsafe.local.endpoint import Endpoint, start
from shipsafe.local.pki import LocalRoot
from tests.local_endpoint import set_environment
from tests.tampering import rows_day, rows_evidence, rows_guard, rows_kept, rows_live, rows_override, rows_signature, rows_zip
from tests.tampering.table import PAGE, Group, Row, line, lines_of, page, printed
from tests.tampering.trial import Trial
from tests.tampering.world import World, make_world, shipsafe

WRITE = "SHIPSAFE_WRITE_TABLE" in os.environ
MODULES = (rows_zip, rows_evidence, rows_signature, rows_live, rows_guard, rows_kept, rows_override, rows_day)
GROUPS = [group for module in MODULES for group in vars(module).values() if isinstance(group, Group)]
ROWS = [row for group in GROUPS for row in group.rows]
_written: dict[str, str] = {}


@pytest.fixture(scope="module")
def endpoint(local_root: LocalRoot) -> Iterator[Endpoint]:
    with start(delay=timedelta(), root=local_root) as endpoint:
        endpoint.functions.configure({"creating": 0, "updating": 0})
        yield endpoint


@pytest.fixture(scope="module")
def world(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> World:
    home = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, endpoint, home)
        patch.setenv("SHIPSAFE_CACHE_DIR", str(home / "cache"))
        patch.setenv("SHIPSAFE_CONFIG_DIR", str(home / "config"))
        return make_world(home, endpoint)


@pytest.fixture
def trial(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    set_environment(monkeypatch, world.endpoint, tmp_path)
    shutil.copytree(world.project, tmp_path / "project")
    yield Trial(world=world, root=tmp_path / "project", monkeypatch=monkeypatch)
    world.reset()


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_a_row_ends_as_the_page_says(row: Row, trial: Trial) -> None:
    words = row.act(trial)
    ended = shipsafe(*words, cwd=trial.root)
    assert ended.code == row.code, ended.out + ended.err
    result = printed(ended)
    _written[row.id] = line(row, result)
    if not WRITE:
        assert _written[row.id] in lines_of(PAGE.read_text()), ended.out + ended.err


def test_the_page_has_every_row_and_no_other() -> None:
    if WRITE:
        assert set(_written) == {row.id for row in ROWS}, "Not every row ended as it should: nothing was written."
        PAGE.write_text(page(ROWS, _written))
    text = PAGE.read_text()
    found = lines_of(text)
    assert [cells(one)[0] for one in found] == [row.kind for row in ROWS]
    assert [cells(one)[2] for one in found] == [str(row.code) for row in ROWS]
    assert text == page(ROWS, {row.id: one for row, one in zip(ROWS, found, strict=True)})


def test_at_least_forty_kinds_break_the_chain() -> None:
    assert Counter(row.code for row in ROWS)[5] >= 40
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert all(row.done.endswith(".") for row in ROWS)


def cells(text: str) -> list[str]:
    return text.strip("| ").split(" | ")
