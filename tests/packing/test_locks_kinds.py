"""One project, locked by Poetry 1.1, 1.8 and 2.5, by Pipenv and by uv: what each tool would install is what ships.

The locks in `locks/` were written by the tools themselves; what they install of them was asked with `poetry install --dry-run`.
"""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.policy import LockChoice, Policy
from shipsafe.model.tree import Source, StagedTree
from tests.packing.staging import distribution, function, paths, policy, staged, write

LOCKS = Path(__file__).parent / "locks"
SHARED = '[project]\nname = "shared"\nversion = "0.3"\nrequires-python = ">=3.11"\ndependencies = ["leaf"]\n'
MAIN = {"top": "1.0", "middle": "1.0", "leaf": "1.0", "extra-part": "1.0", "plain": "1.0", "shared": "0.3"}
# Poetry 2.5 writes no marker for a package that is in two groups and has one in only one of them, and then installs it everywhere.
GHOST = {"ghost": "1.0"}


def project(tmp_path: Path, kind: str, only: str | None = None) -> Path:
    """The project as that tool left it; `only` that file of it."""
    root = write(tmp_path / "project", {"src/app.py": "", "shared/pyproject.toml": SHARED, "shared/src/shared/__init__.py": "ours = 1\n"})
    for file in sorted((LOCKS / kind).iterdir()):
        if only is None or file.name == only:
            shutil.copy(file, root)
    return root


def names(tree: StagedTree) -> dict[str, str | None]:
    return {one.name: one.version for one in tree.distributions}


def choosing(index: str | None, *, lock: str | None = None, **choice: object) -> Policy:
    """A policy that chooses of the lock."""
    return replace(policy(index=index, lock=lock), lock_choice=LockChoice(**choice))  # type: ignore[arg-type]  # of one of its fields


def ships(tmp_path: Path, root: Path, rules: Policy, runtime: str = "python3.13") -> dict[str, str | None]:
    return names(staged(root, tmp_path / f"work-{len(list(tmp_path.iterdir()))}", function(runtime=runtime), rules))


@pytest.mark.parametrize(
    ("kind", "lock", "expected"),
    [
        ("poetry11", None, {name: version for name, version in MAIN.items() if name != "shared"}),
        ("poetry18", None, MAIN),
        ("poetry25", None, MAIN | GHOST),
        ("uv", "uv.lock", MAIN),
        ("uv", "requirements.txt", MAIN),
    ],
)
def test_the_main_dependencies_ship_and_nothing_else(
    tmp_path: Path, local_index: str, kind: str, lock: str | None, expected: dict[str, str]
) -> None:
    root = project(tmp_path, kind, lock)
    assert ships(tmp_path, root, policy(index=local_index)) == expected
    older = ships(tmp_path, root, policy(index=local_index), "python3.12")
    assert older == expected | {"plain": "2.0"}


def test_a_pipfile_lock_is_for_the_python_that_it_was_made_for(tmp_path: Path, local_index: str) -> None:
    root = project(tmp_path, "pipenv")
    assert ships(tmp_path, root, policy(index=local_index), "python3.11") == MAIN
    with pytest.raises(IncompleteError, match=r"^Pipfile.lock: The lock is for Python 3.11, and the runtime has 3.13"):
        ships(tmp_path, root, policy(index=local_index))


def test_a_pylock_of_uv_ships_what_was_exported(tmp_path: Path, local_index: str) -> None:
    """`uv export --all-extras --all-groups` leaves no markers that could tell them apart."""
    root = project(tmp_path, "uv", "pylock.toml")
    assert ships(tmp_path, root, policy(index=local_index)) == MAIN | GHOST | {"scripted": "1.0"}


