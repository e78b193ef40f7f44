"""What an SBOM claims of a zip is believed within what the zip shows: it can add to what is looked at, and take nothing away."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError
from shipsafe.model.claims import Claimed, SbomClaims
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.tree import Origin, ProblemKind, Source, StagedTree
from shipsafe.packing.handed_over import known_tree, take_zip
from tests.packing.builds import APP, installed, problems
from tests.packing.staging import distribution, function, policy

INDEX = "https://pypi.org/simple"
TOLD = {"app.py": APP.encode()}


def tree(
    tmp_path: Path, files: Mapping[str, bytes], claims: SbomClaims | None, *, under: Policy | None = None, runtime: str = "python3.13"
) -> StagedTree:  # fmt: skip
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    zipped = take_zip(path, tmp_path / "copy.zip", tmp_path / "tree", shown="one.zip")
    return known_tree(zipped, function(runtime=runtime), policy=under or policy(), claims=claims)


def claimed(source: Source = Source.INDEX, *, code: tuple[str, ...] = ()) -> SbomClaims:
    """That `lib` came from there."""
    one = Claimed(source=source, index=INDEX, hashes=("sha256:00",), requires=("other",), location=Location(path="r.txt", line=3))
    return SbomClaims(distributions={"lib-1.0.dist-info": one}, code=frozenset(code))


def origin(found: StagedTree, path: str) -> Origin:
    return next(entry.origin for entry in found.entries if entry.path == path)


def test_a_claim_is_taken_where_the_zip_does_not_contradict_it(tmp_path: Path) -> None:
    found = tree(tmp_path, {**TOLD, **installed("lib")}, claimed())
    lib = distribution(found, "lib")
    assert (lib.source, lib.index, lib.hashes, lib.requires, str(lib.location)) == (
        Source.INDEX,
        INDEX,
        ("sha256:00",),
        ("other",),
        "r.txt:3",
    )
    assert origin(found, "lib.py") is Origin.DEPENDENCY
    assert origin(found, "app.py") is Origin.CODE
    assert found.unproven == ()


def test_without_claims_another_tool_installed_it_and_nothing_is_proven(tmp_path: Path) -> None:
    found = tree(tmp_path, {**TOLD, **installed("lib")}, None)
    assert distribution(found, "lib").source is Source.PREBUILT
    assert set(found.unproven) == {entry.path for entry in found.entries}


@pytest.mark.parametrize(
    ("changed", "doubt"),
    [
        ({"lib-1.0.dist-info/RECORD": b"\xff"}, "has no RECORD"),
        (
            {"lib-1.0.dist-info/direct_url.json": b'{"url": "https://example.com/lib.whl"}'},
            "was installed from https://example.com/lib.whl",
        ),
    ],
)
def test_what_the_zip_says_itself_is_stronger_than_a_claim(tmp_path: Path, changed: dict[str, bytes], doubt: str) -> None:
    found = tree(tmp_path, {**TOLD, **installed("lib", changed=changed)}, claimed())
    lib = distribution(found, "lib")
    assert lib.source is Source.BUNDLED
    assert doubt in lib.doubt
    assert origin(found, "lib.py") is Origin.CODE, "so that it is linted"


def test_what_is_claimed_to_be_code_is_linted_whoever_vouches_for_it(tmp_path: Path) -> None:
    assert origin(tree(tmp_path, {**TOLD, **installed("lib")}, claimed(code=("lib.py",))), "lib.py") is Origin.CODE


@pytest.mark.parametrize("source", [Source.LOCAL, Source.BUNDLED])
def test_what_came_from_the_repository_is_code(tmp_path: Path, source: Source) -> None:
    found = tree(tmp_path, {**TOLD, **installed("lib")}, claimed(source))
    assert distribution(found, "lib").source is source
    assert distribution(found, "lib").index is None
    assert origin(found, "lib.py") is Origin.CODE


def test_a_changed_file_is_told_and_one_that_hides_it_is_a_collision(tmp_path: Path) -> None:
    files = {**TOLD, **installed("lib", files={"lib/one.py": b"1"}, changed={"lib/one.py": b"2"})}
    found = tree(tmp_path, files, claimed())
    assert [one.key for one in problems(found, ProblemKind.MODIFIED)] == ["lib"]
    assert origin(found, "lib/one.py") is Origin.CODE
    (tmp_path / "again").mkdir()
    found = tree(tmp_path / "again", files, claimed(code=("lib/one.py",)))
    assert [one.key for one in problems(found, ProblemKind.NAME_COLLISION)] == ["lib/"]
    assert problems(found, ProblemKind.MODIFIED) == []
    (tmp_path / "third").mkdir()
    found = tree(tmp_path / "third", files, claimed(Source.PREBUILT, code=("lib/one.py",)))
    assert [one.key for one in problems(found, ProblemKind.MODIFIED)] == ["lib"], "nobody built it of both"


def test_what_a_distribution_carries_inside_itself_came_with_it(tmp_path: Path) -> None:
    inner = {path: data for path, data in installed("inner", base="lib/_vendor/").items() if not path.endswith("RECORD")}
    files = {**TOLD, **installed("lib", files={"lib/__init__.py": b"", **inner})}
    both = SbomClaims(
        distributions={**claimed().distributions, "lib/_vendor/inner-1.0.dist-info": Claimed(source=Source.INDEX, index=INDEX)}
    )
    assert distribution(tree(tmp_path, files, both), "inner").source is Source.INDEX
    (tmp_path / "again").mkdir()
    assert distribution(tree(tmp_path / "again", files, claimed()), "inner").source is Source.BUNDLED, "nobody claims it"


def test_of_other_languages_no_record_vouches_for_a_file(tmp_path: Path) -> None:
    found = tree(tmp_path, {"app.js": b"", **installed("lib", changed={"lib.py": b"import os\n"})}, None, runtime="nodejs22.x")
    assert {entry.origin for entry in found.entries} == {Origin.CODE}
    assert found.problems == ()


def test_the_copy_is_looked_at_and_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("app.py", APP)
    before = path.read_bytes()
    zipped = take_zip(path, tmp_path / "copy.zip", tmp_path / "tree", shown="one.zip")
    path.write_bytes(b"another")
    assert zipped.copy.read_bytes() == before
    assert zipped.archive("function:One").entries == 1


def test_a_zip_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    with path.open("wb") as file:
        file.truncate(513 * 1024 * 1024)
    with pytest.raises(IncompleteError, match=r"Larger than 512 MiB\."):
        take_zip(path, tmp_path / "copy.zip", tmp_path / "tree", shown="one.zip")
