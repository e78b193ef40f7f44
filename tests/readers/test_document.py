"""A template that cannot be read ends in one message that says where; one that can keeps every line."""

import json
import os
import time
from itertools import pairwise
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError
from shipsafe.readers import read_project
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.document import read_document
from shipsafe.readers.template.node import Node
from tests.readers.writing import policy, refused

_SECONDS = 30  # of the processor; a virtual machine that stands still for 20 s may count them


def parsed(folder: Path, text: str | bytes, name: str = "template.yaml") -> Node:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(path, name=name, budget=Budget())


def error(folder: Path, text: str | bytes, name: str = "template.yaml") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parsed(folder, text, name)
    return caught.value


def test_every_value_keeps_its_line_and_column(tmp_path: Path) -> None:
    node = parsed(tmp_path, "Resources:\n  F:\n    Type: X\n    List: [a, 'b']\n")
    resource = node.fields["Resources"].fields["F"]
    assert str(resource.fields["Type"].location) == "template.yaml:3"
    assert resource.fields["Type"].column == 11
    listed = resource.fields["List"].value
    assert isinstance(listed, tuple)
    assert [(item.value, item.line, item.column) for item in listed] == [("a", 4, 12), ("b", 4, 15)]
    assert (node.fields["Resources"].key_location("F").line, node.fields["Resources"].key_location("F").column) == (2, 3)


def test_json_and_yaml_give_the_same_values_at_the_same_places(tmp_path: Path) -> None:
    text = '{\n  "a": {"Ref": "b"},\n  "c": [1, -2.5e3, true, null,\n    "x\\ny", {}, []]\n}\n'
    from_json, from_yaml = parsed(tmp_path, text, "template.json"), parsed(tmp_path, f"# not JSON\n{text}")
    assert _shape(from_json, shift=1) == _shape(from_yaml, shift=0)


def _shape(node: Node, *, shift: int) -> object:
    value: object = node.value
    if isinstance(node.value, tuple):
        value = [_shape(child, shift=shift) for child in node.value]
    elif node.value is not None and not isinstance(node.value, str):
        value = {key: _shape(child, shift=shift) for key, child in node.value.items()}
    return value, node.line + shift, node.column


def test_json_may_hold_what_the_yaml_reader_would_refuse(tmp_path: Path) -> None:
    text = json.dumps({"face": "\U0001f600", "k" * 2000: "\t"}).replace("/", "\\/")
    assert parsed(tmp_path, text, "template.json").fields["face"].value == "\U0001f600"
    assert parsed(tmp_path, text, "template.template").fields["face"].value == "\U0001f600"


def test_flow_yaml_that_only_looks_like_json_is_read_as_yaml(tmp_path: Path) -> None:
    assert parsed(tmp_path, "{a: b}").fields["a"].value == "b"


def test_scalars_stay_text_as_they_are_written(tmp_path: Path) -> None:
    node = parsed(tmp_path, "a: 012\nb: yes\nc: 2012-12-12\nd: 1_000\ne: 0x1F\nf: True\ng: ~\nh: '~'\ni:\nj: 1.10\n")
    values = {key: child.value for key, child in node.fields.items()}
    assert values == {
        "a": "012",
        "b": "yes",
        "c": "2012-12-12",
        "d": "1_000",
        "e": "0x1F",
        "f": "true",
        "g": None,
        "h": "~",
        "i": None,
        "j": "1.10",
    }


def test_short_tags_become_their_long_form(tmp_path: Path) -> None:
    text = "a: !Ref X\nb: !GetAtt A.B.C\nc: !Sub ['x', {y: z}]\nd: !Condition C\ne: !GetAtt [A, B]\nf: !!str 012\n"
    node = parsed(tmp_path, text)
    assert node.fields["a"].call is not None
    assert node.fields["a"].call[0] == "Ref"
    assert [part.value for part in node.fields["b"].fields["Fn::GetAtt"].value or ()] == ["A", "B.C"]  # type: ignore[union-attr]
    assert "Fn::Sub" in node.fields["c"].fields
    assert "Condition" in node.fields["d"].fields
    assert "Fn::GetAtt" in node.fields["e"].fields
    assert node.fields["f"].value == "012"


