"""What another tool installed beside the lock: other versions, too many, too few, and what nobody can name."""

from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.model.tree import Origin, ProblemKind, Source
from tests.packing.builds import APP, build, installed, problems
from tests.packing.staging import distribution, function, policy, write

HASH = f"--hash=sha256:{'a' * 64}"
SOURCE = {"app.py": APP, "requirements.txt": f"lib==1.0 {HASH}\n"}


def test_a_build_that_has_what_the_lock_says_agrees_with_it(tmp_path: Path) -> None:
    tree = build(tmp_path, {"app.py": APP, **installed("lib")}, source=SOURCE)
    assert (tree.agrees_with, tree.problems, tree.inputs) == ("src/requirements.txt", (), ("src/requirements.txt",))
    assert str(distribution(tree, "lib").location) == "src/requirements.txt:1"


def test_another_version_is_told_at_the_line_of_the_lock(tmp_path: Path) -> None:
    tree = build(tmp_path, {"app.py": APP, **installed("lib", "1.1")}, source=SOURCE)
    [problem] = problems(tree, ProblemKind.LOCK_MISMATCH)
    assert problem.message == "lib 1.1 is in the build, and src/requirements.txt says ==1.0."
    assert (str(problem.location), tree.agrees_with) == ("src/requirements.txt:1", None)


def test_what_the_lock_does_not_know_is_told(tmp_path: Path) -> None:
    tree = build(tmp_path, {"app.py": APP, **installed("lib"), **installed("guest")}, source=SOURCE)
    [problem] = problems(tree, ProblemKind.LOCK_MISMATCH)
    assert problem.message == "guest 1.0 is in the build, and src/requirements.txt does not know it."


def test_a_list_that_is_no_lock_cannot_say_what_is_too_much(tmp_path: Path) -> None:
    source = {"app.py": APP, "requirements.txt": "lib>=1\n"}
    tree = build(tmp_path, {"app.py": APP, **installed("lib"), **installed("guest")}, source=source)
    assert [one.kind for one in tree.problems] == [ProblemKind.UNLOCKED]
    assert tree.agrees_with is None


def test_a_constraint_holds_too(tmp_path: Path) -> None:
    source = {"app.py": APP, "requirements.txt": "lib\n-c limits.txt\n", "limits.txt": "guest<1\n"}
    tree = build(tmp_path, {"app.py": APP, **installed("lib"), **installed("guest")}, source=source)
    assert [one.message for one in problems(tree, ProblemKind.LOCK_MISMATCH)] == [
        "guest 1.0 is in the build, and src/requirements.txt says <1."]  # fmt: skip


def test_what_is_not_there_is_not_installed(tmp_path: Path) -> None:
    tree = build(tmp_path, {"app.py": APP}, source=SOURCE)
    [problem] = tree.problems
    assert (problem.kind, problem.key) == (ProblemKind.NOT_INSTALLED, "lib")
    assert problem.message == "lib==1.0 stands in src/requirements.txt, and is not in the build."


def test_where_metadata_was_taken_out_nobody_can_say(tmp_path: Path) -> None:
    """Slimming tools remove `.dist-info`: the modules are there, and nothing names them."""
    tree = build(tmp_path, {"app.py": APP, "lib.py": "version = '1.0'\n"}, source=SOURCE)
    [problem] = tree.problems
    assert (problem.kind, problem.key) == (ProblemKind.UNIDENTIFIED, "lib")
    assert "no .dist-info names it, and these are nobody's: lib.py" in problem.message


def test_the_list_in_the_build_is_used_where_the_source_is_not_known(tmp_path: Path) -> None:
    tree = build(tmp_path, {"app.py": APP, "requirements.txt": SOURCE["requirements.txt"], **installed("lib", "2.0")})
    assert [one.kind for one in tree.problems] == [ProblemKind.LOCK_MISMATCH]
    assert str(tree.problems[0].location) == "built/requirements.txt:1"


def test_a_list_that_is_refused_here_is_a_note(tmp_path: Path) -> None:
    """The other tool may install what shipsafe would not; the audit of what is there does not need the list."""
    tree = build(tmp_path, {"app.py": APP, **installed("lib")}, source={"app.py": APP, "requirements.txt": "--pre\nlib\n"})
    assert tree.problems == ()
    assert tree.notes[0].startswith("The build was not compared with src/requirements.txt: src/requirements.txt:1: ")


PYLOCK = """\
lock-version = "1.0"
created-by = "test"
[[packages]]
name = "lib"
version = "1.0"
index = "{index}"
wheels = [{{name = "lib-1.0-py3-none-any.whl", url = "https://files.example/lib-1.0-py3-none-any.whl", hashes = {{sha256 = "{hash}"}}}}]
"""


@pytest.mark.parametrize(
    ("index", "doubt"),
    [
        ("https://pypi.org/simple", ""),
        ("https://me:pw@acme.example/simple", "is locked from https://acme.example/simple, which advisories do not cover"),
        ("https://mirror.example/simple", ""),
    ],
)
def test_pypis_advisories_do_not_speak_of_another_index(tmp_path: Path, index: str, doubt: str) -> None:
    source = {"app.py": APP, "pylock.toml": PYLOCK.format(index=index, hash="a" * 64)}
    rules = replace(policy(), pypi_mirrors=("https://mirror.example/simple",))
    found = distribution(build(tmp_path, {"app.py": APP, **installed("lib")}, source=source, policy=rules), "lib")
    assert (found.source, found.index, found.doubt) == (Source.PREBUILT, None, doubt)


@pytest.mark.parametrize("version", ["1.0+local", "1.0"])
def test_a_local_version_is_the_version(tmp_path: Path, version: str) -> None:
    tree = build(tmp_path, {"app.py": APP, **installed("lib", version)}, source=SOURCE)
    assert problems(tree, ProblemKind.LOCK_MISMATCH) == []


def test_a_package_of_the_repository_is_its_own_code(tmp_path: Path) -> None:
    """pip and uv write `direct_url.json` for it; the list that names its folder says the same."""
    note = {"acme_common-1.0.dist-info/direct_url.json": b'{"url": "file:///build/common", "dir_info": {}}'}
    project = {"common/pyproject.toml": '[project]\nname = "acme-common"\nversion = "1.0"\n', "common/acme_common.py": "x = 1\n"}
    source = {"app.py": APP, "requirements.txt": "./common\n", **project}
    tree = build(tmp_path, {"app.py": APP, **installed("acme_common", changed=note)}, source=source)
    assert distribution(tree, "acme-common").source is Source.LOCAL
    assert next(entry for entry in tree.entries if entry.path == "acme_common.py").origin is Origin.CODE
    assert problems(tree, ProblemKind.LOCK_MISMATCH) == []


@pytest.mark.parametrize(("skip_build", "expected"), [(False, ["lib"]), (True, [])])
def test_a_lock_above_what_ships_as_it_lies_is_something_elses(tmp_path: Path, skip_build: bool, expected: list[str]) -> None:  # noqa: FBT001 - parametrized
    """Above an asset of CDK stands the list of the CDK application, which the function never had."""
    write(tmp_path / "project", {"requirements.txt": SOURCE["requirements.txt"]})
    tree = build(tmp_path, {"app.py": APP}, source={"app.py": APP}, subject=function("built", skip_build=skip_build))
    assert [one.key for one in problems(tree, ProblemKind.NOT_INSTALLED)] == expected
