"""The model of the runner obeys what GitHub's obeys, so that "it obeyed nothing" says something."""

import pytest

from tests.injection.runner import commands, hidden, live, outputs


@pytest.mark.parametrize(
    ("log", "obeyed"),
    [
        ("::error::x", ["error"]),
        ("   ::Error file=a,line=1::x", ["error"]),
        ("a\r::set-env name=PATH::/evil", ["set-env"]),
        ("some words ##[add-mask]x", ["add-mask"]),
        ("a\n::stop-commands::t\n::warning::y", ["stop-commands", "warning"]),
        ("words ::error::x", []),
        (": :error::x", []),
        ("## [error]x", []),
        ("::nothing::x", []),
        ("AWS::Lambda::Function", []),
    ],
)
def test_commands_are_obeyed_where_the_runner_obeys_them(log: str, obeyed: list[str]) -> None:
    assert [one.name for one in commands(log)] == obeyed


def test_what_is_escaped_in_a_command_becomes_what_it_was() -> None:
    (found,) = commands("::error file=a%3Ab%2Cc,title=t%25::x%0Ay%250A")
    assert (found.properties, found.data) == ({"file": "a:b,c", "title": "t%"}, "x\ny%0A")


def test_outputs_are_read_in_both_forms() -> None:
    assert outputs("a<<E\n1\nb=2\nE\nc=3<<x\n") == {"a": "1\nb=2", "c": "3<<x"}


@pytest.mark.parametrize(
    "text", ["[a](https://evil.example)", "![p](x.png)", "<https://evil.example>", "a <img src=x> b", "`c`", "<script>\n"]
)
def test_what_does_something_in_markdown_is_seen(text: str) -> None:
    assert live(text)
    assert live(f"| a |\n| --- |\n| {text.strip()} |\n")


def test_text_and_what_is_hidden_in_it() -> None:
    assert live("## a\n\n| b |\n| --- |\n| c<br>d <!-- -->e |\n") == []
    assert hidden("a\x1b[2J\u202e\r") == {"\x1b", "\u202e", "\r"}
