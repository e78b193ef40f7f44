"""An expression comes to what CloudFormation would make of it, or to a reason; it is never guessed."""

from pathlib import Path

import pytest

from shipsafe.errors import ConfigError
from tests.readers.writing import function, handler, read, reason, refused

HEAD = """
Parameters:
  Stage: {Type: String, Default: dev}
  Names: {Type: CommaDelimitedList, Default: "a, b,c"}
  Open: {Type: String}
Mappings:
  M:
    dev: {h: app.dev, list: [x, y]}
    prod: {h: app.prod}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Both: !And [!Condition IsProd, !Condition IsDev]
  Either: !Or [!Condition IsProd, !Condition IsDev]
  Regional: !Equals [!Ref AWS::Region, eu-west-1]
  Asks: !Equals [!Ref Open, x]
  DevOrAsks: !Or [!Condition Asks, !Condition IsDev]
  ProdAndAsks: !And [!Condition Asks, !Condition IsProd]
  Circle: !Not [!Condition Square]
  Square: !Not [!Condition Circle]
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("!Ref Stage", "dev"),
        ("{Ref: Stage}", "dev"),
        ("!Sub 'app.${Stage}'", "app.dev"),
        ("!Sub '${Stage}'", "dev"),
        ("!Sub 'app'", "app"),
        ("!Sub ''", ""),
        ("!Sub '${!Stage}.x'", "${Stage}.x"),
        ("!Sub ['${a}.${Stage}', {a: !Ref Stage}]", "dev.dev"),
        ("!Sub ['${Stage}.x', {Stage: own}]", "own.x"),
        ("{'Fn::Join': ['.', [a, !Ref Stage, !Ref AWS::NoValue, c]]}", "a.dev.c"),
        ("!Join ['', !Ref Names]", "abc"),
        ("!Join ['-', !Split [':', 'a:b:c']]", "a-b-c"),
        ("!Join [',', []]", ""),
        ("!FindInMap [M, !Ref Stage, h]", "app.dev"),
        ("!Join [x, !FindInMap [M, dev, list]]", "xxy"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select ['0', [!Ref Stage, !Ref Open]]", "dev"),
        ("!Select [1, !Split ['.', 'app.handler']]", "handler"),
        ("!If [IsProd, p, d]", "d"),
        ("!If [IsDev, !Sub 'x${Stage}', !ImportValue y]", "xdev"),
        ("!If [Both, p, d]", "d"),
        ("!If [Either, p, d]", "p"),
        ("!If [DevOrAsks, p, d]", "p"),
        ("!If [ProdAndAsks, p, d]", "d"),
    ],
)
def test_an_expression_is_resolved(tmp_path: Path, expression: str, value: str) -> None:
    assert handler(tmp_path, expression, head=HEAD) == value


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("!Ref Open", "parameter Open has no value"),
        ("!Sub 'a.${Open}'", "parameter Open has no value"),
        ("!Ref Nobody", "Nobody is neither a parameter nor a resource"),
        ("!Sub '${Nobody.Arn}'", "Nobody is not a resource"),
        ("!Ref F", "Ref of F (AWS::Lambda::Function) is known only after deployment"),
        ("!GetAtt F.Arn", "Arn of F (AWS::Lambda::Function) is known only after deployment"),
        ("!Sub 'x${F.Arn}'", "Arn of F"),
        ("!GetAtt [F, !Ref Stage]", "which attribute of F"),
        ("!ImportValue x", "Fn::ImportValue is the export of another stack"),
        ("!Base64 x", "Fn::Base64 is not text"),
        ("!Select [0, !GetAZs '']", "Fn::GetAZs depends on the account"),
        ("!Transform {Name: M}", "Fn::Transform runs a macro"),
        ("!Frobnicate x", "Fn::Frobnicate is not a function that shipsafe evaluates"),
        ("{'Fn::ForEach::x': [a, [b], {}]}", "Fn::ForEach::x is not a function"),
        ("!If [Nobody, a, b]", "the template has no condition Nobody"),
        ("!If [Asks, a, b]", "condition Asks cannot be resolved: parameter Open has no value"),
        ("!If [Regional, a, b]", "it depends on AWS::Region, which has no value here"),
        ("!If [Circle, a, b]", "depends on itself"),
        ("!FindInMap [M, !Ref Open, h]", "parameter Open has no value"),
        ("!FindInMap [M, test, h]", "mapping M has no such entry"),
        ("!FindInMap [M, !Ref AWS::Region, h]", "it depends on AWS::Region"),
        ("!FindInMap [M, test, h, {DefaultValue: x}]", "mapping M has no such entry"),
        ("!Select [3, !Ref Names]", "Fn::Select asks for more than the list has"),
        ("!Select [-1, !Ref Names]", "Fn::Select is not written as CloudFormation expects"),
        ("!Select [99999999999999999999, !Ref Names]", "Fn::Select is not written as"),
        ("!Split ['', x]", "Fn::Split is not written as"),
        ("!Join [x]", "Fn::Join is not written as"),
        ("!Sub [a]", "Fn::Sub is not written as"),
        ("!Sub {a: b}", "Fn::Sub is not written as"),
        ("!If [IsProd, a]", "Fn::If is not written as"),
        ("!Ref [a]", "Ref is not written as"),
        ("!GetAtt F", "Fn::GetAtt is not written as"),
        ("!Sub 'x${Names}'", "is a list or a mapping where text is needed"),
        ("!Ref Names", "it is a list or a mapping where text is needed"),
        ("!Ref AWS::NoValue", "Handler is not set"),
        ("!Sub '${AWS::Region}.x'", "it depends on AWS::Region"),
        ("'{{resolve:ssm:/handler}}'", "ssm parameter /handler without a version is read at deployment"),
        ("'{{resolve:ssm:/handler:3}}'", "ssm parameter /handler:3 is not in the template"),
        ("!Sub 'a.{{resolve:secretsmanager:${Stage}:SecretString}}'", "a secret is read at deployment"),
    ],
)
def test_what_cannot_be_resolved_says_why(tmp_path: Path, expression: str, says: str) -> None:
    assert says in reason(tmp_path, expression, head=HEAD)


def test_pseudo_parameters_may_be_given(tmp_path: Path) -> None:
    assert handler(tmp_path, "!Sub '${AWS::Region}.x'", overrides={"AWS::Region": "eu-west-1"}) == "eu-west-1.x"
    assert handler(tmp_path, "!If [Regional, a, b]", head=HEAD, parameters={"AWS::Region": "eu-west-1"}) == "a"


def test_a_default_in_a_mapping_needs_the_language_extensions(tmp_path: Path) -> None:
    head = "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\nMappings: {M: {a: {b: c}}}"
    assert handler(tmp_path, "!FindInMap [M, x, h, {DefaultValue: d}]", head=head) == "d"


def test_text_that_doubles_is_refused_before_it_is_made(tmp_path: Path) -> None:
    expression = '"x"'
    for _ in range(12):
        expression = f'{{"Fn::Sub": ["{"${A}" * 9}", {{"A": {expression}}}]}}'
    found = refused(tmp_path, f"Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {{Handler: {expression}}}\n")
    assert "expand to more" in found.what


def test_expressions_nested_too_deep_are_refused_and_not_crashed_on(tmp_path: Path) -> None:
    expression = "x"
    for _ in range(30):
        expression = f"!Join ['', [{expression}, y]]"
    found = refused(tmp_path, f"Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {{Handler: {expression}}}\n")
    assert "Nested more than 80 deep" in found.what


def test_a_long_chain_of_conditions_is_refused_and_not_crashed_on(tmp_path: Path) -> None:
    chain = "\n".join(f"  C{i}: !Not [!Condition C{i + 1}]" for i in range(2000))
    text = f"Conditions:\n{chain}\nResources:\n  F: {{Type: AWS::Lambda::Function, Condition: C0}}\n"
    assert "nested more than" in refused(tmp_path, text).what


def test_a_chain_of_conditions_as_long_as_people_write_is_followed(tmp_path: Path) -> None:
    chain = "\n".join(f"  C{i}: !Or [!Condition C{i + 1}, !Equals [a, b]]" for i in range(20))
    text = f"Conditions:\n{chain}\n  C20: !Equals [a, a]\nResources:\n  F: {{Type: AWS::Lambda::Function, Condition: C0}}\n"
    assert function(read(tmp_path, text)).name == "F"


def test_a_resource_whose_condition_is_false_is_left_out_and_mentioned(tmp_path: Path) -> None:
    text = f"""{HEAD}
Resources:
  Yes: {{Type: AWS::Lambda::Function, Condition: IsDev}}
  No: {{Type: AWS::Lambda::Function, Condition: IsProd}}
  Perhaps: {{Type: AWS::Lambda::Function, Condition: Asks}}
"""
    project = read(tmp_path, text)
    assert [entry.name for entry in project.functions] == ["Yes", "Perhaps"]
    assert project.hints == (
        "No is left out, because its condition IsProd is false (template.yaml:24).",
        "Perhaps is included, because its condition Asks cannot be resolved: parameter Open has no value.",
    )
    assert [entry.name for entry in read(tmp_path, text, overrides={"Stage": "prod"}).functions] == ["No", "Perhaps"]


def test_the_work_of_globals_for_many_functions_is_bounded(tmp_path: Path) -> None:
    variables = ", ".join(f"k{i}: 1" for i in range(20_000))
    functions = "".join(f"  F{i}: {{Type: AWS::Serverless::Function}}\n" for i in range(5000))
    with pytest.raises(ConfigError, match=r"^template\.yaml: The template's expressions expand to more"):
        read(tmp_path, f"Globals: {{Function: {{Environment: {{Variables: {{{variables}}}}}}}}}\nResources:\n{functions}")
