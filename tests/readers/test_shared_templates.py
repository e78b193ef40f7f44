"""Every real SAM, CloudFormation and CDK template is read, and what is found in it is what an independent count found.

`index.csv` was made by a simple parser that neither resolves conditions nor merges `Globals`. Where it differs from us the reason
stands here, file by file, with the numbers that are right.
"""

import csv
import time
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, NothingError
from shipsafe.model.project import Project
from shipsafe.readers import read_project
from tests.readers.writing import policy
from tests.shared_data import shared_data

_KINDS = frozenset(("sam", "cfn", "cdk-synth"))
_GLOBALS = "Globals.Function.Layers is counted once in the index, and once for every function here."
_CONDITIONS = "Functions whose condition is false with the template's defaults do not exist."
# path -> reason, functions, Python functions, layer references
_DIFFERENT = {
    "aws-samples__aws-serverless-ecommerce-platform/delivery/template.yaml": (_GLOBALS, 2, 2, 2),
    "aws-samples__aws-serverless-ecommerce-platform/warehouse/template.yaml": (_GLOBALS, 2, 2, 2),
    "aws-samples__aws-serverless-saas-workshop/Lab1/server/template.yaml": (_GLOBALS, 10, 10, 20),
    "aws-samples__aws-serverless-saas-workshop/Solution/Lab4/server/nested_templates/lambdafunctions.yaml": (_GLOBALS, 16, 16, 32),
    "awslabs__amazon-s3-find-and-forget/templates/deployment_helper.yaml": (_GLOBALS, 6, 6, 6),
    "awslabs__amazon-s3-find-and-forget/templates/state_machine.yaml": (_GLOBALS, 11, 11, 11),
    "awslabs__aws-deployment-framework/src/lambda_codebase/initial_commit/bootstrap_repository/adf-bootstrap/deployment/"
    "pipeline_management.yml": (_GLOBALS, 6, 6, 6),
    "aws-solutions__aws-waf-security-automations/deployment/aws-waf-security-automations.template": (_CONDITIONS, 5, 5, 0),
    "aws-solutions__virtual-waiting-room-on-aws/deployment/virtual-waiting-room-on-aws-sample-inlet-strategy.json": (
        _CONDITIONS,
        *(1, 1, 0),
    ),
}
# path -> what is wrong with it; CloudFormation would refuse each of them, too, or silently take one of two values
_REFUSED = {
    "DataDog__datadog-cdk-constructs/integration_tests/snapshots/correct-lambda-provided-arm-stack-snapshot.json": (
        "Key `HelloHandlerServiceRoleXXXXXXXX` stands twice"  # the names in this snapshot were masked
    ),
    "aws-samples__serverless-patterns/cognito-sns-sms-origination-id-sam/template.yaml": "Key `MfaConfiguration` stands twice",
    "aws-solutions__virtual-waiting-room-on-aws/source/core-api-authorizers-sample/chalice/merge_template.json": (
        "Resource RestAPI has no `Type`"  # a fragment that chalice merges into its own template
    ),
}
_NOTHING = (0, 0, 0)


def _rows() -> list[dict[str, str]]:
    with (shared_data("templates") / "index.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] in _KINDS]


def _project(path: str) -> Project | None:
    """The project, or None when it describes no function and no layer."""
    try:
        return read_project(shared_data("templates") / path, policy=policy(), overrides={})
    except NothingError:
        return None


def _counts(project: Project | None) -> tuple[int, int, int]:
    if project is None:
        return _NOTHING
    functions = project.functions
    return len(functions), sum(entry.is_python for entry in functions), sum(len(entry.layers) for entry in functions)


def test_functions_and_layer_references_are_found_in_every_real_template() -> None:
    rows = _rows()
    assert len(rows) > 200
    different: dict[str, tuple[int, ...]] = {}
    for row in rows:
        if row["path"] in _REFUSED:
            continue
        counts = _counts(_project(row["path"]))
        expected = (int(row["n_functions"]), int(row["n_python_functions"]), int(row["n_layer_refs"]))
        if counts != expected:
            different[row["path"]] = counts
    assert different == {path: tuple(numbers) for path, (_, *numbers) in _DIFFERENT.items()}


@pytest.mark.parametrize("path", _REFUSED)
def test_the_real_templates_that_are_refused_are_broken(path: str) -> None:
    with pytest.raises(ConfigError, match=_REFUSED[path]) as caught:
        read_project(shared_data("templates") / path, policy=policy(), overrides={})
    assert caught.value.line is not None


def test_what_conditions_leave_out_of_real_templates_is_mentioned() -> None:
    for path, (reason, functions, *_) in _DIFFERENT.items():
        if reason is _CONDITIONS:
            row = next(row for row in _rows() if row["path"] == path)
            project = _project(path)
            assert project is not None
            assert sum("is left out" in hint for hint in project.hints) >= int(row["n_functions"]) - functions


def test_layers_of_the_project_itself_are_told_from_others_in_every_real_template() -> None:
    for row in _rows():
        if row["path"] in _REFUSED or not (project := _project(row["path"])):
            continue
        refs = [ref for entry in project.functions for ref in entry.layers]
        assert sum(ref.local is not None for ref in refs) == int(row["layers_local"]), row["path"]
        for ref in refs:
            assert ref.local or ref.arn or ref.unresolved, row["path"]
            assert ref.local is None or project.layer(ref.local), row["path"]


def test_every_location_of_a_real_template_is_inside_its_file() -> None:
    for row in _rows():
        if row["path"] in _REFUSED or not (project := _project(row["path"])):
            continue
        lines = len((shared_data("templates") / row["path"]).read_text().splitlines())
        places = [place for entry in project.subjects for place in (entry.location, *entry.places.values())]
        assert all(place.line is not None and 1 <= place.line <= lines for place in places), row["path"]


def test_a_logical_id_stands_on_the_line_that_its_location_names() -> None:
    for row in _rows():
        if row["path"] in _REFUSED or not (project := _project(row["path"])):
            continue
        lines = (shared_data("templates") / row["path"]).read_text().splitlines()
        for subject in project.subjects:
            assert subject.name in lines[(subject.location.line or 0) - 1], row["path"]


def test_all_real_templates_together_are_read_in_seconds() -> None:
    paths = [Path(row["path"]) for row in _rows() if row["path"] not in _REFUSED]
    began = time.process_time()
    for path in paths:
        _project(str(path))
    assert time.process_time() - began < 30  # 0.4 s on an idle machine; one that stands still for 20 s may count them
