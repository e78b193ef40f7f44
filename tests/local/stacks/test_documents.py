"""Templates as CloudFormation reads them, and what their expressions are worth."""

from typing import Any

import pytest

from shipsafe.local.call import ApiError
from shipsafe.local.stacks.document import document
from shipsafe.local.stacks.intrinsics import LATER, NO_VALUE, Scope
from shipsafe.local.stacks.transform import SAM, transformed
from shipsafe.local.stacks.wanted import wanted

ONE = "Resources:\n  One:\n    Type: AWS::SNS::Topic\n"


def scope(**more: Any) -> Scope:
    given: dict[str, Any] = {
        "parameters": {"Stage": "prod", "Zones": ["a", "b"], "AWS::Region": "eu-west-1", "AWS::NoValue": NO_VALUE},
        "conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}, "Never": {"Fn::Not": [{"Condition": "IsProd"}]}},
        "mappings": {"Sizes": {"prod": {"memory": 512}}},
        "resources": frozenset(("Orders", "New")),
        "reference": lambda logical: LATER if logical == "New" else f"the-{logical}",
        "attribute": lambda logical, name: f"{name}-of-{logical}",
        "exported": lambda name: f"from-{name}",
    }
    return Scope(**given | more)


@pytest.mark.parametrize(
    ("text", "properties"),
    [
        ("{A: !Ref B, C: !GetAtt D.Arn.More}", {"A": {"Ref": "B"}, "C": {"Fn::GetAtt": ["D", "Arn.More"]}}),
        (
            "{A: 1, B: 1.5, C: true, D: no, E: null, F: 012, G: '1'}",
            {"A": 1, "B": 1.5, "C": True, "D": False, "E": None, "F": "012", "G": "1"},
        ),
        ("{A: 123456789012345678901234567890, B: 2012-10-17}", {"A": "123456789012345678901234567890", "B": "2012-10-17"}),
        ("{A: !Sub ['${X}', {X: !If [C, a, b]}]}", {"A": {"Fn::Sub": ["${X}", {"X": {"Fn::If": ["C", "a", "b"]}}]}}),
    ],
)
def test_short_forms_and_scalars_mean_what_they_mean_on_aws(text: str, properties: Any) -> None:
    assert document(f"{ONE}    Properties: {text}\n")["Resources"]["One"]["Properties"] == properties


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "unsupported structure"),
        ("- a\n", "unsupported structure"),
        ("Resources: {}\n", "At least one Resources member must be defined"),
        ("Resources: [a]\n", "At least one Resources member must be defined"),
        ("Resources: {One: a}\n", "Every Resources member must be an object"),
        ("Resources: {One: {}}\n", "Every Resources object must contain a Type member"),
        ("Resources: {One-Two: {Type: A::B::C}}\n", "Resource name One-Two is non alphanumeric"),
        (f"{ONE}Resource: {{}}\n", "Invalid template property or properties [Resource]"),
        (f"{ONE}Metadata: &a {{b: c}}\nOutputs: {{x: {{Value: *a}}}}\n", "YAML aliases are not allowed"),
        (f"{ONE}Metadata: !!python/object:os.system {{}}\n", "unsupported tag"),
        (f"{ONE}Metadata: {{a: 1, a: 2}}\n", "Duplicate key a"),
        (f"{ONE}Metadata: {'[' * 100}{']' * 100}\n", "nested too deeply"),
        (f"{ONE}Metadata: {{[a]: b}}\n", "a key is not text"),
        (f"{ONE}---\n{ONE}", "Only one document is allowed"),
        ("{ONE}\n\tx: [", "Template format error"),
        ("Resources:\n" + "".join(f"  R{number}: {{Type: A::B::C}}\n" for number in range(501)), "greater than maximum allowed, 500"),
    ],
)
def test_what_is_no_template_is_refused(text: str, words: str) -> None:
    with pytest.raises(ApiError) as error:
        document(text)
    assert error.value.code == "ValidationError"
    assert words in error.value.message


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Stage"}, "prod"),
        ({"Ref": "Orders"}, "the-Orders"),
        ({"Fn::GetAtt": "Orders.Arn"}, "Arn-of-Orders"),
        ({"Fn::Sub": "${Stage}-${Orders}-${Orders.Arn}-${!Kept}"}, "prod-the-Orders-Arn-of-Orders-${Kept}"),
        ({"Fn::Sub": ["${Own}-${Stage}", {"Own": {"Ref": "Orders"}}]}, "the-Orders-prod"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Stage"}, 3, True]]}, "a/prod/3/true"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "a,b,c"]}]}, "b"),
        ({"Fn::Select": [0, {"Ref": "Zones"}]}, "a"),
        ({"Fn::If": ["IsProd", "yes", {"Fn::Select": [9, []]}]}, "yes"),
        ({"Fn::If": ["Never", "yes", "no"]}, "no"),
        ([{"Fn::And": [{"Condition": "IsProd"}, {"Condition": "Never"}]}, {"Fn::Or": [{"Condition": "IsProd"}]}], [False, True]),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}, 512),
        ({"Fn::Base64": "x"}, "eA=="),
        ({"Fn::ImportValue": "shared"}, "from-shared"),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"A": {"Ref": "AWS::NoValue"}, "B": [1, {"Ref": "AWS::NoValue"}]}, {"B": [1]}),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),  # of a policy, not of the template
        ({"Fn::Select": [0, {"Fn::Split": [":", {"Ref": "New"}]}]}, LATER),
        ({"Fn::Join": ["-", ["a", {"Ref": "New"}]]}, f"a-{LATER}"),
    ],
    ids=str,
)
def test_expressions_have_their_values(expression: Any, value: Any) -> None:
    assert scope().value(expression) == value


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"Ref": "Nobody"}, "ValidationError"),
        ({"Fn::GetAtt": ["Nobody", "Arn"]}, "ValidationError"),
        ({"Fn::GetAtt": "Orders"}, "ValidationError"),
        ({"Fn::Sub": "${Nobody}"}, "ValidationError"),
        ({"Fn::Sub": ["a"]}, "ValidationError"),
        ({"Fn::Join": ["a"]}, "ValidationError"),
        ({"Fn::Join": [",", [{}]]}, "ValidationError"),
        ({"Fn::Split": ["", "a"]}, "ValidationError"),
        ({"Fn::Select": [2, ["a"]]}, "ValidationError"),
        ({"Fn::Select": [-1, ["a"]]}, "ValidationError"),
        ({"Fn::If": ["Nobody", 1, 2]}, "ValidationError"),
        ({"Fn::If": ["IsProd", 1]}, "ValidationError"),
        ({"Fn::Equals": ["a"]}, "ValidationError"),
        ({"Fn::And": []}, "ValidationError"),
        ({"Fn::FindInMap": ["Sizes", "dev", "memory"]}, "ValidationError"),
        ({"Fn::Cidr": ["10.0.0.0/16", 1, 1]}, "NotImplemented"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "NotImplemented"),
        ("{{resolve:secretsmanager:x}}", "NotImplemented"),
        ({"Fn::Sub": "{{resolve:ssm:${Stage}}}"}, "NotImplemented"),
    ],
    ids=str,
)
def test_expressions_that_have_none_are_refused(expression: Any, code: str) -> None:
    with pytest.raises(ApiError) as error:
        scope().value(expression)
    assert error.value.code == code


