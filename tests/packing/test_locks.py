"""uv.lock and pylock.toml: what uv itself would export is what ships, and what does not come from an index is refused."""

import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from uv import find_uv_bin

from shipsafe.errors import IncompleteError
from shipsafe.model.tree import StagedTree
from shipsafe.packing.runtimes import environment
from tests.packing.loopback import sha256, wheel
from tests.packing.staging import distribution, function, paths, policy, staged, write

PROJECT = """[project]
name = "orders"
version = "1"
requires-python = ">=3.11"
dependencies = ["top[more]", "native ; python_version < '3.12'", "ghost ; sys_platform == 'win32'"]
[project.optional-dependencies]
unused = ["scripted"]
[dependency-groups]
dev = ["plain"]
"""
MEMBER = """[project]
name = "{name}"
version = "1"
requires-python = ">=3.11"
dependencies = [{dependencies}]
"""


def uv(folder: Path, *arguments: str) -> str:
    done = subprocess.run([find_uv_bin(), *arguments, "--no-config", "--quiet"], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def locked(tmp_path: Path, url: str, files: dict[str, str]) -> Path:
    """A project with a uv.lock that uv made."""
    root = write(tmp_path / "project", files)
    uv(root, "lock", "--default-index", url)
    return root


def names(tree: StagedTree) -> dict[str, str | None]:
    return {one.name: one.version for one in tree.distributions}


def refusal(tmp_path: Path, files: dict[str, str | bytes], url: str | None = None) -> str:
    root = write(tmp_path / "project", {"src/app.py": "", **files})
    with pytest.raises(IncompleteError) as caught:
        staged(root, tmp_path / "work", None, policy(index=url))
    return str(caught.value)


def test_what_ships_is_what_uv_itself_exports(tmp_path: Path, local_index: str) -> None:
    """uv's own export of the whole project, with its markers evaluated for the runtime, names the same versions."""
    root = locked(tmp_path, local_index, {"pyproject.toml": PROJECT, "src/app.py": ""})
    exported = uv(root, "export", "--frozen", "--no-emit-local", "--no-hashes", "--no-default-groups", "--no-annotate", "--no-header")
    marked = {**environment("3.13", "x86_64"), "extra": ""}
    expected = {
        one.name: next(iter(one.specifier)).version
        for one in map(Requirement, exported.splitlines())
        if one.marker is None or one.marker.evaluate(marked)
    }
    tree = staged(root, tmp_path / "work", None, policy(index=local_index))
    assert names(tree) == expected == {"top": "1.0", "middle": "1.0", "leaf": "1.0", "extra-part": "1.0"}
    assert tree.problems == ()
    assert tree.inputs == ("uv.lock",)


def test_a_locked_distribution_without_a_wheel_for_the_runtime_is_refused_at_its_line(tmp_path: Path, local_index: str) -> None:
    """`modern-28` needs a newer GLIBC than python3.11 has, and there is no source distribution that could be built instead."""
    files = {"pyproject.toml": PROJECT.replace("native ;", "modern-28 ;"), "src/app.py": ""}
    root = locked(tmp_path, local_index, files)
    with pytest.raises(IncompleteError, match=r"^uv.lock:\d+: The dependencies of App cannot be installed: .*modern-28==1.0 has no"):
        staged(root, tmp_path / "work", function(runtime="python3.11"), policy(index=local_index))


def test_a_lock_says_line_hash_and_way_of_each_distribution(tmp_path: Path, local_index: str) -> None:
    root = locked(tmp_path, local_index, {"pyproject.toml": PROJECT, "src/app.py": ""})
    leaf = distribution(staged(root, tmp_path / "work", None, policy(index=local_index)), "leaf")
    lines = (root / "uv.lock").read_text().splitlines()
    assert leaf.location is not None
    assert leaf.location.path == "uv.lock"
    assert lines[(leaf.location.line or 0) - 1] == 'name = "leaf"'
    assert leaf.via == ("top", "middle")
    assert leaf.hashes == (sha256(wheel("leaf", "1.0")[1]),)
    assert leaf.index == local_index


def test_in_a_workspace_the_member_that_holds_the_code_counts(tmp_path: Path, local_index: str) -> None:
    files = {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["functions/*"]\n',
        "functions/a/pyproject.toml": MEMBER.format(name="a", dependencies='"plain==1.0"'),
        "functions/a/src/app.py": "",
        "functions/b/pyproject.toml": MEMBER.format(name="b", dependencies='"leaf"'),
        "functions/b/app.py": "",
        "functions/c/pyproject.toml": MEMBER.format(name="c", dependencies='"a"') + "[tool.uv.sources]\na = {workspace = true}\n",
        "functions/c/app.py": "",
        "elsewhere/app.py": "",
    }
    root = locked(tmp_path, local_index, files)
    rules = policy(index=local_index)
    assert names(staged(root, tmp_path / "a", function("functions/a/src"), rules)) == {"plain": "1.0"}
    assert names(staged(root, tmp_path / "b", function("functions/b"), rules)) == {"leaf": "1.0"}
    with pytest.raises(IncompleteError, match="the code lies in none of its members"):
        staged(root, tmp_path / "d", function("elsewhere"), rules)


HEADER = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n'
OWN = '[[package]]\nname = "orders"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "x" }]\n'


@pytest.mark.parametrize(
    "source",
    [
        'path = "x-1.0.whl"', 'git = "https://example.com/x.git#abc"', 'git = "https://user:secret@example.com/x.git#abc"',
        'url = "https://example.com/x-1.0.tar.gz"',
    ],
)  # fmt: skip
def test_what_a_uv_lock_takes_from_elsewhere_than_an_index_is_refused_at_its_line(tmp_path: Path, source: str) -> None:
    lock = f'{HEADER}{OWN}[[package]]\nname = "x"\nversion = "1.0"\nsource = {{ {source} }}\n'
    message = refusal(tmp_path, {"uv.lock": lock})
    assert message.startswith(f"uv.lock:10: x does not come from an index ({source.partition(' ')[0]} ")
    assert "secret" not in message


def test_a_dependency_that_other_platforms_take_from_elsewhere_is_no_concern(tmp_path: Path, local_index: str) -> None:
    own = OWN.replace('{ name = "x" }', '{ name = "x", marker = "sys_platform == \'win32\'" }')
    lock = f'{HEADER}{own}[[package]]\nname = "x"\nversion = "1.0"\nsource = {{ git = "https://example.com/x.git?rev=a#{"a" * 40}" }}\n'
    root = write(tmp_path / "project", {"src/app.py": "", "uv.lock": lock})
    assert staged(root, tmp_path / "work", None, policy(index=local_index)).distributions == ()


@pytest.mark.parametrize(
    ("lock", "reason"),
    [
        ("not toml [", "uv.lock: Not valid TOML"),
        (b"\xff", "uv.lock: Not valid TOML"),
        ("a = " + "[" * 5000, "uv.lock: Not valid TOML"),
        ("package = 1\n", "Not a usable uv.lock: `package` is not a list of tables"),
        ('requires-python = "?"\n', "uv.lock: requires-python is '?'"),
        ('requires-python = ">=3.14"\n', "The lock is for Python >=3.14, and the runtime has 3.13"),
        ('[[package]]\nname = "a b"\nsource = {virtual = "."}\n', "the package 'a b' has no name or no source"),
        ('[[package]]\nname = "a"\nsource = {virtual = "../.."}\n', "the code lies in none of its members"),
        ('[manifest]\nmembers = ["a"]\n[[package]]\nname = "a"\nsource = {virtual = "../.."}\n', "a lies in '../..'"),
        ("version = 99\n" + OWN.replace('{ name = "x" }', ""), "The lock cannot be read: "),
        (HEADER + OWN, "The lock cannot be read: "),
    ],
)
def test_a_uv_lock_that_cannot_be_used_is_incomplete(tmp_path: Path, lock: str | bytes, reason: str) -> None:
    assert reason in refusal(tmp_path, {"uv.lock": lock})


def test_a_locked_hash_that_the_index_does_not_have_is_refused_at_its_line(tmp_path: Path, local_index: str) -> None:
    root = locked(tmp_path, local_index, {"pyproject.toml": PROJECT, "src/app.py": ""})
    lock = (root / "uv.lock").read_text()
    right = sha256(wheel("leaf", "1.0")[1])
    assert right in lock
    message = refusal(tmp_path, {"uv.lock": lock.replace(right, "sha256:" + "0" * 64)}, local_index)
    assert message.startswith("uv.lock:")
    assert "Hash mismatch for `leaf==1.0`" in message
    assert "find out why before you lock again" in message


PYLOCK = 'lock-version = "1.0"\ncreated-by = "test"\nrequires-python = ">=3.11"\n'


def package(name: str, more: str = "", version: str = "1.0") -> str:
    file, data = wheel(name, version)
    return (
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{more}\n'
        f'wheels = [{{ url = "https://example.com/{file}", hashes = {{ sha256 = "{sha256(data).removeprefix("sha256:")}" }} }}]\n'
    )


def test_a_pylock_ships_what_its_markers_and_default_groups_say(tmp_path: Path, local_index: str) -> None:
    lock = PYLOCK + 'default-groups = ["main"]\ndependency-groups = ["main", "dev"]\n'
    lock += package("plain", "marker = \"'main' in dependency_groups\"")
    lock += package("leaf", "marker = \"'dev' in dependency_groups\"") + package("ghost", "marker = \"sys_platform == 'win32'\"")
    root = write(tmp_path / "project", {"src/app.py": "", "src/pylock.toml": lock})
    tree = staged(root, tmp_path / "work", None, policy(index=local_index))
    assert names(tree) == {"plain": "1.0"}
    assert "plain.py" in paths(tree)
    assert str(distribution(tree, "plain").location) == "src/pylock.toml:7"
    assert distribution(tree, "plain").index == local_index
    assert tree.problems == ()


@pytest.mark.parametrize(
    ("lock", "reason"),
    [
        ("", "Not a valid pylock.toml"),
        (PYLOCK.replace("1.0", "9.0") + "packages = []\n", "Not a valid pylock.toml"),
        (PYLOCK.replace("3.11", "3.14") + package("plain"), "The lock is for Python >=3.14, and the runtime has 3.13"),
        (PYLOCK + "environments = [\"sys_platform == 'win32'\"]\n" + package("plain"), "The lock is for other platforms"),
        (PYLOCK + package("plain") + package("plain", version="2.0"), "src/pylock.toml:10: plain stands in the lock twice"),
        (PYLOCK + '[[packages]]\nname = "x"\ndirectory = { path = "x" }\n', "src/pylock.toml:5: The local package x is not there: 'src/x'"),
        (PYLOCK + f'[[packages]]\nname = "x"\nvcs = {{ type = "git", url = "https://example.com", commit-id = "{"a" * 40}" }}\n',
         "x does not come from an index"),
        (PYLOCK + f'[[packages]]\nname = "x"\narchive = {{ url = "https://example.com/x.zip", hashes = {{ sha256 = "{"a" * 64}" }} }}\n',
         "x does not come from an index"),
        (PYLOCK + '[[packages]]\nname = "x"\nversion = "1"\n'
         'wheels = [{ url = "https://example.com/x-1-py3-none-any.whl", hashes = { md5 = "a" } }]\n', "x has no hash in the lock"),
    ],
)  # fmt: skip
def test_a_pylock_that_cannot_be_used_is_incomplete(tmp_path: Path, lock: str, reason: str) -> None:
    assert reason in refusal(tmp_path, {"src/pylock.toml": lock})