def test_merges_give_way_to_the_mappings_own_keys(tmp_path: Path) -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 3\nq: {'<<': 1}\n"
    node = parsed(tmp_path, text)
    assert {key: child.value for key, child in node.fields["z"].fields.items()} == {"a": "3", "b": "1", "c": "2"}
    assert set(node.fields["q"].fields) == {"<<"}


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    assert parsed(tmp_path, b"\xef\xbb\xbfa: b").fields["a"].column == 4


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a: b\n c: d\n", 2, 3, "Not YAML: mapping values are not allowed"),
        ("a: [1, 2\nb: 3\n", 2, 2, "Not YAML"),
        ("a:\n\t- b\n", 2, 1, "cannot start any token"),
        ("a: 'x\n", 2, 1, "unexpected end of stream"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "Key `a` stands twice, first in line 1."),
        ("a: *b\n", 1, 4, "Alias *b names nothing before it."),
        ("a: &a [*a]\n", 1, 8, "Alias *a names nothing before it."),
        ("? [a]\n: b\n", 1, 3, "A key must be text."),
        ("? {a: b}\n: b\n", 1, 3, "A key must be text."),
        ("x: &x [a]\n*x : b\n", 2, 1, "A key must be text."),
        ("a: b\n---\nc: d\n", 2, 1, "A second document begins here."),
        ("a: {<<: b}\n", 1, 4, "`<<` merges something that is not a mapping."),
        ("a: !!python/object/apply:os.system ['id']\n", 1, 4, "is not one of CloudFormation's"),
        ("a: !<tag:x,1> b\n", 1, 4, "is not one of CloudFormation's"),
        ("a: !!binary aGk=\n", 1, 4, "is not one of CloudFormation's"),
        ("%TAG !a! tag:x,1:\n---\na: b\n", 1, 1, "Tag directives are not CloudFormation's."),
        ("a: \x00b\n", 1, 4, "Control character U+0000."),
        ("a: b\nc: \x1b[31m\n", 2, 4, "Control character U+001B."),
        ("- a\n- b\n", 1, 1, "A template is a mapping, and this is not."),
        ("just text\n", 1, 1, "A template is a mapping, and this is not."),
        (b"a: b\nc: \xff\n", 2, None, "Not UTF-8."),
        ("a: b\n".encode("utf-16"), 1, None, "Not UTF-8."),
        ("", None, None, "The template is empty."),
        ("# nothing\n", None, None, "The template is empty."),
        ("~\n", None, None, "The template is empty."),
    ],
)
def test_broken_yaml_is_refused_with_its_place(tmp_path: Path, text: str | bytes, line: int | None, column: int | None, says: str) -> None:
    found = error(tmp_path, text)
    assert says in found.what
    assert (found.path, found.line, found.column) == ("template.yaml", line, column)
    assert found.remedy


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ('{"a": 1,}', 1, 9, "expected a key in double quotes"),
        ('{"a" 1}', 1, 6, "expected `:`"),
        ('{"a": 1\n "b": 2}', 2, 2, "expected `,` or `}`"),
        ('{"a": [1 2]}', 1, 10, "expected `,` or `]`"),
        ('{"a": [1}', 1, 9, "`}` closes nothing"),
        ('{"a": tru}', 1, 7, "expected a value"),
        ('{"a": "x', 1, 7, "the string is broken"),
        ('{"a": "\\ud800"}', 1, 7, "the string is broken"),
        ('{"a": 1} x', 1, 10, "expected the end"),
        ('{"a": ', 1, 7, "expected a value"),
        ("{'a': 1}", 1, 2, "expected a key in double quotes"),
        ('{"a": 1, "a": 2}', 1, 10, "Key `a` stands twice"),
        ("[]", 1, 1, "A template is a mapping"),
    ],
)
def test_broken_json_is_refused_with_its_place(tmp_path: Path, text: str, line: int, column: int, says: str) -> None:
    found = error(tmp_path, text, "template.json")
    assert says in found.what
    assert (found.line, found.column) == (line, column)


def _laughs() -> str:
    names = "abcdefghijklmnop"
    lines = [f"{names[0]}: &{names[0]} [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise(names)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("template.yaml", _laughs(), "aliases expanded"),
        ("template.yaml", "a: &a {b: 1}\n" + "".join(f"k{i}: &k{i} {{<<: *k{i - 1}, a{i}: *k{i - 1}}}\n" for i in range(1, 40)), "names"),
        ("template.yaml", "[" * 4_000_000, "Nested more than 80 deep."),
        ("template.json", "[" * 4_000_000, "Nested more than 80 deep."),
        ("template.yaml", "- " * 2_000_000, "Nested more than 80 deep."),
        ("template.yaml", "a: [" + "1," * 2_000_000 + "]", "More than 250,000 values"),
        ("template.json", '{"a": [' + "1," * 2_000_000 + "1]}", "More than 250,000 values"),
        ("template.yaml", "".join(f"%TAG !a{i}! tag:x,{i}:\n" for i in range(100_000)) + "---\na: b\n", "Tag directives"),
        ("template.yaml", "a: &a 1\nb: [" + "*a , " * 900_000 + "]", "More than 250,000 values"),
    ],
    ids=["laughs", "merges", "deep flow", "deep json", "deep block", "wide", "wide json", "tag directives", "aliases"],
)
def test_a_bomb_is_refused_in_seconds(tmp_path: Path, name: str, text: str, says: str) -> None:
    began = time.process_time()
    assert says in error(tmp_path, text, name).what
    assert time.process_time() - began < _SECONDS


def test_aliases_that_pile_up_depth_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [[[[[[[[[[x]]]]]]]]]]", *(f"a{i}: &a{i} [[[[[[[[[[*a{i - 1}]]]]]]]]]]" for i in range(1, 9))]
    assert "tags and aliases expanded" in error(tmp_path, "\n".join(lines)).what


def test_a_template_of_50_mb_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_bytes(b"Resources:\n")
    os.truncate(path, 50_000_000)
    with pytest.raises(ConfigError, match=r"47\.7 MiB is more than shipsafe reads .* at most 1 MB"):
        read_project(tmp_path, policy=policy(), overrides={})


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "template.yaml")
    with pytest.raises(ConfigError, match="Not a regular file"):
        read_document(tmp_path / "template.yaml", name="template.yaml", budget=Budget())


def test_a_template_of_1_mb_is_read_in_seconds(tmp_path: Path) -> None:
    resource = "    Type: AWS::Lambda::Function\n    Properties: {Handler: !Sub 'app.${AWS::Region}', Code: {S3Bucket: a, S3Key: b}}\n"
    text = "Resources:\n" + "".join(f"  F{i}:\n{resource}" for i in range(7500))
    assert len(text) > 900_000
    (tmp_path / "template.yaml").write_text(text)
    began = time.process_time()
    assert len(read_project(tmp_path, policy=policy(), overrides={}).functions) == 7500
    assert time.process_time() - began < _SECONDS  # 0.8 s on an idle machine; this guards against anything quadratic


def test_names_in_messages_cannot_reach_the_terminal(tmp_path: Path) -> None:
    found = refused(tmp_path, 'Resources:\n  "a\\e[31m\\u202e":\n    Type: AWS::Lambda::Function\n')
    assert "\x1b" not in str(found)
    assert "\u202e" not in str(found)