def test_resources_come_after_those_that_they_need() -> None:
    told = {
        "A": {"Type": "x", "Properties": {"B": {"Fn::Sub": "${B.Arn}"}}},
        "B": {"Type": "x", "DependsOn": ["C"]},
        "C": {"Type": "x", "Condition": "IsProd"},
        "D": {"Type": "x", "Condition": "Never", "Properties": {"A": {"Ref": "A"}}},
    }
    assert [one.logical for one in wanted({"Resources": told}, scope())] == ["C", "B", "A"]


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        (
            {"A": {"Type": "x", "DependsOn": "B"}, "B": {"Type": "x", "Properties": {"A": {"Ref": "A"}}}},
            "Circular dependency between resources: [A, B]",
        ),
        ({"A": {"Type": "x", "DependsOn": "Nobody"}}, "Unresolved resource dependencies [Nobody]"),
    ],
)
def test_resources_that_cannot_be_ordered_are_refused(resources: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError, match="dependenc") as error:
        wanted({"Resources": resources}, scope())
    assert words in error.value.message


def test_texts_that_grow_without_end_are_refused() -> None:
    """Eight lines of them would be 256 GB."""
    expression: Any = "x" * 10
    for _ in range(8):
        expression = {"Fn::Sub": ["${a}" * 20, {"a": expression}]}
    with pytest.raises(ApiError, match="texts would have more than"):
        scope().text(expression)


def test_holes_that_do_not_end_are_read_once() -> None:
    text = "${" * 200_000
    assert scope().text({"Fn::Sub": text}) == text


def test_a_condition_of_itself_ends() -> None:
    of = scope(conditions={"A": {"Fn::Not": [{"Condition": "B"}]}, "B": {"Condition": "A"}})
    with pytest.raises(ApiError, match="circular condition"):
        of.holds("A")


def test_a_function_has_its_own_architecture_and_else_that_of_globals() -> None:
    """SAM added both up until June 2026; Lambda takes one."""
    own: dict[str, Any] = {"Runtime": "python3.13", "Handler": "a.b", "CodeUri": "s3://bucket/key"}
    functions: dict[str, Any] = {
        "Own": {"Properties": own | {"Architectures": ["x86_64"]}},
        "Inherits": {"Properties": own},
        "Ignores": {"Properties": own, "IgnoreGlobals": ["Architectures"]},
    }
    body: dict[str, Any] = {
        "Transform": SAM,
        "Globals": {"Function": {"Architectures": ["arm64"], "Timeout": 9}},
        "Resources": {name: {"Type": "AWS::Serverless::Function", **one} for name, one in functions.items()},
    }
    made = transformed(body, {}, "eu-west-1")["Resources"]
    told = {name: (made[name]["Properties"].get("Architectures"), made[name]["Properties"]["Timeout"]) for name in functions}
    assert told == {"Own": (["x86_64"], 9), "Inherits": (["arm64"], 9), "Ignores": (None, 9)}
    assert "Architectures" in body["Globals"]["Function"]
