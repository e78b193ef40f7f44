"""What uv installs ships, nothing that uv added does, and what uv cannot do is said in our words with the line that asked for it."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipsafe.adapters.process import Finished
from shipsafe.adapters.uv import PYPI, reason
from shipsafe.errors import ConfigError, IncompleteError, ShipsafeError
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, Origin, ProblemKind, Source, StagedTree
from tests.packing.conftest import MIDDLE
from tests.packing.loopback import index, sha256, wheel
from tests.packing.staging import distribution, function, layer, paths, policy, staged, write


def install(tmp_path: Path, url: str, requirements: str, **options: object) -> StagedTree:
    root = write(tmp_path / "project", {"src/requirements.txt": requirements, "src/app.py": ""})
    return staged(root, tmp_path / "work", function(**options), policy(index=url))  # type: ignore[arg-type]  # as `function` takes them


def failure(tmp_path: Path, url: str, requirements: str) -> str:
    with pytest.raises(IncompleteError) as caught:
        install(tmp_path, url, requirements)
    return str(caught.value)


def test_every_distribution_says_where_it_came_from_and_who_brought_it(tmp_path: Path, local_index: str) -> None:
    tree = install(tmp_path, local_index, "# ours\ntop[more]\n")
    assert [one.name for one in tree.distributions] == ["extra-part", "leaf", "middle", "top"]
    leaf = distribution(tree, "leaf")
    assert (leaf.version, leaf.source, leaf.index, leaf.via) == ("1.0", Source.INDEX, local_index, ("top", "middle"))
    assert leaf.hashes == (sha256(wheel("leaf", "1.0")[1]),)
    assert str(leaf.location) == "src/requirements.txt:2"
    assert "leaf.py" in leaf.paths
    assert leaf.dist_info == "leaf-1.0.dist-info"
    assert distribution(tree, "top").requires == ("extra-part", "middle")
    assert distribution(tree, "extra-part").via == ("top",)
    assert tree.python == "3.13"
    assert tree.platform == "x86_64-manylinux_2_34"
    assert tree.inputs == ("src/requirements.txt",)
    origins = {entry.path: (entry.origin, str(entry.location)) for entry in tree.entries}
    assert origins["top.py"] == (Origin.DEPENDENCY, "src/requirements.txt:2")
    assert origins["app.py"] == (Origin.CODE, "src/app.py")


def test_in_a_compiled_list_being_named_does_not_make_a_dependency_direct(tmp_path: Path, local_index: str) -> None:
    tree = install(tmp_path, local_index, "leaf==1.0\nmiddle==1.0\nplain==1.0\n")
    assert distribution(tree, "leaf").via == ("middle",)
    assert str(distribution(tree, "leaf").location) == "src/requirements.txt:1"
    assert distribution(tree, "plain").via == ()


def test_nothing_that_uv_adds_for_this_machine_ships(tmp_path: Path, local_index: str) -> None:
    tree = install(tmp_path, local_index, "scripted\nuncompiled\n")
    assert paths(tree) == [
        "app.py", "bin/data.sh", "bin/shell-tool", "requirements.txt",
        *(f"scripted-1.0.dist-info/{name}" for name in ("INSTALLER", "METADATA", "RECORD", "REQUESTED", "WHEEL", "entry_points.txt")),
        "scripted.py",
        *(f"uncompiled-1.0.dist-info/{name}" for name in ("INSTALLER", "METADATA", "RECORD", "REQUESTED", "WHEEL")),
        "uncompiled.pyc",
    ]  # fmt: skip
    modes = {entry.path: entry.mode for entry in tree.entries}
    assert modes["bin/data.sh"] == PROGRAM_MODE
    assert modes["scripted.py"] == FILE_MODE
    for one in tree.distributions:
        record = next(entry for entry in tree.entries if entry.path == f"{one.dist_info}/RECORD")
        named = {row[0] for row in csv.reader(record.source.read_text(encoding="utf-8").splitlines())}
        assert named == set(one.paths)
        assert named <= set(paths(tree))
    assert not any(str(tmp_path).encode() in entry.source.read_bytes() for entry in tree.entries)


def test_two_machines_stage_the_same_bytes(tmp_path: Path, local_index: str) -> None:
    trees = []
    for name, mask in (("one", 0o022), ("another/place", 0o077)):
        before = os.umask(mask)
        try:
            trees.append(install(tmp_path / name, local_index, "scripted\ntop[more]\nnative\n"))
        finally:
            os.umask(before)
    assert trees[0].content_digest == trees[1].content_digest
    assert trees[0].distributions == trees[1].distributions


def test_staging_does_not_write_into_uvs_cache(tmp_path: Path, local_index: str) -> None:
    """Code replaces a file that is a hard link into the cache; the next function must get the original."""
    root = write(tmp_path / "project", {"a/requirements.txt": "scripted", "a/scripted.py": "ours", "b/requirements.txt": "scripted"})
    staged(root, tmp_path / "first", function("a"), policy(index=local_index))
    tree = staged(root, tmp_path / "second", function("b"), policy(index=local_index))
    assert next(entry for entry in tree.entries if entry.path == "scripted.py").source.read_bytes() == b"def main(): ...\n"


def test_the_wheel_of_the_functions_processor_is_taken(tmp_path: Path, local_index: str) -> None:
    for architecture, ending in (("x86_64", b"x86"), ("arm64", b"arm")):
        tree = install(tmp_path / architecture, local_index, "native", architecture=architecture)
        native = next(entry for entry in tree.entries if entry.path == "native/_fast.so")
        assert native.source.read_bytes().endswith(ending)


@pytest.mark.parametrize(
    ("runtime", "architecture", "name", "fits"),
    [
        ("python3.13", "x86_64", "modern-28", True),
        ("python3.12", "arm64", "modern-28", True),
        ("python3.14", "x86_64", "modern-34", True),
        ("python3.13", "x86_64", "modern-39", False),
        ("python3.11", "x86_64", "modern-28", False),
        ("python3.9", "arm64", "modern-28", False),
        ("python3.11", "x86_64", "modern-34", False),
    ],
)
def test_wheels_are_chosen_by_the_glibc_of_the_runtime(
    tmp_path: Path, local_index: str, runtime: str, architecture: str, name: str, *, fits: bool
) -> None:
    """Python 3.12 and later run on Amazon Linux 2023 (GLIBC 2.34), earlier ones on Amazon Linux 2 (2.26)."""
    if fits:
        tree = install(tmp_path, local_index, name, runtime=runtime, architecture=architecture)
        assert distribution(tree, name).version == "1.0"
        return
    with pytest.raises(IncompleteError, match=name):
        install(tmp_path, local_index, name, runtime=runtime, architecture=architecture)


def test_a_layer_has_its_dependencies_below_python(tmp_path: Path, local_index: str) -> None:
    root = write(tmp_path / "project", {"layer/requirements.txt": "plain==1.0", "layer/lib.py": ""})
    tree = staged(root, tmp_path / "work", layer(), policy(index=local_index))
    assert "python/plain.py" in paths(tree)
    assert "python/lib.py" in paths(tree)
    assert distribution(tree, "plain").source is Source.INDEX
    assert "python/plain.py" in distribution(tree, "plain").paths


def test_code_wins_over_a_dependency_and_it_is_said_once_for_each_name(tmp_path: Path, local_index: str) -> None:
    files = {"src/requirements.txt": "plain==1.0\nnative", "src/plain.py": "mine", "src/native/_fast.so": "mine", "src/native/new.py": ""}
    tree = staged(write(tmp_path / "project", files), tmp_path / "work", None, policy(index=local_index))
    collisions = [one for one in tree.problems if one.kind is ProblemKind.NAME_COLLISION]
    assert [(one.key, str(one.location)) for one in collisions] == [("native/", "src/native/_fast.so"), ("plain.py", "src/plain.py")]
    assert next(entry for entry in tree.entries if entry.path == "plain.py").source.read_text() == "mine"


def test_a_folder_of_the_code_where_a_dependency_has_a_file_is_refused(tmp_path: Path, local_index: str) -> None:
    root = write(tmp_path / "project", {"src/requirements.txt": "plain", "src/plain.py/x.py": ""})
    with pytest.raises(IncompleteError, match=r"src/plain.py/x.py: plain.py/x.py is a file in the code and a folder in a dependency"):
        staged(root, tmp_path / "work", None, policy(index=local_index))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("plain", "plain is not locked (no exact version)"),
        ("plain==1.*", "plain is not locked (no exact version)"),
        ("plain==1.0", "plain is not locked (no hash)"),
    ],
)
def test_what_is_not_locked_is_said(tmp_path: Path, local_index: str, line: str, why: str) -> None:
    (problem,) = install(tmp_path, local_index, line).problems
    assert problem.kind is ProblemKind.UNLOCKED
    assert why in problem.message
    assert (problem.key, str(problem.location)) == ("src/requirements.txt", "src/requirements.txt:1")


def test_hashes_are_verified_and_are_asked_of_all(tmp_path: Path, local_index: str) -> None:
    good, bad = sha256(wheel("leaf", "1.0")[1]), "sha256:" + "0" * 64
    middle = f"middle==1.0 --hash={sha256(wheel('middle', '1.0', requires=MIDDLE)[1])}"
    tree = install(tmp_path / "good", local_index, f"leaf==1.0 --hash={good} --hash={bad}\n{middle}\n")
    assert tree.problems == ()
    assert distribution(tree, "leaf").hashes == (bad, good)
    message = failure(tmp_path / "bad", local_index, f"\nleaf==1.0 --hash={bad}\n")
    assert message.startswith("src/requirements.txt:2: The dependencies of App cannot be installed: ")
    assert "Hash mismatch" in message
    assert "leaf, which App needs, has no hash" in failure(tmp_path / "missing", local_index, middle)


def test_a_constraint_holds_with_its_hash(tmp_path: Path, local_index: str) -> None:
    root = write(tmp_path / "project", {"src/requirements.txt": "plain\n-c limits.txt\n", "src/limits.txt": "plain<2\n"})
    assert distribution(staged(root, tmp_path / "a", None, policy(index=local_index)), "plain").version == "1.0"
    write(root, {"src/limits.txt": "plain<2 --hash=sha256:" + "0" * 64})
    with pytest.raises(IncompleteError, match="Hash mismatch"):
        staged(root, tmp_path / "b", None, policy(index=local_index))


def test_a_source_distribution_is_refused_with_the_way_out(tmp_path: Path, local_index: str, marker: Path) -> None:
    message = failure(tmp_path, local_index, "plain\nneeds-sourced\n")
    assert message == (
        "src/requirements.txt:2: sourced 1.0, which App needs, has no wheel for python3.13 on x86_64, only a source distribution, which "
        'would run code at build time. Choose a version with wheels, or allow it with `allow-sdist = ["sourced"]` under '
        "[gates.dependencies]."
    )
    assert not marker.exists()


def test_a_source_distribution_that_the_policy_names_is_built_and_no_other(tmp_path: Path, local_index: str, marker: Path) -> None:
    root = write(tmp_path / "project", {"src/requirements.txt": "needs-sourced\nplain==1.0\n"})
    with pytest.raises(IncompleteError, match=r"sourced 1.0, which App needs, has no wheel"):
        staged(root, tmp_path / "a", None, policy(index=local_index, allow_sdist=("plain",)))
    assert not marker.exists()
    tree = staged(root, tmp_path / "b", None, policy(index=local_index, allow_sdist=("Sourced", "plain")))
    marker.unlink(missing_ok=True)
    assert "sourced.py" in paths(tree)
    assert "plain.py" in paths(tree)
    assert not any(entry.path.endswith(("uv_build.json", "uv_cache.json", "direct_url.json")) for entry in tree.entries)


@pytest.mark.parametrize(
    ("lines", "start", "words"),
    [
        ("plain\nno-such-thing==1", "src/requirements.txt:2: The dependencies of App cannot be installed: ", "no-such-thing"),
        ("plain==9", "src/requirements.txt:1: The dependencies of App cannot be installed: ", "no version of plain==9"),
        ("leaf\nplain<2\nplain>1", "src/requirements.txt:2: ", "plain<2"),
    ],
)
def test_what_cannot_be_resolved_has_uvs_reason_and_the_line(tmp_path: Path, local_index: str, lines: str, start: str, words: str) -> None:
    message = failure(tmp_path, local_index, lines)
    assert message.startswith(start)
    assert words in message
    assert "╰" not in message
    assert "No solution found" not in message


def test_a_file_that_is_not_what_its_record_says_is_refused(tmp_path: Path, local_index: str) -> None:
    """uv checks a download; what lies in its cache may have been written to since."""
    assert "liar.py is not what its RECORD says" in failure(tmp_path, local_index, "liar")


def test_offline_nothing_is_fetched_and_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    root = write(tmp_path / "project", {"src/requirements.txt": "plain"})
    with pytest.raises(IncompleteError, match=r"Run once without --offline to fill uv's cache"):
        staged(root, tmp_path / "work", offline=True)


@pytest.fixture
def two_indexes() -> Iterator[tuple[str, str]]:
    """A public one and a private one; `shared` is on both."""
    with index(wheel("public", "1.0"), wheel("shared", "2.0")) as public, index(wheel("private", "1.0"), wheel("shared", "1.0")) as private:
        yield public, private


@pytest.mark.usefixtures("local_index")
def test_with_several_indexes_each_distribution_says_which_one_had_it(tmp_path: Path, two_indexes: tuple[str, str]) -> None:
    """A name is taken from the first index that has it at all: a newer version on another must not win."""
    public, private = two_indexes
    root = write(tmp_path / "project", {"src/requirements.txt": "public\nprivate\nshared\n"})
    tree = staged(root, tmp_path / "work", None, policy(index=public, extra=(private,)))
    assert {one.name: (one.version, one.index) for one in tree.distributions} == {
        "private": ("1.0", private), "public": ("1.0", public), "shared": ("1.0", private)}  # fmt: skip


@pytest.mark.usefixtures("local_index")
def test_credentials_of_an_index_are_shown_nowhere(tmp_path: Path, two_indexes: tuple[str, str]) -> None:
    public = two_indexes[0]
    secret = public.replace("http://", "http://user:hunter2@")
    root = write(tmp_path / "project", {"src/requirements.txt": "public\n"})
    tree = staged(root, tmp_path / "a", None, policy(index=secret))
    assert "hunter2" not in repr(tree)
    assert distribution(tree, "public").index == public
    with pytest.raises(ShipsafeError) as caught:
        staged(write(root, {"src/requirements.txt": "none"}), tmp_path / "b", None, policy(index=secret))
    assert "hunter2" not in str(caught.value)
    failed = Finished(returncode=2, stdout="", stderr="error: Failed to fetch: `https://user:hunter2@example.com/simple/x/`")
    assert reason(failed) == "Failed to fetch: `https://example.com/simple/x/`"


def test_advice_of_uv_to_look_away_is_not_handed_on() -> None:
    advice = "error: The wheel has an inconsistent version. If this is intentional, set `UV_SKIP_WHEEL_FILENAME_CHECK=1`.\n"
    assert reason(Finished(returncode=2, stdout="", stderr=advice)) == "The wheel has an inconsistent version."


def test_the_configured_requirements_of_a_plain_folder_are_used(tmp_path: Path, local_index: str) -> None:
    root = write(tmp_path / "project", {"src/app.py": "", "lists/prod.txt": "plain==1.0", "src/requirements.txt": "leaf"})
    tree = staged(root, tmp_path / "a", function(requirements="lists/prod.txt"), policy(index=local_index))
    assert [one.name for one in tree.distributions] == ["plain"]
    with pytest.raises(IncompleteError, match=r"The requirements of App are not there: lists/none.txt"):
        staged(root, tmp_path / "b", function(requirements="lists/none.txt"), policy(index=local_index))


def test_two_kinds_of_lock_at_one_level_are_for_the_policy_to_choose(tmp_path: Path, local_index: str) -> None:
    root = write(tmp_path / "project", {"src/requirements.txt": "plain==1.0", "src/uv.lock": "", "requirements.txt": "leaf"})
    with pytest.raises(ConfigError, match=r'^src: requirements.txt and uv.lock stand beside each other.*`lock = "uv.lock"`'):
        staged(root, tmp_path / "a", None, policy(index=local_index))
    tree = staged(root, tmp_path / "b", None, policy(index=local_index, lock="requirements.txt"))
    assert [one.name for one in tree.distributions] == ["plain"]
    with pytest.raises(ConfigError, match="no kind of lock"):
        staged(root, tmp_path / "c", None, policy(lock="conda-lock.yml"))


def test_the_nearest_list_upward_to_the_project_root_counts(tmp_path: Path, local_index: str) -> None:
    files = {"requirements.txt": "plain==1.0", "project/requirements.txt": "plain==2.0", "project/a/b/app.py": "", "project/c/app.py": "",
             "project/c/requirements.txt": ""}  # fmt: skip
    root = write(tmp_path, files) / "project"
    assert distribution(staged(root, tmp_path / "w1", function("a/b"), policy(index=local_index)), "plain").version == "2.0"
    assert staged(root, tmp_path / "w2", function("c"), policy(index=local_index)).distributions == ()


@pytest.mark.registry
def test_real_wheels_from_pypi_for_another_processor(tmp_path: Path) -> None:
    tree = install(tmp_path, PYPI, "markupsafe==3.0.2\nidna==3.10\n", architecture="arm64")
    assert any(entry.path.endswith("_speedups.cpython-313-aarch64-linux-gnu.so") for entry in tree.entries)
    assert {one.name: (one.version, one.index) for one in tree.distributions} == {
        "idna": ("3.10", PYPI), "markupsafe": ("3.0.2", PYPI)}  # fmt: skip
    assert not any(entry.path.startswith("bin/") for entry in tree.entries)


@pytest.mark.registry
def test_a_real_source_distribution_is_refused(tmp_path: Path) -> None:
    message = failure(tmp_path, PYPI, "\nnum2words==0.5.14\n")
    assert message.startswith("src/requirements.txt:2: docopt 0.6.2, which App needs, has no wheel for python3.13 on x86_64")
