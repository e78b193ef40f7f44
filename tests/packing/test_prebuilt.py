"""What another tool staged: each file is a dependency's only where RECORD proves it, and nobody's word is taken for an origin."""

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError
from shipsafe.model.project import CodeKind
from shipsafe.model.tree import Origin, ProblemKind, Source
from tests.packing.builds import APP, build, installed, problems, zipped
from tests.packing.staging import distribution, function, layer, paths, policy, staged, write


def test_files_of_a_record_are_dependencies_and_all_others_are_code(tmp_path: Path) -> None:
    tree = build(tmp_path, {"app.py": APP, **installed("lib"), "lib_extra.py": b"nobody's"})
    origins = {entry.path: entry.origin for entry in tree.entries}
    assert {path for path, origin in origins.items() if origin is Origin.CODE} == {"app.py", "lib_extra.py"}
    assert origins["lib.py"] is origins["lib-1.0.dist-info/RECORD"] is origins["lib-1.0.dist-info/METADATA"] is Origin.DEPENDENCY
    found = distribution(tree, "lib")
    assert (found.version, found.source, found.index, found.hashes) == ("1.0", Source.PREBUILT, None, ())
    assert "lib.py" in found.paths
    assert not tree.prebuilt, "every gate is asked about it"
    assert (tree.python, tree.platform, tree.problems) == ("3.13", None, ())


def test_a_changed_file_is_code_and_is_told(tmp_path: Path) -> None:
    tree = build(tmp_path, {"app.py": APP, **installed("lib", changed={"lib.py": b"import os\n"})})
    assert next(entry for entry in tree.entries if entry.path == "lib.py").origin is Origin.CODE
    [problem] = problems(tree, ProblemKind.MODIFIED)
    assert (problem.key, str(problem.location)) == ("lib", "built/lib.py")
    assert problem.message == "lib 1.0 is not what was published: its RECORD has other hashes for lib.py."


def test_a_file_of_two_distributions_is_right_when_one_record_has_its_hash(tmp_path: Path) -> None:
    first = installed("first", files={"tests/__init__.py": b"first"})
    second = installed("second", files={"tests/__init__.py": b"second"})
    tree = build(tmp_path, {"app.py": APP, **first, **second})
    assert problems(tree, ProblemKind.MODIFIED) == []


def test_a_row_without_a_hash_proves_nothing(tmp_path: Path) -> None:
    record = b"lib.py,,\nother.py,md5=abc,3\nlib-1.0.dist-info/RECORD,,\n"
    files = installed("lib", changed={"lib-1.0.dist-info/RECORD": record, "other.py": b"x"})
    tree = build(tmp_path, {"app.py": APP, **files})
    assert {entry.path for entry in tree.entries if entry.origin is Origin.DEPENDENCY} == {"lib-1.0.dist-info/RECORD"}


def test_longer_digests_and_pips_rows_for_scripts_count(tmp_path: Path) -> None:
    script = b"#!/bin/sh\n"
    digest = base64.urlsafe_b64encode(hashlib.sha512(script).digest()).decode()
    short = base64.urlsafe_b64encode(hashlib.sha256(script).digest()).rstrip(b"=").decode()
    record = f"bin/long,sha512={digest},1\n../../bin/short,sha256={short},1\n../../../etc/passwd,sha256=AAAA,1\nx,sha256=???,1\n"
    files = installed("lib", changed={"lib-1.0.dist-info/RECORD": record.encode(), "bin/long": script, "bin/short": script, "x": b"x"})
    tree = build(tmp_path, {"app.py": APP, **files})
    assert {entry.path for entry in tree.entries if entry.origin is Origin.DEPENDENCY} >= {"bin/long", "bin/short"}
    assert "x" in problems(tree, ProblemKind.MODIFIED)[0].message


def test_a_layer_is_taken_as_it_lies_with_its_python_folder(tmp_path: Path) -> None:
    one = layer("built")
    tree = build(tmp_path, installed("lib", base="python/"), subject=one)
    assert "python/lib.py" in paths(tree)
    assert distribution(tree, "lib").source is Source.PREBUILT
    assert all(entry.origin is Origin.DEPENDENCY for entry in tree.entries)


@pytest.mark.parametrize(
    ("changed", "doubt"),
    [
        ({"lib-1.0.dist-info/RECORD": b"\xff\xfe"}, "has no RECORD"),
        ({"lib-1.0.dist-info/direct_url.json": json.dumps({"url": "https://me:secret@example.com/lib.git"}).encode()},
         "was installed from https://example.com/lib.git"),
        ({"lib-1.0.dist-info/direct_url.json": b"[" * 100_000}, "an address that cannot be read"),
        ({"lib-1.0.dist-info/direct_url.json": b"[]"}, "an address that cannot be read"),
    ],
)  # fmt: skip
def test_metadata_that_cannot_be_believed_is_doubted_and_its_files_are_code(tmp_path: Path, changed: dict[str, bytes], doubt: str) -> None:
    tree = build(tmp_path, {"app.py": APP, **installed("lib", changed=changed)})
    found = distribution(tree, "lib")
    assert found.source is Source.BUNDLED
    assert doubt in found.doubt
    assert "secret" not in found.doubt
    assert next(entry for entry in tree.entries if entry.path == "lib.py").origin is Origin.CODE


def test_ours_is_code_of_our_own(tmp_path: Path) -> None:
    tree = build(tmp_path, {"app.py": APP, **installed("acme_pay")}, policy=replace(policy(), first_party=("acme-*",)))
    assert next(entry for entry in tree.entries if entry.path == "acme_pay.py").origin is Origin.CODE


