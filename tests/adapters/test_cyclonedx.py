"""The second opinion on a tree: the real `cyclonedx-py`, and nothing of the tree is run for it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from shipsafe.adapters.cyclonedx import list_distributions, metadata_place
from shipsafe.adapters.process import Finished
from shipsafe.errors import IncompleteError
from shipsafe.model.tree import Entry
from tests.evidence.conftest import entries_of

DEMO = {"Demo.Lib-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Demo.Lib\nVersion: 1.0\n\n", "demo.py": "x = 1\n"}


def tree(folder: Path, files: Mapping[str, str]) -> tuple[Entry, ...]:
    for name, text in files.items():
        path = folder / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "workspace").mkdir()
    return entries_of(folder / "tree")


def test_it_sees_every_distribution_on_the_path_whoever_installed_it(tmp_path: Path) -> None:
    files = DEMO | {
        "old.egg-info/PKG-INFO": "Metadata-Version: 1.0\nName: old\nVersion: 2\n\n",
        "python/layer-3.dist-info/METADATA": "Metadata-Version: 2.1\nName: layer\nVersion: 3\n\n",
        "demo/_vendor/inner-4.dist-info/METADATA": "Metadata-Version: 2.1\nName: inner\nVersion: 4\n\n",
    }
    listed = list_distributions(tree(tmp_path, files), workspace=tmp_path / "workspace")
    assert listed == (("demo-lib", "1.0"), ("layer", "3"), ("old", "2"))


def test_nothing_that_lies_in_the_tree_is_run(tmp_path: Path) -> None:
    """Each of these would run if the tree itself were on Python's path."""
    marker = tmp_path / "ran"
    evil = f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n"
    names = ["sitecustomize.py", "usercustomize.py", "json.py", "cyclonedx/__init__.py", "cyclonedx_py/__init__.py", "site.py"]
    hostile = DEMO | dict.fromkeys(names, evil) | {"evil.pth": f"import pathlib; pathlib.Path({str(marker)!r}).touch()\n"}
    hostile |= {"Demo.Lib-1.0.dist-info/entry_points.txt": "[console_scripts]\nx = sitecustomize:main\n"}
    hostile |= {"json.egg-info": "Metadata-Version: 1.0\nName: json\nVersion: 1\n\n"}
    listed = list_distributions(tree(tmp_path, hostile), workspace=tmp_path / "workspace")
    assert listed == (("demo-lib", "1.0"), ("json", "1"))
    assert not marker.exists()


def test_metadata_that_it_cannot_read_is_incomplete(tmp_path: Path) -> None:
    broken = tree(tmp_path, {"x-1.dist-info/METADATA": "Requires-Dist: ((\n\n"})
    with pytest.raises(IncompleteError, match="cyclonedx-py could not list the distributions"):
        list_distributions(broken, workspace=tmp_path / "workspace")


def test_metadata_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    large = tree(tmp_path, {"x-1.dist-info/METADATA": "x" * (4 * 1024 * 1024 + 1)})
    with pytest.raises(IncompleteError, match="larger than 4 MiB"):
        list_distributions(large, workspace=tmp_path / "workspace")


def test_a_child_that_fails_is_incomplete_with_its_last_word(tmp_path: Path) -> None:
    def failing(*_args: object, **_more: object) -> Finished:
        return Finished(returncode=1, stdout="", stderr="trace\nno room\n")

    with pytest.raises(IncompleteError, match="venv could not list the distributions: no room"):
        list_distributions(tree(tmp_path, DEMO), workspace=tmp_path / "workspace", run=failing)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("a-1.dist-info/METADATA", "a-1.dist-info/METADATA"),
        ("python/a-1.dist-info/METADATA", "a-1.dist-info/METADATA"),
        ("python/lib/python3.13/site-packages/a-1.dist-info/METADATA", "a-1.dist-info/METADATA"),
        ("a.egg-info/PKG-INFO", "a.egg-info/PKG-INFO"),
        ("a.egg-info", "a.egg-info"),
        ("setuptools/_vendor/a-1.dist-info/METADATA", None),
        ("a-1.dist-info/RECORD", None),
        ("a-1.dist-info/METADATA/json.py", None),
        ("sitecustomize.py", None),
    ],
)
def test_only_files_in_which_a_distribution_says_its_name_are_put_on_the_path(path: str, place: str | None) -> None:
    assert metadata_place(path) == place
