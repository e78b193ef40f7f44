"""The document: compared with what CycloneDX's own tools say of the same tree."""

import json
import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from shipsafe.errors import IntegrityError
from shipsafe.evidence.sbom import complete, compose, finish
from shipsafe.evidence.schema import validate
from shipsafe.model.artifact import Archive
from shipsafe.model.location import Location
from shipsafe.model.project import Code, CodeKind, Function, Layer
from shipsafe.model.tree import PROGRAM_MODE, Distribution, Source, StagedTree
from tests.evidence.conftest import entries_of

PLACE = Location(path="template.yaml", line=3)
CODE = Code(kind=CodeKind.FOLDER, path="src")
ORDERS = Function(name="Orders", runtime="python3.11", handler="app.handler", code=CODE, location=PLACE)
TOOLS = {"shipsafe": "0.1.0", "uv": "0.13.8"}


def composed(tree: StagedTree, *, epoch: int | None = 1_700_000_000, supplier: str | None = "ACME Ltd") -> dict[str, Any]:
    return compose(ORDERS, tree, epoch=epoch, tools=TOOLS, supplier=supplier)


def archive_of(tree: StagedTree) -> Archive:
    return Archive(
        subject=tree.subject,
        path=Path("package.zip"),
        sha256="a" * 64,
        sha512="b" * 128,
        code_sha256="qqqq",
        content_digest=tree.content_digest,
        size=1,
        unzipped=1,
        entries=len(tree.entries),
        compressor="deflate 0.9.0",
    )