@pytest.mark.parametrize(
    ("kind", "runtime", "choice", "more"),
    [
        ("poetry11", "python3.13", {"extras": ("tools",)}, {"scripted": "1.0"}),
        ("poetry11", "python3.13", {"groups": ("dev",)}, GHOST),
        ("poetry18", "python3.13", {"extras": ("tools",)}, {"scripted": "1.0"}),
        ("poetry18", "python3.13", {"groups": ("dev", "lambda")}, GHOST),
        ("poetry25", "python3.13", {"extras": ("tools",)}, {"scripted": "1.0"}),
        ("uv", "python3.13", {"extras": ("tools",)}, {"scripted": "1.0"}),
        ("uv", "python3.13", {"groups": ("dev", "lambda")}, GHOST),
        ("pipenv", "python3.11", {"groups": ("tools", "develop")}, {"scripted": "1.0"}),
        ("pipenv", "python3.11", {"groups": ("dev-packages",)}, {}),
    ],
)
def test_a_policy_adds_groups_and_extras(
    tmp_path: Path, local_index: str, kind: str, runtime: str, choice: dict[str, tuple[str, ...]], more: dict[str, str]
) -> None:
    root = project(tmp_path, kind)
    lock = "uv.lock" if kind == "uv" else None
    plain = ships(tmp_path, root, policy(index=local_index, lock=lock), runtime)
    assert ships(tmp_path, root, choosing(local_index, lock=lock, **choice), runtime) == plain | more


@pytest.mark.parametrize(
    ("kind", "runtime", "groups", "expected"),
    [
        ("poetry18", "python3.13", ("lambda",), {"leaf": "1.0"}),
        ("poetry25", "python3.13", ("lambda",), {"leaf": "1.0"}),
        ("poetry25", "python3.13", ("dev",), GHOST),
        ("uv", "python3.13", ("lambda",), {"leaf": "1.0"}),
        ("pipenv", "python3.11", ("tools",), {"scripted": "1.0"}),
    ],
)
def test_groups_can_ship_instead_of_the_main_dependencies(
    tmp_path: Path, local_index: str, kind: str, runtime: str, groups: tuple[str, ...], expected: dict[str, str]
) -> None:
    rules = choosing(local_index, lock="uv.lock" if kind == "uv" else None, groups=groups, only_groups=True)
    assert ships(tmp_path, project(tmp_path, kind), rules, runtime) == expected


@pytest.mark.parametrize(
    ("kind", "lock", "choice", "message"),
    [
        ("uv", "uv.lock", {"groups": ("nope",)}, "uv.lock: There is no group 'nope' in uv.lock; it has dev, lambda."),
        ("uv", "uv.lock", {"extras": ("nope",)}, "uv.lock: There is no extra 'nope' in uv.lock; it has tools."),
        ("uv", "uv.lock", {"member": "nope"}, "uv.lock: There is no member 'nope' in uv.lock; it has orders."),
        ("uv", "uv.lock", {"only_groups": True}, "`only-groups` is set, and no group is named"),
        ("uv", "pylock.toml", {"groups": ("lambda",)}, "There is no group 'lambda' in pylock.toml; it has none."),
        ("uv", "requirements.txt", {"groups": ("lambda",)}, "requirements.txt has no groups or extras"),
        ("poetry11", None, {"groups": ("nope",)}, "There is no group 'nope' in poetry.lock; it has dev, main."),
        ("poetry25", None, {"groups": ("nope",)}, "There is no group 'nope' in poetry.lock; it has dev, lambda, main."),
        ("poetry25", None, {"extras": ("nope",)}, "There is no extra 'nope' in poetry.lock; it has tools."),
        ("poetry25", None, {"member": "orders"}, "poetry.lock has no members"),
        ("pipenv", None, {"groups": ("nope",)}, "There is no category 'nope' in Pipfile.lock; it has default, develop, tools."),
        ("pipenv", None, {"extras": ("tools",)}, "Pipfile.lock has no extras or members, only categories"),
    ],
)
def test_what_the_lock_does_not_have_cannot_be_chosen(
    tmp_path: Path, kind: str, lock: str | None, choice: dict[str, Any], message: str
) -> None:
    root = project(tmp_path, kind, lock)
    with pytest.raises(ConfigError) as caught:
        ships(tmp_path, root, choosing(None, **choice), "python3.11")
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", ["poetry18", "poetry25", "uv", "pipenv"])
def test_each_lock_says_line_way_and_claimed_index(tmp_path: Path, local_index: str, kind: str) -> None:
    root = project(tmp_path, kind)
    rules = policy(index=local_index, lock="uv.lock" if kind == "uv" else None)
    tree = staged(root, tmp_path / "work", function(runtime="python3.11"), rules)
    middle = distribution(tree, "middle")
    assert middle.via == ("top",)
    assert middle.index == local_index  # and not packages.example.com, which the lock names
    assert middle.location is not None
    lines = (root / (middle.location.path or "")).read_text().splitlines()
    assert '"middle"' in lines[(middle.location.line or 0) - 1]
    assert tree.problems == ()


