"""Our validator against the samples of CycloneDX's own test suite."""

import json
from typing import Any

import pytest

from shipsafe.evidence.schema import validate
from tests.shared_data import shared_data

SMALL: dict[str, Any] = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
PART = {"type": "library", "name": "a", "bom-ref": "a"}


def test_every_sample_of_the_specification_is_judged_as_its_name_says() -> None:
    """References are another matter than the schema: samples need not have them, so only the schema's sentences count."""
    samples = sorted(shared_data("schemas/samples/cyclonedx/1.6").glob("*.json"))
    assert len(samples) > 60
    for sample in samples:
        problems = [text for text in validate(sample.read_bytes()) if text.startswith(("/", "It is not"))]
        assert bool(problems) == sample.name.startswith("invalid-"), (sample.name, problems)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (SMALL | {"components": [PART, PART | {"name": "b"}]}, "bom-ref 'a' is there 2 times."),
        (SMALL | {"components": [{"type": "library", "name": "a"}]}, "Component 'a' has no bom-ref."),
        (SMALL | {"components": [PART], "dependencies": [{"ref": "a", "dependsOn": ["x"]}]}, "Dependency 'x' is no component."),
        (SMALL | {"serialNumber": "urn:uuid:nonsense"}, "/serialNumber: "),
        (SMALL | {"metadata": {"timestamp": "yesterday"}}, "/metadata/timestamp: "),
    ],
)
def test_what_is_wrong_is_said(document: dict[str, Any], says: str) -> None:
    [problem] = validate(json.dumps(document).encode())
    assert problem.startswith(says)


def test_what_is_not_json_is_said_to_be_so() -> None:
    [problem] = validate(b"{")
    assert problem.startswith("It is not JSON")


def test_a_flood_of_problems_is_cut() -> None:
    parts = [{"type": "library", "name": str(number)} for number in range(1000)]
    assert len(validate(json.dumps(SMALL | {"components": parts}).encode())) == 10
