"""A layer's ARN is turned where it is attached, in its own style, and nowhere else."""

import pytest

from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.layers import Pinned, pin_layer

OLD = "arn:aws:lambda:eu-west-1:999988887777:layer:tools:7"
NEW = "arn:aws:lambda:eu-west-1:111122223333:layer:tools:1"
PSEUDO = {"AWS::Region": "eu-west-1", "AWS::Partition": "aws", "AWS::AccountId": "111122223333"}
TEMPLATE = f"""\
# what we sell
Parameters:
  Tools: {{Type: String, Default: "{OLD}"}}
  Several:
    Type: CommaDelimitedList
    Default: {OLD}, arn:aws:lambda:eu-west-1:999988887777:layer:other:2
Mappings:
  Of: {{eu-west-1: {{Tools: {OLD}}}}}
Globals:
  Function:
    Layers: ['{OLD}']
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Layers:
        - {OLD}   # theirs
        - {OLD}7
        - !Sub arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:999988887777:layer:tools:7
        - Fn::Sub: "{OLD}"
        - !Ref Tools
      Policies:
        - Statement: [{{Effect: Allow, Action: "lambda:GetLayerVersion", Resource: "{OLD}"}}]
"""


def pin(text: str, **words: bool) -> Pinned:
    return pin_layer(text, OLD, NEW, name="template.yaml", pseudo=PSEUDO, **words)


def test_every_place_where_it_is_attached_is_turned() -> None:
    """Quotes, comments, other layers and the IAM statement stay as they are."""
    made = pin(TEMPLATE)
    wanted = TEMPLATE.replace("${AWS::Partition}", "aws").replace("${AWS::Region}", "eu-west-1").replace(OLD, NEW)
    wanted = wanted.replace(f"{NEW}7", f"{OLD}7").replace(f'Resource: "{NEW}"', f'Resource: "{OLD}"')
    assert made.text == wanted
    assert made.lines == (3, 6, 8, 11, 17, 19, 20)


def test_json_stays_json() -> None:
    text = f'{{"Resources": {{"A": {{"Type": "AWS::Lambda::Function", "Properties": {{"Layers": ["{OLD}"]}}}}}}}}'
    assert pin(text, json_only=True).text == text.replace(OLD, NEW)


def test_a_template_without_it_stays_as_it_is() -> None:
    text = "Resources: {A: {Type: AWS::Lambda::Function, Properties: {Layers: [!Ref L]}}}\n"
    assert pin(text) == Pinned(text=text, lines=())


def test_an_anchor_keeps_its_name_and_its_aliases_follow() -> None:
    text = f"Resources:\n  A: {{Properties: {{Layers: [&tools {OLD}]}}}}\n  B: {{Properties: {{Layers: [*tools]}}}}\n"
    made = pin(text)
    assert made.text == text.replace(OLD, NEW)
    assert made.lines == (2,)


def test_an_anchor_that_means_it_elsewhere_too_is_refused() -> None:
    """The alias in the IAM statement would be turned with it."""
    text = f"Resources:\n  A: {{Properties: {{Layers: [&tools {OLD}], Policies: [{{Resource: *tools}}]}}}}\n"
    with pytest.raises(ConfigError, match="cannot be written into this template"):
        pin(text)


def test_an_alias_of_what_stands_elsewhere_is_refused() -> None:
    text = f"Metadata: {{Tools: &tools {OLD}}}\nResources:\n  A: {{Properties: {{Layers: [*tools]}}}}\n"
    with pytest.raises(ConfigError, match="Write out anchors"):
        pin(text)


def test_what_is_written_with_escapes_is_refused_with_its_line() -> None:
    text = 'Resources:\n  A:\n    Properties:\n      Layers: ["' + OLD.replace("aws", "\\x61ws") + '"]\n'
    with pytest.raises(ConfigError, match="is not written there as such") as error:
        pin(text)
    assert error.value.line == 4