@pytest.mark.parametrize("kind", ["poetry18", "poetry25", "uv", "pipenv"])
def test_a_local_package_is_staged_from_its_source(tmp_path: Path, local_index: str, kind: str) -> None:
    root = project(tmp_path, kind)
    rules = policy(index=local_index, lock="uv.lock" if kind == "uv" else None)
    tree = staged(root, tmp_path / "work", function(runtime="python3.11"), rules)
    shared = distribution(tree, "shared")
    assert shared.source is Source.LOCAL
    assert (shared.version, shared.index) == ("0.3", None)
    assert shared.requires == (("leaf",) if kind != "pipenv" else ())  # Pipenv's lock does not say who needs whom
    assert shared.paths == (*tuple(f"shared-0.3.dist-info/{name}" for name in ("INSTALLER", "METADATA", "RECORD")), "shared/__init__.py")
    assert set(shared.paths) <= set(paths(tree))
    assert "shared/pyproject.toml" in tree.inputs


def test_an_old_poetry_lock_needs_its_pyproject(tmp_path: Path) -> None:
    root = project(tmp_path, "poetry18", "poetry.lock")
    with pytest.raises(IncompleteError, match=r"^poetry.lock: A lock of Poetry 1 says what ships only together with its pyproject.toml"):
        ships(tmp_path, root, policy())


def test_a_poetry_2_lock_does_not_need_its_pyproject(tmp_path: Path, local_index: str) -> None:
    assert ships(tmp_path, project(tmp_path, "poetry25", "poetry.lock"), policy(index=local_index)) == MAIN | GHOST


