"""Workspaces, lists that choose from a shared lock, and constraints: only what a function needs ships, as the lock has it."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters import process
from shipsafe.adapters.process import Finished
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.policy import LockChoice, Policy, Select
from shipsafe.model.tree import Source, StagedTree
from tests.packing.conftest import MIDDLE
from tests.packing.loopback import sha256, wheel
from tests.packing.staging import distribution, function, layer, paths, policy, staged, write
from tests.packing.test_locks import uv
from tests.packing.test_locks_kinds import LOCKS, names, project

MEMBER = """[project]
name = "{name}"
version = "1"
requires-python = ">=3.11"
dependencies = [{dependencies}]
[build-system]
requires = ["uv_build"]
build-backend = "uv_build"
[tool.uv.sources]
models = {{ workspace = true }}
helpers = {{ workspace = true }}
outside = {{ path = "../../outside", editable = true }}
"""


def workspace(tmp_path: Path, url: str) -> Path:
    """Two functions, two libraries that are members, and a library beside the workspace; locked by uv."""
    members = {"pay": '"plain<2", "models"', "stock": '"leaf", "outside"', "models": '"helpers", "middle"', "helpers": ""}
    files = {"pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n[tool.uv]\n'}
    # `plain` has two versions in one lock only where they cannot meet.
    files["pyproject.toml"] += 'conflicts = [[{package = "pay"}, {package = "stock"}]]\n'
    for name, dependencies in members.items():
        files[f"packages/{name}/pyproject.toml"] = MEMBER.format(name=name, dependencies=dependencies)
        files[f"packages/{name}/src/{name}/__init__.py"] = f"who = {name!r}\n"
    outside = MEMBER.format(name="outside", dependencies='"plain>=2"').partition("[tool.uv.sources]")[0]
    files |= {"outside/pyproject.toml": outside, "outside/src/outside/__init__.py": "", "lambda/pay/app.py": "import pay\n"}
    root = write(tmp_path / "project", files)
    uv(root, "lock", "--default-index", url)
    return root


def exported(root: Path, member: str) -> set[str]:
    """What uv itself exports for a member, without the member."""
    text = uv(root, "export", "--frozen", "--no-default-groups", "--no-emit-project", "--package", member, "--format", "pylock.toml")
    return {one["name"] for one in tomllib.loads(text)["packages"]} - {"ghost"}  # for Windows


@pytest.mark.parametrize("member", ["pay", "stock", "models", "helpers"])
def test_of_a_workspace_only_the_closure_of_the_member_ships(tmp_path: Path, local_index: str, member: str) -> None:
    root = workspace(tmp_path, local_index)
    tree = staged(root, tmp_path / "work", function(f"packages/{member}/src"), policy(index=local_index))
    assert set(names(tree)) == exported(root, member)
    local = {one.name for one in tree.distributions if one.source is Source.LOCAL}
    assert local == {"pay": {"models", "helpers"}, "stock": {"outside"}, "models": {"helpers"}, "helpers": set()}[member]
    for name in local:
        assert f"{name}/__init__.py" in paths(tree)


def test_a_policy_names_the_member_that_code_elsewhere_runs(tmp_path: Path, local_index: str) -> None:
    """The code is a thin handler beside the workspace: the member itself ships, too."""
    root = workspace(tmp_path, local_index)
    rules = replace(policy(index=local_index), selects=(Select(function="Ap*", member="pay"), Select(function="Other", member="stock")))
    tree = staged(root, tmp_path / "work", function("lambda/pay"), rules)
    assert names(tree) == {"pay": "1", "plain": "1.0", "models": "1", "helpers": "1", "middle": "1.0", "leaf": "1.0"}
    assert distribution(tree, "models").via == ("pay",)
    assert {"app.py", "pay/__init__.py", "models/__init__.py"} <= set(paths(tree))


def test_in_a_layer_local_packages_lie_where_python_looks(tmp_path: Path, local_index: str) -> None:
    root = workspace(tmp_path, local_index)
    rules = replace(policy(index=local_index), selects=(Select(function="Shared", member="models"),))
    write(root, {"layer/extra.py": ""})
    tree = staged(root, tmp_path / "work", layer(), rules)
    assert {"python/extra.py", "python/models/__init__.py", "python/helpers-1.dist-info/METADATA"} <= set(paths(tree))
    assert distribution(tree, "helpers").source is Source.LOCAL


def sharing(index: str, root: Path, lock: str, constraints: tuple[str, ...] = ()) -> Policy:
    return replace(policy(index=index), shared_lock=str(root / lock), constraints=tuple(str(root / one) for one in constraints))


def choosing(tmp_path: Path, index: str, kind: str, lock: str, text: str, runtime: str = "python3.13") -> StagedTree:
    root = project(tmp_path, kind)
    write(root, {"src/requirements.txt": text})
    return staged(root, tmp_path / "work", function(runtime=runtime), sharing(index, root, lock))


KINDS = [
    ("uv", "uv.lock", "python3.13"),
    ("poetry18", "poetry.lock", "python3.13"),
    ("poetry25", "poetry.lock", "python3.13"),
]
OTHERS = [("uv", "pylock.toml", "python3.13"), ("uv", "requirements.txt", "python3.13"), ("pipenv", "Pipfile.lock", "python3.11")]


@pytest.mark.parametrize(("kind", "lock", "runtime"), KINDS)
def test_a_list_ships_its_names_and_what_they_need_as_the_lock_has_it(
    tmp_path: Path, local_index: str, kind: str, lock: str, runtime: str
) -> None:
    tree = choosing(tmp_path, local_index, kind, lock, "middle\nplain<3\nghost ; sys_platform == 'win32'\n", runtime)
    assert names(tree) == {"middle": "1.0", "leaf": "1.0", "plain": "1.0"}
    assert tree.problems == ()  # every one of them is locked, though the list says no version
    leaf = distribution(tree, "leaf")
    assert leaf.hashes == (sha256(wheel("leaf", "1.0")[1]),)
    assert (leaf.location.path if leaf.location else None, leaf.via) == (lock, ("middle",))
    assert tree.inputs == ("src/requirements.txt", lock)


@pytest.mark.parametrize(("kind", "lock", "runtime"), KINDS)
def test_a_list_chooses_extras_and_local_packages(tmp_path: Path, local_index: str, kind: str, lock: str, runtime: str) -> None:
    tree = choosing(tmp_path, local_index, kind, lock, "top[more]\n-e ../shared\n", runtime)
    assert names(tree) == {"top": "1.0", "middle": "1.0", "leaf": "1.0", "extra-part": "1.0", "shared": "0.3"}
    assert distribution(tree, "shared").source is Source.LOCAL


@pytest.mark.parametrize(("kind", "lock", "runtime"), OTHERS)
def test_from_a_lock_that_does_not_say_who_needs_whom_uv_finds_it_out(
    tmp_path: Path, local_index: str, kind: str, lock: str, runtime: str
) -> None:
    root = project(tmp_path, kind)
    text = (LOCKS / kind / lock).read_text()
    local = {
        "pylock.toml": '[[packages]]\nname = "shared"\ndirectory = { path = "shared", editable = true }\n\n',
        "requirements.txt": "-e shared\n    # via orders (pyproject.toml)\n",
        "Pipfile.lock": ',\n        "shared": {\n            "editable": true,\n            "path": "./shared"\n        }',
    }[lock]
    assert local in text
    write(root, {f"locks/{lock}": text.replace(local, ""), "src/requirements.txt": "middle\nplain\n"})
    tree = staged(root, tmp_path / "work", function(runtime=runtime), sharing(local_index, root, f"locks/{lock}"))
    assert names(tree) == {"middle": "1.0", "leaf": "1.0", "plain": "1.0"}
    assert tree.problems == ()
    assert distribution(tree, "leaf").hashes == (sha256(wheel("leaf", "1.0")[1]),)
    (root / "locks" / lock).write_text((root / "locks" / lock).read_text().replace("leaf", "other"))
    with pytest.raises(IncompleteError, match="leaf, which App needs, has no hash, while other requirements have"):
        staged(root, tmp_path / "again", function(runtime=runtime), sharing(local_index, root, f"locks/{lock}"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nnone-such\n", "src/requirements.txt:2: none-such does not stand in uv.lock, from which this list chooses."),
        ("middle>1\n", "src/requirements.txt:1: middle>1 is asked for, and uv.lock has middle 1.0."),
        ("middle --hash=sha256:" + "0" * 64, "src/requirements.txt:1: middle has other hashes here than in uv.lock."),
        ("-e ../elsewhere\n", "src/requirements.txt:1: elsewhere does not stand in uv.lock"),
    ],
)
def test_a_list_that_contradicts_the_lock_is_refused_at_its_line(tmp_path: Path, local_index: str, text: str, message: str) -> None:
    with pytest.raises(IncompleteError) as caught:
        choosing(tmp_path, local_index, "uv", "uv.lock", text)
    assert message in str(caught.value)


def test_a_shared_lock_that_is_not_there_is_a_fault_of_the_policy(tmp_path: Path, local_index: str) -> None:
    with pytest.raises(ConfigError, match=r"The shared lock is not there: missing\.lock"):
        choosing(tmp_path, local_index, "uv", "missing.lock", "middle\n")


def test_without_a_list_the_whole_lock_ships(tmp_path: Path, local_index: str) -> None:
    root = project(tmp_path, "poetry18")
    tree = staged(root, tmp_path / "work", None, sharing(local_index, root, "poetry.lock"))
    assert "top" in names(tree)


def test_constraints_of_the_policy_hold_for_a_list_with_their_hashes(tmp_path: Path, local_index: str) -> None:
    needs = {"plain": (), "middle": MIDDLE, "leaf": ()}
    pins = "".join(f"{name}==1.0 --hash={sha256(wheel(name, '1.0', requires=requires)[1])}\n" for name, requires in needs.items())
    root = write(tmp_path / "project", {"src/app.py": "", "src/requirements.txt": "middle\nplain\n", "constraints.txt": pins})
    rules = replace(policy(index=local_index), constraints=(str(root / "constraints.txt"),))
    tree = staged(root, tmp_path / "work", None, rules)
    assert names(tree) == {"middle": "1.0", "leaf": "1.0", "plain": "1.0"}
    assert distribution(tree, "leaf").hashes == (sha256(wheel("leaf", "1.0")[1]),)
    write(root, {"constraints.txt": pins.replace(sha256(wheel("leaf", "1.0")[1]), "sha256:" + "0" * 64)})
    with pytest.raises(IncompleteError, match=r"Hash mismatch for `leaf==1\.0`"):
        staged(root, tmp_path / "again", None, rules)


def test_a_lock_is_compared_with_the_constraints(tmp_path: Path, local_index: str) -> None:
    root = project(tmp_path, "poetry18")
    write(root, {"constraints.txt": "# why\nplain>=2\n"})
    rules = replace(policy(index=local_index), constraints=(str(root / "constraints.txt"),))
    with pytest.raises(IncompleteError, match=r"^constraints.txt:2: plain>=2 is asked for, and poetry.lock has plain 1.0"):
        staged(root, tmp_path / "work", None, rules)
    assert names(staged(root, tmp_path / "again", function(runtime="python3.12"), rules))["plain"] == "2.0"


def test_a_choice_of_one_function_is_made_of_what_is_said_last() -> None:
    rules = replace(
        policy(),
        lock_choice=LockChoice(groups=("a",), extras=("x",)),
        selects=(Select(function="Pay*", groups=("b",)), Select(function="PayOut", extras=(), member="m")),
    )
    assert rules.choice("Stock") == LockChoice(groups=("a",), extras=("x",))
    assert rules.choice("PayIn") == LockChoice(groups=("b",), extras=("x",))
    assert rules.choice("PayOut") == LockChoice(groups=("b",), member="m")


@pytest.mark.parametrize(("extras", "version"), [((), None), (("cpu",), "1.0"), (("gpu",), "2.0")])
def test_of_extras_that_conflict_the_chosen_side_ships(
    tmp_path: Path, local_index: str, extras: tuple[str, ...], version: str | None
) -> None:
    text = (
        '[project]\nname = "orders"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["leaf"]\n[project.optional-dependencies]\n'
        'cpu = ["plain<2"]\ngpu = ["plain>=2"]\n[tool.uv]\nconflicts = [[{extra = "cpu"}, {extra = "gpu"}]]\n'
    )
    root = write(tmp_path / "project", {"pyproject.toml": text, "src/app.py": ""})
    uv(root, "lock", "--default-index", local_index)
    rules = replace(policy(index=local_index), lock_choice=LockChoice(extras=extras))
    assert names(staged(root, tmp_path / "work", None, rules)).get("plain") == version
    rules = sharing(local_index, root, "uv.lock")
    write(root, {"src/requirements.txt": "plain\n"})
    with pytest.raises(IncompleteError, match="extras or groups that conflict, and a list cannot choose between them"):
        staged(root, tmp_path / "again", None, rules)


def test_an_extra_that_names_the_project_itself_brings_its_extras_and_not_the_project(tmp_path: Path, local_index: str) -> None:
    text = MEMBER.format(name="orders", dependencies='"leaf"').partition("[tool.uv.sources]")[0]
    text += '[project.optional-dependencies]\nall = ["orders[one]"]\none = ["plain<2"]\n'
    root = write(tmp_path / "project", {"pyproject.toml": text, "src/orders/__init__.py": "", "lambda/app.py": ""})
    uv(root, "lock", "--default-index", local_index)
    rules = replace(policy(index=local_index), lock_choice=LockChoice(extras=("all",)))
    assert names(staged(root, tmp_path / "work", function("lambda"), rules)) == {"leaf": "1.0", "plain": "1.0"}


def test_functions_that_share_a_lock_ask_uv_once(tmp_path: Path, local_index: str) -> None:
    root = project(tmp_path, "uv", "uv.lock")
    text = (root / "uv.lock").read_text() + f"# {tmp_path}\n"
    write(root, {"uv.lock": text})
    asked: list[str] = []

    def counting(argv: Sequence[str | Path], **more: Any) -> Finished:
        asked.append(str(argv[1]))
        return process.run(argv, **more)

    for number, runtime in enumerate(("python3.13", "python3.12", "python3.13")):
        staged(root, tmp_path / f"work-{number}", function(runtime=runtime), policy(index=local_index), run=counting)
    assert asked.count("export") == 1
