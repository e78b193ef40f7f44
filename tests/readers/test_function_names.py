"""What Lambda is to call a function: what the template says for certain, and nothing that CloudFormation makes up."""

from pathlib import Path

import pytest

from tests.readers.test_terraform import lambda_function, one
from tests.readers.writing import function, read

TEMPLATE = """\
Parameters:
  Stage: {{Type: String, Default: prod}}
  Secret: {{Type: String, Default: x, NoEcho: true}}
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      Code: src
      {name}
"""


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("FunctionName: orders", "orders"),
        ("FunctionName: !Sub orders-${Stage}", "orders-prod"),
        ("FunctionName: !Join ['-', [orders, !Ref Stage]]", "orders-prod"),
        ("Timeout: 3", None),
        ("FunctionName: !Sub ${AWS::StackName}-orders", None),
        ("FunctionName: !Ref Secret", None),
        ("FunctionName: !ImportValue name", None),
        ("FunctionName: '{{resolve:ssm:/name}}'", None),
        ("FunctionName: [orders]", None),
    ],
)
def test_a_name_is_known_or_it_is_not(tmp_path: Path, written: str, name: str | None) -> None:
    found = function(read(tmp_path, TEMPLATE.format(name=written)))
    assert found.function_name == name
    assert not [one for one in found.unresolved if one.field == "function_name"], "nobody but `verify` asks for it"


def test_a_plan_says_it_unless_it_is_unknown_or_sensitive(tmp_path: Path) -> None:
    assert one(tmp_path, lambda_function(function_name="orders")).function_name == "orders"
    assert one(tmp_path, lambda_function(function_name="orders", sensitive={"function_name": True})).function_name is None
    assert one(tmp_path, lambda_function(function_name=None, unknown={"function_name": True})).function_name is None
