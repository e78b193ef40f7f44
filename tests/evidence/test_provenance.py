"""Provenance has the shape that SLSA publishes, says what went in with its digests, and nothing that should stay on this machine."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.evidence.predicates import check
from shipsafe.evidence.provenance import LOCAL, SourceTree, builder_of, provenance, resource
from shipsafe.evidence.sbom import listed, stated
from shipsafe.model.verdict import Decision
from tests.evidence.shapes import closed
from tests.reports import sample

COMMIT = "c" * 40
ENTRY: dict[str, Any] = {
    "name": "Orders",
    "subject": "function:Orders",
    "source": "built",
    "path": "Orders.zip",
    "digests": {"sha256": "a" * 64, "sha512": "b" * 128, "content_digest": f"sha256:{'d' * 64}"},
    "compressor": "libdeflate",
    "sbom": {"path": "Orders.cdx.json", "sha256": "e" * 64},
    "runtimes": ["python3.13"],
    "handler": "app.handler",
    "architectures": ["arm64"],
    "locks": [{"path": "src/requirements.txt", "sha256": "f" * 64}],
    "layers": [{"text": "!Ref Common", "arn": None, "version": None, "local": "Common", "changeable": "", "unresolved": ""}],
}
HASHES = [{"alg": "SHA-256", "content": digit * 64} for digit in "12"]
COMPONENTS: list[dict[str, Any]] = [
    {"name": "one", "purl": "pkg:pypi/one@1", "hashes": HASHES[:1]},
    {"name": "several", "purl": "pkg:pypi/several@1", "externalReferences": [{"type": "distribution", "hashes": [one]} for one in HASHES]},
    {"name": "none", "purl": "pkg:pypi/none@1"},
]
SOURCE = SourceTree(commit=COMMIT, url="https://github.com/acme/shop.git", dirty=False, parameters={"Stage": "prod", "Token": None})

# Fields by their names in https://github.com/in-toto/attestation/blob/main/protos/in_toto_attestation/predicates/provenance/v1/provenance.proto
DESCRIPTOR = {"name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations"}
SLSA = {
    "": {"buildDefinition", "runDetails"},
    "buildDefinition": {"buildType", "externalParameters", "internalParameters", "resolvedDependencies"},
    "runDetails": {"builder", "metadata", "byproducts"},
    "builder": {"id", "version", "builderDependencies"},
}


def made(source: SourceTree = SOURCE, builder: str = LOCAL, **entry: Any) -> Any:
    record = sample.record(Decision.PASS)
    return provenance(ENTRY | entry, record, source, builder=builder, components=COMPONENTS)


def test_it_has_the_shape_that_slsa_publishes() -> None:
    said = made().predicate
    assert set(said) == SLSA[""]
    assert set(said["buildDefinition"]) <= SLSA["buildDefinition"]
    assert set(said["runDetails"]) <= SLSA["runDetails"]
    assert set(said["runDetails"]["builder"]) <= SLSA["builder"]
    for one in (*said["buildDefinition"]["resolvedDependencies"], *said["runDetails"]["byproducts"]):
        assert set(one) <= DESCRIPTOR
        assert one.keys() & {"uri", "digest", "content"}, "a descriptor names its resource in one of these ways"
        assert all(isinstance(value, str) for value in one.get("digest", {}).values())


def test_it_has_the_shape_that_we_publish() -> None:
    for one in (made(), made(SourceTree()), made(sbom=None), made(locks=[], handler=None, runtimes=[])):
        closed("build-v1").validate(one.predicate)
        check(one.kind, one.predicate, shown="b")


def test_the_subject_is_the_unsigned_zip() -> None:
    (subject,) = made().subjects
    assert subject == resource(ENTRY)
    assert (subject.name, subject.digests) == ("Orders.zip", {"sha256": "a" * 64, "sha512": "b" * 128})


def test_what_went_in_stands_there_with_digests() -> None:
    source, lock, *distributions = made().predicate["buildDefinition"]["resolvedDependencies"]
    assert source == {"name": "source", "uri": f"git+https://github.com/acme/shop.git@{COMMIT}", "digest": {"gitCommit": COMMIT},
                      "annotations": {"dirty": False, "folder": "services/orders"}}  # fmt: skip
    assert lock == {"name": "src/requirements.txt", "uri": "file:services/orders/src/requirements.txt", "digest": {"sha256": "f" * 64}}
    assert distributions == [
        {"name": "one", "uri": "pkg:pypi/one@1", "digest": {"sha256": "1" * 64}},
        {"name": "several", "uri": "pkg:pypi/several@1", "annotations": {"oneOf": [f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"]}},
        {"name": "none", "uri": "pkg:pypi/none@1"},
    ]


def test_a_source_of_which_nothing_is_known_is_not_made_up() -> None:
    source = made(SourceTree()).predicate["buildDefinition"]["resolvedDependencies"][0]
    assert source == {"name": "source", "uri": "file:services/orders", "annotations": {"dirty": None, "folder": "services/orders"}}
    no_address = made(replace(SOURCE, url=None)).predicate["buildDefinition"]["resolvedDependencies"][0]
    assert (no_address["uri"], no_address["digest"]) == ("file:services/orders", {"gitCommit": COMMIT})


def test_a_secret_parameter_has_no_value() -> None:
    assert made().predicate["buildDefinition"]["externalParameters"]["parameters"] == {"Stage": "prod", "Token": None}


@pytest.mark.parametrize(
    ("environment", "builder"),
    [
        ({}, LOCAL),
        ({"GITHUB_WORKFLOW_REF": "a/b/.github/workflows/x.yml@refs/heads/main"}, LOCAL),
        ({"GITHUB_ACTIONS": "true"}, LOCAL),
        ({"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW_REF": "a/b/.github/workflows/x.yml@refs/heads/main"},
         "https://github.com/a/b/.github/workflows/x.yml@refs/heads/main"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW_REF": "a/b\nc"}, LOCAL),
        ({"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW_REF": "a/b/.github/workflows/x.yml@refs/heads/main",
          "SHIPSAFE_WORKFLOW_REF": "tools/shipsafe/.github/workflows/pipeline.yml@0123"},
         "https://github.com/tools/shipsafe/.github/workflows/pipeline.yml@0123"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW_REF": "a/b/.github/workflows/x.yml@refs/heads/main", "SHIPSAFE_WORKFLOW_REF": "",
          "GITHUB_SERVER_URL": "https://ghes.acme.example"}, "https://ghes.acme.example/a/b/.github/workflows/x.yml@refs/heads/main"),
    ],
)  # fmt: skip
def test_the_builder_is_the_workflow_where_there_is_one(environment: dict[str, str], builder: str) -> None:
    assert builder_of(environment) == builder


@pytest.mark.parametrize("path", [("buildDefinition",), ("runDetails", "builder"), ("buildDefinition", "externalParameters", "artifact")])
def test_a_provenance_of_ours_that_lacks_a_part_is_refused(path: tuple[str, ...]) -> None:
    said = copy.deepcopy(made().predicate)
    inner = said
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    with pytest.raises(IntegrityError, match=r"at .*required"):
        check("https://slsa.dev/provenance/v1", said, shown="b")


def test_the_distributions_of_an_sbom_are_found_without_reading_its_files() -> None:
    hostile = b'{"name": "\\"purl\\": ", "type": "file"}'
    lines = [b'{"name": "one", "purl": "pkg:pypi/one@1", "type": "library"}', hostile]
    document = b'{\n "bomFormat": "CycloneDX",\n "components": [\n  ' + b",\n  ".join(lines) + b'\n ],\n "metadata": {"purl": "x"}\n}\n'
    assert [one["name"] for one in listed(document)] == ["one"]
    assert document.rstrip(b"\n") in stated(resource(ENTRY), document), "byte for byte"
