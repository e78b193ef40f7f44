"""Nested stacks: every stack gets a template of its own, beside the result, and its parent points at it."""

import posixpath
from collections.abc import Mapping

import pytest

from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.stacks import Stacks, Trail
from tests.signing.rewrite.making import deployable

_CHILD = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: src\n"
_PARENT = (
    "Resources:\n"
    "  One:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: services/child.yaml # the child\n"
    "  Two:\n    Type: AWS::Serverless::Application\n    Properties:\n      Location: 'services/child.yaml'\n"
    "  Api:\n    Type: AWS::Serverless::Api\n    Properties: {DefinitionUri: api.yaml}\n"
)
_ONE: Trail = (("template.yaml", "One"), ("services/child.yaml", "F"))
_TWO: Trail = (("template.yaml", "Two"), ("services/child.yaml", "F"))


def _stacks(texts: Mapping[str, str], *trails: Trail, out: str = "out.yaml", there: tuple[str, ...] = ()) -> Stacks:
    signed = {trail: deployable(f"function:{'.'.join(step[1] for step in trail)}") for trail in trails}
    known = {posixpath.normpath(path) for path in (*texts, *there)}
    stacks = Stacks("template.yaml", out, signed, templates=texts, load=lambda path: texts[path], exists=lambda path: path in known)
    stacks.rewrite()
    return stacks


def test_a_template_that_two_stacks_use_becomes_two() -> None:
    stacks = _stacks({"template.yaml": _PARENT, "services/child.yaml": _CHILD}, _ONE, _TWO)
    assert list(stacks.texts) == ["out.One.yaml", "out.Two.yaml", "out.yaml"]
    assert "      TemplateURL: out.One.yaml # the child\n" in stacks.texts["out.yaml"]
    assert "      Location: out.Two.yaml\n" in stacks.texts["out.yaml"]
    assert "Key: shipsafe/One.F.zip" in stacks.texts["out.One.yaml"]
    assert "Key: shipsafe/Two.F.zip" in stacks.texts["out.Two.yaml"]


def test_a_stack_of_which_nothing_was_signed_stays_and_its_path_is_right_from_the_new_folder() -> None:
    texts = {"template.yaml": _PARENT, "services/child.yaml": _CHILD}
    stacks = _stacks(texts, _ONE, out="build/deep/out.yaml", there=("api.yaml",))
    assert set(stacks.texts) == {"build/deep/out.yaml", "build/deep/out.One.yaml"}
    new = stacks.texts["build/deep/out.yaml"]
    assert "TemplateURL: out.One.yaml" in new
    assert "Location: ../../services/child.yaml\n" in new
    assert "DefinitionUri: ../../api.yaml" in new
    assert stacks.visited == {(), ("One",)}


def test_paths_of_a_child_in_a_subfolder_are_right_from_beside_the_result() -> None:
    child = (
        _CHILD + "  Js:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: ./js}\n"
        "  Machine:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n      DefinitionUri: machine.json\n"
        "      DefinitionSubstitutions: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/k}}}\n"
        "  Query:\n    Type: AWS::Serverless::GraphQLApi\n    Properties: {SchemaUri: s.graphql, Functions: {a: {CodeUri: a.js}}}\n"
        "  More:\n    Fn::Transform: {Name: AWS::Include, Parameters: {Location: more.yaml}}\n    Type: AWS::SNS::Topic\n"
    )
    there = ("services/js", "services/machine.json", "services/a.js", "services/s.graphql", "services/more.yaml")
    new = _stacks({"template.yaml": _PARENT, "services/child.yaml": child}, _ONE, there=there).texts["out.One.yaml"]
    for path in ("services/js", "services/machine.json", "services/a.js", "services/s.graphql", "services/more.yaml"):
        assert f": {path}" in new
    assert "Location: s3://b/k" in new


def test_nothing_moves_where_the_folder_is_the_same() -> None:
    texts = {"template.yaml": _CHILD + "  Api:\n    Type: AWS::Serverless::Api\n    Properties: {DefinitionUri: ./api.yaml}\n"}
    new = _stacks(texts, (("template.yaml", "F"),), there=("api.yaml",)).texts["out.yaml"]
    assert "DefinitionUri: ./api.yaml" in new


def test_code_that_all_functions_had_in_common_is_taken_out_and_does_not_move() -> None:
    text = "Globals:\n  Function:\n    CodeUri: src\n    Runtime: python3.13\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
    new = _stacks({"template.yaml": text}, (("template.yaml", "F"),), out="build/out.yaml", there=("src",)).texts["build/out.yaml"]
    assert new.startswith("Globals:\n  Function:\n    Runtime: python3.13\nResources:\n")
    more = text + "  G:\n    Type: AWS::Serverless::Function\n"
    kept = _stacks({"template.yaml": more}, (("template.yaml", "F"),), out="build/out.yaml", there=("src",)).texts["build/out.yaml"]
    assert "    CodeUri: ../src\n" in kept


def test_stacks_in_stacks_are_called_after_the_way_to_them() -> None:
    middle = "Resources:\n  In:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: ../c.json}\n"
    texts = {
        "template.yaml": _PARENT,
        "services/child.yaml": middle,
        "c.json": '{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": "x"}}}}',
    }
    stacks = _stacks(texts, (("template.yaml", "One"), ("services/child.yaml", "In"), ("c.json", "F")))
    assert set(stacks.texts) == {"out.yaml", "out.One.yaml", "out.One.In.json"}
    assert "TemplateURL: out.One.In.json" in stacks.texts["out.One.yaml"]
    assert '"S3ObjectVersion": "v1"' in stacks.texts["out.One.In.json"]


def test_a_result_never_lies_on_a_template_that_is_read() -> None:
    texts = {"template.yaml": _PARENT.replace("services/child.yaml", "out.One.yaml"), "out.One.yaml": _CHILD}
    with pytest.raises(ConfigError, match="written over one that is read"):
        _stacks(texts, (("template.yaml", "One"), ("out.One.yaml", "F")))


def test_a_template_of_which_nothing_was_signed_is_not_written_over_either() -> None:
    texts = {"template.yaml": _PARENT, "services/child.yaml": _CHILD, "x.yaml": _CHILD}
    with pytest.raises(ConfigError, match="written over one that is read"):
        _stacks(texts, _ONE, out="X.yaml")  # on some disks it is the same file


def test_results_whose_names_differ_only_in_case_are_refused() -> None:
    parent = _PARENT.replace("Two:", "one:")
    with pytest.raises(ConfigError, match="or over another one"):
        _stacks({"template.yaml": parent, "services/child.yaml": _CHILD}, _ONE, (("template.yaml", "one"), _TWO[1]))


def test_a_stack_whose_template_depends_on_a_condition_is_refused() -> None:
    parent = _PARENT.replace("services/child.yaml # the child", "!If [A, services/child.yaml, other.yaml]")
    with pytest.raises(ConfigError, match="depends on a condition") as caught:
        _stacks({"template.yaml": parent, "services/child.yaml": _CHILD}, _ONE)
    assert (caught.value.path, caught.value.line) == ("template.yaml", 3)


def test_a_path_in_a_list_that_would_have_to_move_is_refused() -> None:
    text = _CHILD + "Transform:\n  - Fn::Transform: {Name: AWS::Include, Parameters: {Location: more.yaml}}\n"
    with pytest.raises(ConfigError, match="included in a list"):
        _stacks({"template.yaml": text}, (("template.yaml", "F"),), out="build/out.yaml")
