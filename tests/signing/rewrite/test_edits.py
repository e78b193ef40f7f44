"""What is cut out and pasted in a text; and that a result which would mean more is never given out."""

from itertools import pairwise

import pytest

from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.edits import Edits
from shipsafe.signing.rewrite.written import read_written
from tests.signing.rewrite.making import changes

# Each line holds nine times what the one before it holds.
_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(f"{to}: &{to} [{', '.join([f'*{of}'] * 9)}]\n" for of, to in pairwise("abcdefghi"))


def _edits(text: str) -> Edits:
    return Edits(text, name="t.yaml")


def test_keys_are_taken_out_with_their_lines_and_their_neighbours_stay() -> None:
    text = "A:\n  # of b\n  b: 1 # one\n  c:\n    - x\n    - y\n\n  # of d\n  d: |\n    text\n\n  e: 2\n"
    edits = _edits(text)
    edits.remove(("A",), ["c", "d"])
    assert edits.result() == "A:\n  # of b\n  b: 1 # one\n\n  # of d\n\n  e: 2\n"


def test_keys_are_taken_out_of_brackets() -> None:
    for gone, expected in ((["a"], "{b: 2, c: 3}"), (["c"], "{a: 1, b: 2}"), (["b"], "{a: 1, c: 3}"), (["a", "b"], "{c: 3}"),
                           (["b", "c"], "{a: 1}"), (["a", "c"], "{b: 2}")):  # fmt: skip
        edits = _edits("X: {a: 1, b: 2, c: 3} # x\n")
        edits.remove(("X",), gone)
        assert edits.result() == f"X: {expected} # x\n"


def test_a_mapping_that_would_be_left_empty_goes() -> None:
    edits = _edits("A:\n  B:\n    c: 1\nD: 2")
    edits.remove(("A", "B"), ["c"])
    assert edits.result() == "D: 2"
    last = _edits("D: 2\r\nA:\r\n  B:\r\n    c: 1")
    last.remove(("A", "B"), ["c"])
    assert last.result() == "D: 2"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain-text_1.x/y", "plain-text_1.x/y"),
        ("arn:aws:lambda:eu-west-1:111122223333:x", "arn:aws:lambda:eu-west-1:111122223333:x"),
        ("yes", '"yes"'),
        ("Null", '"Null"'),
        ("12e4", '"12e4"'),
        ("", '""'),
        ("a: b # c", '"a: b # c"'),
        ("2026-01-01", '"2026-01-01"'),
        ('q"\\', '"q\\"\\\\"'),
        ("\N{GRINNING FACE}\u00e9", '"\N{GRINNING FACE}\u00e9"'),
        ("~", '"~"'),
        ("trailing:", '"trailing:"'),
    ],
)
def test_text_is_quoted_where_it_could_be_taken_for_something_else(value: str, written: str) -> None:
    edits = _edits("A:\n  b: old # why\n")
    edits.put(("A",), "b", value)
    assert edits.result() == f"A:\n  b: {written} # why\n"


def test_the_file_decides_how_far_in_new_lines_stand() -> None:
    edits = _edits("A:\n    b:\n        c: 1\n")
    edits.put(("A", "b"), "d", {"e": "x"})
    assert changes("A:\n    b:\n        c: 1\n", edits.result()) == "+        d:\n+            e: x"


def test_what_is_added_stands_behind_a_comment_and_before_blank_lines() -> None:
    edits = _edits("A:\n  b: 1 # one\n\n  # two\n  c: 2\n")
    edits.put(("A",), "n", "new", after="b")
    assert edits.result() == "A:\n  b: 1 # one\n  n: new\n\n  # two\n  c: 2\n"


def test_text_of_several_lines_that_keeps_its_last_ones_is_not_cut_short() -> None:
    """`|+` keeps blank lines: a key put behind them is right, one put into them would change the text."""
    edits = _edits("A:\n  b: |+\n    x\n\nC: 1\n")
    edits.put(("A",), "n", "new", after="b")
    with pytest.raises(ConfigError, match="without changing more"):
        edits.result()


def test_an_explicit_key_is_refused() -> None:
    edits = _edits("A:\n  ? b\n  : 1\n")
    edits.put(("A",), "b", {"c": "x"})
    with pytest.raises(ConfigError, match="not written as `key: value`"):
        edits.result()


def test_a_template_that_changes_under_the_cut_is_never_given_out() -> None:
    edits = _edits("A: &a\n  b: 1\nC: *a\n")
    edits.put(("A",), "b", "x")
    with pytest.raises(ConfigError, match="without changing more"):
        edits.result()


def test_pieces_of_text_are_swapped_wherever_they_stand() -> None:
    edits = _edits("A:\n  b: !Join ['', [https://x/, 'k1.json', !Sub '${B}/k1.json']]\n  c: k1.json\n")
    edits.swap(("A",), "b", "k1", "k2")
    new = edits.result()
    assert new.count("k2.json") == 2
    assert "  c: k1.json\n" in new


def test_what_looks_like_json_and_is_yaml_is_written_as_yaml() -> None:
    edits = _edits("{A: {b: !Ref X, c: 'd'}} # flow\n")
    edits.put(("A",), "c", {"e": "f"})
    assert edits.result() == "{A: {b: !Ref X, c: {e: f}}} # flow\n"


def test_an_empty_mapping_takes_an_entry() -> None:
    edits = _edits("A: {}\nB: [1]\n")
    edits.put(("A",), "c", "d")
    assert edits.result() == "A: {c: d}\nB: [1]\n"


def test_characters_beyond_the_basic_plane_do_not_shift_the_cut() -> None:
    text = "A: '\N{GRINNING FACE}\N{GRINNING FACE}'\n\u00fc: \u00e9\nB:\n  c: old\n"
    edits = _edits(text)
    edits.put(("B",), "c", "new")
    assert edits.result() == text.replace("old", "new")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (_BOMB, "Larger"),
        ("a: " + "[" * 200 + "]" * 200, "Nested more than"),
        ("a: *a\n", "names nothing before it"),
        ("a: &a {b: *a}\n", "names nothing before it"),
        ("a: 1\na: 2\n", "stands twice"),
        ("? [a]\n: 1\n", "must be text"),
        ("a: 1\n---\nb: 2\n", "second document"),
        ("- a\n", "is a mapping"),
        ("", "is a mapping"),
    ],
)  # fmt: skip
def test_a_hostile_template_is_refused(text: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        read_written(text, name="t.yaml", json_only=False)


def test_no_constructor_runs() -> None:
    """A tag is a name, whatever it names."""
    root = read_written("a: !!python/object/apply:os.system ['exit 1']\n", name="t.yaml", json_only=False)
    assert root.value() == {"a": ("tag:yaml.org,2002:python/object/apply:os.system", [("tag:yaml.org,2002:str", "exit 1")])}
