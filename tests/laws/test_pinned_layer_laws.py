"""A layer that is turned to another version and back gives the very template it was, and every other layer stays what it is."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from shipsafe.signing.rewrite.layers import pin_layer

OLD = "arn:aws:lambda:eu-west-1:999988887777:layer:tools:7"
NEW = "arn:aws:lambda:eu-west-1:111122223333:layer:tools:1"
# Others that begin, end or go on alike.
OTHERS = [f"{OLD}7", OLD.replace(":7", ":17"), OLD.replace("tools", "tools-7"), f"{NEW}0", "!Ref Tools", "!GetAtt Nested.Outputs.Layer"]
PSEUDO = {"AWS::Region": "eu-west-1", "AWS::Partition": "aws", "AWS::AccountId": "111122223333"}
STYLES = ("{}", "'{}'", '"{}"', "{}  # of somebody")

layers = st.lists(st.tuples(st.sampled_from([OLD, *OTHERS]), st.integers(0, 3)), min_size=1, max_size=5)


def template(functions: Sequence[Sequence[tuple[str, int]]], line_end: str) -> str:
    lines = ["Resources:"]
    for number, used in enumerate(functions):
        lines += [f"  F{number}:", "    Type: AWS::Serverless::Function", "    Properties:", "      Layers:"]
        lines += [f"        - {text if text.startswith('!') else STYLES[quote].format(text)}" for text, quote in used]
        lines += [f"      Policies: [{{Resource: '{OLD}'}}]"]
    return line_end.join([*lines, ""])


@settings(max_examples=60, deadline=None)
@given(st.lists(layers, min_size=1, max_size=3), st.sampled_from(["\n", "\r\n"]))
def test_there_and_back_is_where_it_was(functions: list[list[tuple[str, int]]], line_end: str) -> None:
    text = template(functions, line_end)
    there = pin_layer(text, OLD, NEW, name="t.yaml", pseudo=PSEUDO)
    assert pin_layer(there.text, NEW, OLD, name="t.yaml", pseudo=PSEUDO).text == text
    wanted = [[(NEW if one == OLD else one, quote) for one, quote in used] for used in functions]
    assert there.text == template(wanted, line_end)
    assert len(there.lines) == sum(one == OLD for used in functions for one, _ in used)