HEAD = '[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11"\n'
ONE = '[[package]]\nname = "x"\nversion = "1.0"\ngroups = ["main"]\nfiles = [{file = "x-1.0-py3-none-any.whl", hash = "sha256:HASH"}]\n'
ONE = ONE.replace("HASH", "a" * 64)


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        ("package = 1\n", "`package` is not a list of tables"),
        ('[[package]]\nname = "a b"\n' + HEAD, "the package 'a b' has no name"),
        ('[metadata]\nlock-version = "9.0"\n', "its lock-version is '9.0'"),
        ("", "its lock-version is ''"),
        (HEAD.replace("3.11", "3.14"), "The lock is for Python >=3.14, and the runtime has 3.13"),
        (HEAD.replace(">=3.11", "what ever"), "'what ever' is no constraint on Python"),
        (ONE + ONE.replace("1.0", "2.0") + HEAD, "poetry.lock:7: x stands in the lock twice"),
        (ONE.replace("a" * 64, "a") + HEAD, "poetry.lock:2: x has no hash in the lock that uv could verify"),
        (ONE.replace("a" * 64, "a" * 64 + "\\n--index-url https://evil.example") + HEAD, "x has no hash in the lock that uv could verify"),
        (ONE.replace("1.0", "1.0\\n--pre", 1) + HEAD, "is no name and version"),
        (ONE + 'markers = "what == 1"\n' + HEAD, "The marker 'what == 1' cannot be read"),
        (ONE + '[package.dependencies]\ny = "*"\n' + HEAD, "x needs y, which the lock has not for these groups"),
        (
            ONE + '[package.source]\ntype = "git"\nurl = "https://u:secret@example.com/x"\n' + HEAD,
            "x does not come from an index (git https",
        ),
        (ONE + '[package.source]\ntype = "url"\nurl = "https://example.com/x.whl"\n' + HEAD, "x does not come from an index (url https"),
        (ONE + '[package.source]\ntype = "file"\nurl = "x.whl"\n' + HEAD, "x does not come from an index (file x.whl)"),
        (ONE + '[package.source]\ntype = "directory"\nurl = "../../x"\n' + HEAD, "The local package x is not there: '../../x'"),
        (ONE + '[package.source]\ntype = "directory"\nurl = "/"\n' + HEAD, "The local package x lies outside the repository"),
    ],
)
def test_a_poetry_lock_that_cannot_be_used_is_incomplete(tmp_path: Path, lock: str, message: str) -> None:
    root = write(tmp_path / "project", {"src/app.py": "", "poetry.lock": lock})
    with pytest.raises(IncompleteError) as caught:
        ships(tmp_path, root, policy())
    assert message in str(caught.value)
    assert str(caught.value).startswith("poetry.lock")
    assert "secret" not in str(caught.value)


PINNED = '{"version": "==1.0", "hashes": ["sha256:%s"]}' % ("a" * 64)


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        ("[]", "it has no `default` packages"),
        ("{", "Pipfile.lock:1: Not JSON"),
        ("[" * 100_000, "Nested too deep"),
        (f'{{"default": {{"a b": {PINNED}}}}}', "'a b' is no name of a package"),
        ('{"default": {"x": {"version": "*"}}}', "is no name and version"),
        ('{"default": {"x": {"version": "==1.0"}}}', "x has no hash"),
        ('{"default": {"x": {"git": "https://u:secret@example.com/x", "ref": "a"}}}', "x does not come from an index (git https://example"),
        ('{"default": {"x": {"file": "https://example.com/x.whl"}}}', "x does not come from an index (file https"),
        ('{"default": {"x": {"path": "./x-1.0.whl"}}}', "The local package x is not there"),
        ('{"default": {"x": {"version": "==1.0", "markers": "what"}}}', "The marker 'what' cannot be read"),
    ],
)
def test_a_pipfile_lock_that_cannot_be_used_is_incomplete(tmp_path: Path, lock: str, message: str) -> None:
    root = write(tmp_path / "project", {"src/app.py": "", "Pipfile.lock": lock})
    with pytest.raises(IncompleteError) as caught:
        ships(tmp_path, root, policy())
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_no_hash_of_a_lock_can_write_another_line_for_uv(tmp_path: Path) -> None:
    """A pylock's hashes are any text, and become part of a list that uv reads."""
    lock = (
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "x"\nversion = "1"\n'
        'wheels = [{ url = "https://e.com/x-1-py3-none-any.whl", hashes = { sha256 = "aa\\n--index-url https://evil.example" } }]\n'
    )
    root = write(tmp_path / "project", {"src/app.py": "", "pylock.toml": lock})
    with pytest.raises(IncompleteError, match="x has no hash in the lock that uv could verify"):
        ships(tmp_path, root, policy())


def test_two_locks_at_one_level_need_a_choice(tmp_path: Path, local_index: str) -> None:
    root = project(tmp_path, "poetry18")
    shutil.copy(LOCKS / "uv" / "uv.lock", root)
    with pytest.raises(ConfigError, match=re.escape("uv.lock and poetry.lock stand beside each other")):
        ships(tmp_path, root, policy())
    assert ships(tmp_path, root, policy(index=local_index, lock="poetry.lock")) == MAIN