def test_what_lies_in_the_source_is_the_sources(tmp_path: Path) -> None:
    """A vendored distribution is bundled, as it is when shipsafe builds, and code is located where people edit it."""
    files = {name: data.decode() for name, data in installed("lib").items()}
    tree = build(tmp_path, {"app.py": APP, "old.py": "x = 1\n", **files}, source={"app.py": APP, "old.py": "x = 2\n", **files})
    assert distribution(tree, "lib").source is Source.BUNDLED
    assert {str(entry.location) for entry in tree.entries if entry.path in ("app.py", "lib.py")} == {"src/app.py", "src/lib.py"}
    assert next(str(entry.location) for entry in tree.entries if entry.path == "old.py") == "built/old.py"
    assert tree.notes == ("Files of the build are not those of src, which may be newer: old.py.",)


def test_the_code_of_a_layer_lies_below_python(tmp_path: Path) -> None:
    tree = build(tmp_path, {"python/common.py": "x = 1\n", "python/made.py": ""}, source={"common.py": "x = 1\n"}, subject=layer("built"))
    assert [str(entry.location) for entry in tree.entries] == ["src/common.py", "built/python/made.py"]


def test_nothing_is_left_out_but_what_never_ships(tmp_path: Path) -> None:
    tree = build(tmp_path, {
        "app.py": APP, ".gitignore": "", "node_modules/x.js": "", "dist/y.py": "", "venv/pyvenv.cfg": "", ".shipsafeignore": "app.py",
        "__pycache__/app.cpython-313.pyc": b"", "lib.pyc": b"", ".git/HEAD": "x"})  # fmt: skip
    assert paths(tree) == [".gitignore", "app.py", "dist/y.py", "node_modules/x.js", "venv/pyvenv.cfg"]
    assert "were left out of the build: .git, .shipsafeignore, __pycache__ and 1 more" in tree.notes[0]


def test_a_zip_is_taken_like_a_folder(tmp_path: Path) -> None:
    tree = zipped(tmp_path, {"app.py": APP.encode(), **installed("lib"), "__pycache__/x.pyc": b""})
    assert not tree.prebuilt
    assert distribution(tree, "lib").source is Source.PREBUILT
    assert "__pycache__/x.pyc" not in paths(tree)
    assert not (tree.root / "__pycache__/x.pyc").exists()
    assert tree.entries[0].origin is Origin.CODE
    assert str(tree.entries[0].location) == "built.zip"


def test_slimmed_distributions_are_noted(tmp_path: Path) -> None:
    files = installed("lib", files={"lib/__init__.py": b"", "lib/tests/test_x.py": b"", "lib/x.pyc": b""})
    del files["lib/tests/test_x.py"], files["lib/x.pyc"]
    tree = build(tmp_path, {"app.py": APP, **files})
    assert tree.notes == ("1 files that the RECORD of lib names are not in the build: lib/tests/test_x.py.",)
    assert tree.problems == ()


@pytest.mark.parametrize("outside", [True, False])
def test_a_build_outside_of_the_repository_must_have_been_named(tmp_path: Path, outside: bool) -> None:  # noqa: FBT001 - parametrized
    write(tmp_path / "elsewhere", {"app.py": APP})
    root = write(tmp_path / "project", {"README": ""})
    chosen = function("../elsewhere")
    subject = replace(chosen, code=replace(chosen.code, prebuilt=True))
    if outside:
        with pytest.raises(IncompleteError, match="lies outside the repository"):
            staged(root, tmp_path / "work", subject)
    else:
        assert paths(staged(root, tmp_path / "work", subject, prebuilt=("../elsewhere",))) == ["app.py"]


def test_a_link_out_of_the_build_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "secret", {"key": "k"})
    write(tmp_path / "project" / "built", {"app.py": APP})
    (tmp_path / "project" / "built" / "key").symlink_to(tmp_path / "secret" / "key")
    tree = build(tmp_path, {})
    assert paths(tree) == ["app.py"]
    assert [one.kind for one in tree.problems] == [ProblemKind.ESCAPING_LINK]


def test_an_empty_or_missing_build_is_incomplete(tmp_path: Path) -> None:
    with pytest.raises(IncompleteError, match="no file to ship for App"):
        build(tmp_path, {"__pycache__/x.pyc": b""})
    chosen = function("gone", kind=CodeKind.FOLDER)
    with pytest.raises(IncompleteError, match="is not there: gone"):
        staged(tmp_path / "project", tmp_path / "again", replace(chosen, code=replace(chosen.code, prebuilt=True)))


def test_equal_builds_are_equal_and_a_changed_record_is_not(tmp_path: Path) -> None:
    first = build(tmp_path / "a", {"app.py": APP, **installed("lib")})
    second = build(tmp_path / "b", {"app.py": APP, **installed("lib")})
    third = build(tmp_path / "c", {"app.py": APP, **installed("lib", changed={"lib.py": b"#"})})
    assert first.content_digest == second.content_digest != third.content_digest
    assert first.fingerprint == second.fingerprint != third.fingerprint


def test_other_languages_are_taken_as_they_lie(tmp_path: Path) -> None:
    tree = build(
        tmp_path, {"bootstrap": b"\x7fELF", "requirements.txt": "lib==1.0\n"}, subject=function("built", runtime="provided.al2023")
    )
    assert (paths(tree), tree.python, tree.inputs, tree.problems) == (["bootstrap", "requirements.txt"], None, (), ())