def libraries(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {component["name"]: component for component in document["components"] if component["type"] == "library"}


def graph(document: dict[str, Any]) -> dict[str, set[str]]:
    """purl -> purls, of the libraries."""
    purls = {component["bom-ref"]: component["purl"] for component in document["components"] if component["type"] == "library"}
    return {
        purls[entry["ref"]]: {purls[ref] for ref in entry.get("dependsOn", [])}
        for entry in document["dependencies"]
        if entry["ref"] in purls
    }


@pytest.fixture(scope="module")
def second_opinion(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `cyclonedx-py environment` says of the same tree; nothing hostile is in it, so it may be on the path as it is."""
    folder = tmp_path_factory.mktemp("opinion")
    venv.create(folder / "venv")
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--of", "JSON", str(folder / "venv")]
    output = subprocess.run(command, check=True, capture_output=True, cwd=folder, env={"PYTHONPATH": str(installed)}).stdout
    document: dict[str, Any] = json.loads(output)
    return document


@pytest.mark.registry
def test_distributions_versions_and_graph_are_those_of_cyclonedx_py(real_tree: StagedTree, second_opinion: dict[str, Any]) -> None:
    ours, theirs = libraries(composed(real_tree)), libraries(second_opinion)
    assert len(ours) > 10
    assert {(name, one["version"], one["purl"]) for name, one in ours.items()} == {
        (name, one["version"], one["purl"]) for name, one in theirs.items()
    }
    assert graph(composed(real_tree)) == graph(second_opinion)


@pytest.mark.registry
def test_every_licence_that_cyclonedx_py_knows_by_its_spdx_id_is_known_to_us(real_tree: StagedTree, second_opinion: dict[str, Any]) -> None:
    def spdx(component: dict[str, Any]) -> set[str]:
        found = component.get("licenses", [])
        return {entry.get("expression") or entry["license"].get("id", "") for entry in found} - {""}

    ours = {name: spdx(one) for name, one in libraries(composed(real_tree)).items()}
    theirs = {name: spdx(one) for name, one in libraries(second_opinion).items()}
    assert {name: ids for name, ids in theirs.items() if not ids <= ours[name]} == {}
    # Their metadata says no more than "BSD License", or two licences and "Dual License": names, because all else is a guess.
    assert {name for name, ids in ours.items() if not ids} == {"Jinja2", "python-dateutil"}
    assert libraries(composed(real_tree))["Jinja2"]["licenses"][0]["license"]["name"] == "BSD License"
    assert ours["requests"] == {"Apache-2.0"}


@pytest.mark.registry
def test_a_real_document_is_valid_and_every_distribution_has_a_supplier(real_tree: StagedTree) -> None:
    document = composed(real_tree)
    assert validate(finish(document, None)) == ()
    suppliers = {name: one["supplier"]["name"] for name, one in libraries(document).items()}
    assert suppliers["requests"] == "Kenneth Reitz"
    assert suppliers["attrs"] == "Hynek Schlawack"


@pytest.mark.registry
def test_every_file_of_the_zip_is_listed_with_its_digest_and_its_distribution(real_tree: StagedTree) -> None:
    document = composed(real_tree)
    files = {one["name"]: one for one in document["components"] if one["type"] == "file"}
    digests = {name: one["hashes"] for name, one in files.items()}
    assert digests == {entry.path: [{"alg": "SHA-256", "content": entry.sha256}] for entry in real_tree.entries}
    assert {"name": "shipsafe:distribution", "value": "pkg:pypi/requests@2.32.3"} in files["requests/api.py"]["properties"]


@pytest.fixture
def small_tree(tmp_path: Path) -> StagedTree:
    """A program of the function's own, and a distribution without metadata."""
    (tmp_path / "app.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "ä b.txt").write_text("x", encoding="utf-8")
    first, *others = entries_of(tmp_path)
    bare = Distribution(name="bare", version=None, source=Source.BUNDLED)
    entries = (replace(first, mode=PROGRAM_MODE), *others)
    return StagedTree(subject="function:Orders", root=tmp_path, entries=entries, distributions=(bare,))


@pytest.mark.parametrize("subject", [ORDERS, Layer(name="Common", code=CODE, location=PLACE)])
@pytest.mark.parametrize("epoch", [None, 0, 1_700_000_000])
@pytest.mark.parametrize("supplier", [None, "ACME Ltd"])
def test_the_librarys_own_strict_validator_agrees_on_small_trees(
    small_tree: StagedTree, subject: Function | Layer, epoch: int | None, supplier: str | None
) -> None:
    document = compose(subject, small_tree, epoch=epoch, tools=TOOLS, supplier=supplier)
    for archive in (None, archive_of(small_tree)):
        data = finish(document, archive)
        assert validate(data) == ()
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(data.decode()) is None


def test_the_root_is_the_function_with_both_digests_of_the_zip(small_tree: StagedTree) -> None:
    document = json.loads(finish(composed(small_tree), archive_of(small_tree)))
    root = document["metadata"]["component"]
    assert (root["type"], root["bom-ref"], root["version"]) == ("application", "function:Orders", small_tree.content_digest)
    assert root["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}, {"alg": "SHA-512", "content": "b" * 128}]
    assert {"name": "shipsafe:code-sha256", "value": "qqqq"} in root["properties"]
    assert document["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert document["specVersion"] == "1.6"


def test_without_a_known_time_there_is_no_time(small_tree: StagedTree) -> None:
    assert "timestamp" not in composed(small_tree, epoch=None)["metadata"]


def test_completing_what_a_gate_left_gives_the_bytes_of_finishing_at_once(small_tree: StagedTree) -> None:
    document, archive = composed(small_tree), archive_of(small_tree)
    assert complete(finish(document, None), archive) == finish(document, archive)


def test_a_zip_with_other_content_is_refused(small_tree: StagedTree) -> None:
    other = replace(archive_of(small_tree), content_digest="sha256:" + "0" * 64)
    with pytest.raises(IntegrityError, match="lists sha256:"):
        complete(finish(composed(small_tree), None), other)


def test_the_serial_number_is_made_of_the_content(small_tree: StagedTree) -> None:
    def serial(document: dict[str, Any], archive: Archive | None = None) -> str:
        number: str = json.loads(finish(document, archive))["serialNumber"]
        return number

    document = composed(small_tree)
    assert serial(document) == serial(composed(small_tree))
    assert len({serial(document), serial(document, archive_of(small_tree)), serial(composed(small_tree, supplier="B"))}) == 3
    assert serial(document).startswith("urn:uuid:")
    assert serial(document)[23] == "5"  # the version of the UUID


def test_what_nobody_knows_is_said_to_be_unknown(small_tree: StagedTree) -> None:
    document = composed(small_tree)
    assert document["compositions"] == [
        {"aggregate": "complete", "dependencies": ["function:Orders"]},
        {"aggregate": "unknown", "dependencies": ["pkg:pypi/bare"]},
    ]
    assert graph(document) == {"pkg:pypi/bare": set()}


def with_metadata(tmp_path: Path, text: bytes, **fields: Any) -> dict[str, Any]:
    """The component of a distribution with that METADATA."""
    folder = tmp_path / "tree" / "demo-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_bytes(text)
    one = Distribution(**({"name": "demo", "version": "1.0", "source": Source.INDEX, "dist_info": folder.name} | fields))
    entries = entries_of(folder.parent)
    document = composed(StagedTree(subject="function:Orders", root=folder.parent, entries=entries, distributions=(one,)))
    assert validate(finish(document, None)) == ()
    [component] = libraries(document).values()
    return component


def test_without_an_author_the_index_is_the_supplier_and_is_marked_as_such(tmp_path: Path) -> None:
    component = with_metadata(tmp_path, b"Name: demo\nVersion: 1.0\nAuthor: UNKNOWN\n\n", index="https://pypi.org/simple")
    assert component["supplier"] == {"name": "pypi.org"}
    assert {"name": "shipsafe:supplier-from", "value": "index"} in component["properties"]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Author: Ann", "Ann"),
        ("Author-email: Ann Lee <ann@example.org>, Bo <bo@example.org>", "Ann Lee, Bo"),
        ("Author-email: ann@example.org", "ann@example.org"),
        ("Author: \nMaintainer: Bo", "Bo"),
        ("Maintainer-email: Bo <bo@example.org>", "Bo"),
    ],
)
def test_the_supplier_is_who_the_metadata_names_first(tmp_path: Path, header: str, name: str) -> None:
    component = with_metadata(tmp_path, f"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n{header}\n\n".encode())
    assert component["supplier"] == {"name": name}


def test_another_index_stands_in_the_purl_and_the_wheels_hash_beside_its_address(tmp_path: Path) -> None:
    component = with_metadata(
        tmp_path, b"Name: demo\nVersion: 1.0\n\n", index="https://packages.example.org/simple", hashes=("sha256:" + "1" * 64,)
    )
    assert component["purl"] == "pkg:pypi/demo@1.0?repository_url=https://packages.example.org/simple"
    assert component["hashes"] == [{"alg": "SHA-256", "content": "1" * 64}]
    [reference] = component["externalReferences"]
    assert reference["url"] == "https://packages.example.org/simple/demo/"
    assert reference["hashes"] == component["hashes"]


def test_several_wheels_are_several_references_and_no_hash_of_the_component(tmp_path: Path) -> None:
    hashes = ("sha256:" + "1" * 64, "sha256:" + "2" * 64, "md5:abc", "nonsense")
    component = with_metadata(tmp_path, b"Name: demo\nVersion: 1.0\n\n", index="https://pypi.org/simple", hashes=hashes)
    assert "hashes" not in component
    assert {entry["hashes"][0]["content"] for entry in component["externalReferences"] if "hashes" in entry} == {"1" * 64, "2" * 64}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (b"", {}),
        (b"\xff\xfe\x00" * 1000, {}),
        (b"Name: demo\nSummary: a\x00b\x1b[31m\xed\xa0\x80\nLicense: " + b"(" * 100_000 + b"\n\n", {}),
        (b"Name: other\nLicense-Expression: " + b"(MIT OR " * 5000 + b"\n\n", {}),
        (b"Name: demo\nAuthor-email: " + b"<" * 50_000 + b"\n\n", {}),
        (b"Name: demo\n\n", {"index": "http://[::1", "hashes": ("sha256:zz",)}),
        (b"Name: demo\n\n", {"index": "not an address", "version": "1.0 <>?#\u2028"}),
    ],
    ids=["empty", "binary", "control characters", "expression", "addresses", "bad index", "bad version"],
)
def test_hostile_metadata_still_gives_a_valid_document(tmp_path: Path, text: bytes, fields: dict[str, Any]) -> None:
    component = with_metadata(tmp_path, text, **fields)
    assert component["name"] == "demo"


def test_two_copies_of_one_version_keep_two_references(small_tree: StagedTree) -> None:
    twice = tuple(Distribution(name="a", version="1", source=Source.BUNDLED, dist_info=f"{folder}a-1.dist-info") for folder in ("", "v/"))
    document = composed(replace(small_tree, distributions=twice))
    assert validate(finish(document, None)) == ()
    assert [one["bom-ref"] for one in document["components"] if one["type"] == "library"] == ["pkg:pypi/a@1", "pkg:pypi/a@1#2"]


def test_nothing_floats_in_the_graph(small_tree: StagedTree) -> None:
    parts = tuple(
        Distribution(name=name, version="1", source=Source.INDEX, requires=requires, via=via)
        for name, requires, via in (("a", ("b",), ()), ("b", ("a",), ("a",)), ("c", (), ("gone",)))
    )
    [root] = [entry for entry in composed(replace(small_tree, distributions=parts))["dependencies"] if entry["ref"] == "function:Orders"]
    assert root["dependsOn"] == ["pkg:pypi/a@1", "pkg:pypi/c@1"]
