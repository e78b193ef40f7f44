"""The minimum elements, on documents of ours and of others."""

import json
from typing import Any

from shipsafe.evidence.ntia import lacks
from tests.shared_data import shared_data

ROOT = {"type": "application", "bom-ref": "r", "name": "r", "version": "1", "purl": "pkg:generic/r@1", "supplier": {"name": "A"}}
PART = {"type": "library", "bom-ref": "p", "name": "p", "version": "1", "purl": "pkg:pypi/p@1", "supplier": {"name": "B"}}


def document(**changes: Any) -> dict[str, Any]:
    metadata = {"component": ROOT, "authors": [{"name": "A"}], "timestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": metadata, "components": [PART], "dependencies": [{"ref": "r", "dependsOn": ["p"]}]} | changes


def test_a_document_with_all_of_them_lacks_nothing() -> None:
    assert list(lacks(document())) == []


def test_each_element_that_is_taken_away_is_missed() -> None:
    for key, element in (("supplier", "supplier"), ("name", "name"), ("version", "version"), ("purl", "unique identifier")):
        part = {name: value for name, value in PART.items() if name != key}
        [lack] = lacks(document(components=[part]))
        assert (lack.elements, lack.root) == ((element,), False)
    [lack] = lacks(document(dependencies=[{"ref": "r"}]))
    assert (lack.ref, lack.elements) == ("p", ("relationship",))
    [lack] = lacks(document(metadata={"component": ROOT}))
    assert (lack.root, lack.elements) == (True, ("author of the SBOM", "timestamp"))


def test_files_are_not_asked_for_a_supplier() -> None:
    assert list(lacks(document(components=[PART, {"type": "file", "name": "a.py"}]))) == []


def test_a_document_of_others_is_judged_too() -> None:
    sample = json.loads(shared_data("schemas/samples/cyclonedx/1.6/valid-minimal-viable-1.6.json").read_bytes())
    lack, *_ = lacks(sample)
    assert lack.root
    assert "supplier" in lack.elements
