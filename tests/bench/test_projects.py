"""The projects that are measured are the same on every machine, and as the page of results says."""

import ast
import hashlib
import re
from pathlib import Path

import pytest
import yaml

from bench import projects
from bench.source import modules

_ADVISORIES = Path("/advisories.zip")


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def test_equal_arguments_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        for make in (projects.orders, projects.fifty, projects.heavy):
            make(tmp_path / name, _ADVISORIES)
    assert _digest(tmp_path / "one") == _digest(tmp_path / "two")


def test_fifty_functions_have_ten_dependency_sets_in_turn(tmp_path: Path) -> None:
    project = projects.fifty(tmp_path, _ADVISORIES)
    locks = [unit.requirements.read_bytes() for unit in project.units if unit.requirements]
    assert (len(project.units), len({unit.name for unit in project.units}), len(locks)) == (50, 50, 50)
    assert len(set(locks)) == len(set(locks[:10])) == 10
    template = yaml.safe_load((project.root / "template.yaml").read_text())
    assert set(template["Resources"]) == {unit.name for unit in project.units}


def test_no_two_functions_have_the_same_code(tmp_path: Path) -> None:
    """Else equal functions, and not equal dependency sets, would be what a cache finds."""
    project = projects.fifty(tmp_path, _ADVISORIES)
    assert len({(unit.code / "app.py").read_bytes() for unit in project.units}) == 50


@pytest.mark.parametrize("number", [0, 1, 2, 3, 49])
def test_functions_are_python_and_import_what_they_need(number: int) -> None:
    written = modules(number, needs=("requests",))
    imported = {alias.name for node in ast.walk(ast.parse(written["app.py"])) if isinstance(node, ast.Import) for alias in node.names}
    own = {name.removesuffix(".py") for name in written} - {"app"}
    assert {"requests", *own} <= imported
    for name, text in written.items():
        compile(text, name, "exec")
    assert 3 <= len(written) <= 6


@pytest.mark.parametrize("number", range(4))
def test_the_handler_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls between the modules fit together: what is measured would start."""
    for name, text in modules(number).items():
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    space: dict[str, object] = {"__name__": "app"}
    own = [name.removesuffix(".py") for name in modules(number)]
    for name in own:
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)
    exec(compile((tmp_path / "app.py").read_text(), "app.py", "exec"), space)  # noqa: S102 - code that the bench wrote
    handler = space["handler"]
    assert callable(handler)
    assert handler({"body": "{}"}, None)["statusCode"] == 200


def test_an_edit_changes_one_file_of_one_function(tmp_path: Path) -> None:
    project = projects.fifty(tmp_path, _ADVISORIES, count=3)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    projects.edit(project, 1)
    projects.edit(project, 2)
    changed = [path for path, data in before.items() if path.read_bytes() != data]
    assert changed == [project.edited]
    ast.parse(project.edited.read_text())


def test_orders_asks_the_advisories_that_everybody_asks(tmp_path: Path) -> None:
    project = projects.orders(tmp_path, _ADVISORIES)
    policy = (project.root / "shipsafe.toml").read_text()
    assert f'source = {{ path = "{_ADVISORIES}"' in policy
    assert all(unit.code.is_dir() and (unit.requirements is None or unit.requirements.is_file()) for unit in project.units)


def test_every_lock_is_pinned_and_hashed(repository: Path) -> None:
    locks = [*(repository / "bench").glob("*.txt"), *(repository / "bench" / "sets").glob("*.txt")]
    assert len(locks) == 14
    for lock in locks:
        lines = [line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#")]
        text = "\n".join(lines).replace("\\\n", " ")
        for line in filter(None, text.splitlines()):
            assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line), f"{lock.name}: {line[:80]}"


def test_a_pylock_becomes_requirements_with_every_hash() -> None:
    pylock = """
[[packages]]
name = "one"
version = "1.0"
sdist = { name = "one-1.0.tar.gz", hashes = { sha256 = "aa" } }
wheels = [{ name = "one-1.0-py3-none-any.whl", hashes = { sha256 = "bb" } }]
"""
    assert projects.as_requirements(pylock) == "one==1.0 \\\n    --hash=sha256:bb \\\n    --hash=sha256:aa\n"
