"""Dependencies that a project file asks for, and that no lock has."""

from pathlib import Path

import pytest

from shipsafe.model.tree import ProblemKind
from tests.packing.staging import function, policy, staged, write


def said(tmp_path: Path, files: dict[str, str], code: str = "src") -> list[tuple[str, str]]:
    """Keys and messages of what staging says is not locked."""
    root = write(tmp_path / "project", {"src/app.py": "", **files})
    tree = staged(root, tmp_path / "work", function(code), policy())
    assert tree.distributions == ()
    return [(problem.key, problem.message) for problem in tree.problems if problem.kind is ProblemKind.UNLOCKED]


@pytest.mark.parametrize(
    ("files", "key", "asked"),
    [
        ({"pyproject.toml": '[project]\ndependencies = ["requests>=2"]\n'}, "pyproject.toml", "'requests>=2'"),
        ({"src/pyproject.toml": '[project]\ndependencies = ["a", "b", "c", "d"]\n'}, "src/pyproject.toml", "'a', 'b', 'c' and 1 more"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.12"\nrequests = "^2"\n'}, "pyproject.toml", "'requests'"),
        ({"Pipfile": '[packages]\nrequests = "*"\n', "src/pyproject.toml": "[tool.ruff]\n"}, "Pipfile", "'requests'"),
    ],
)
def test_what_is_asked_for_and_not_locked_is_said(tmp_path: Path, files: dict[str, str], key: str, asked: str) -> None:
    assert said(tmp_path, files) == [(key, f"{key} asks for {asked}, and no lock says which: nothing of that ships.")]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pyproject.toml": '[project]\ndependencies = []\n[dependency-groups]\ndev = ["pytest"]\n'},
        {"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.12"\n'},
        {"pyproject.toml": "[project]\ndependencies = 3\n"},
        {"pyproject.toml": "not toml"},
        {"Pipfile": '[dev-packages]\npytest = "*"\n'},
        {"src/requirements.txt": "", "pyproject.toml": '[project]\ndependencies = ["requests"]\n'},
    ],
)
def test_nothing_is_said_where_nothing_is_asked_for_or_a_list_says_what_ships(tmp_path: Path, files: dict[str, str]) -> None:
    assert said(tmp_path, files) == []


def test_what_stands_above_the_project_asks_for_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["requests"]\n')
    assert said(tmp_path, {}) == []
