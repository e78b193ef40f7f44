"""The baseline file: what is written, what is read again, and what is said of one that cannot be used."""

import tomllib
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipsafe.errors import ConfigError
from shipsafe.model.baseline import BaselineEntry
from shipsafe.model.severity import Severity
from shipsafe.policy.baseline import read_baseline, write_baseline

TODAY = date(2026, 11, 21)
SHELL = BaselineEntry(
    rule="lint/B602",
    subject="function:Billing",
    key="app.py:B602:0123456789abcdef:1",
    message="subprocess is called with shell=True.",
    severity=Severity.HIGH,
    recorded=date(2026, 10, 1),
    owner="team@example.com",
)
OLD = BaselineEntry(
    rule="dependencies/vulnerable",
    subject="function:Billing",
    key="jinja2",
    message="jinja2 3.1.2 renders attributes.",
    severity=Severity.MEDIUM,
    recorded=TODAY,
    owner="Ann",
    expires=date(2027, 2, 28),
    advisory="GHSA-h5c8-rqwp-cp95",
    aliases=("CVE-2024-22195", "PYSEC-2024-9"),
)
HEAD = "version = 1\n[[findings]]\n"
AGAIN = " Correct it, or write the file again with --write-baseline."
ENTRY = 'rule = "lint/B602"\nsubject = "function:A"\nseverity = "high"\nkey = "k"\ndate = 2026-11-01\nowner = "o"\n'


def again(file: Path, *entries: BaselineEntry) -> tuple[BaselineEntry, ...]:
    """What a reader sees of what was written, without places."""
    write_baseline(file, entries)
    return tuple(replace(entry, location=None) for entry in read_baseline(file, shown=file.name, today=TODAY).entries)


def test_a_file_reads_like_this(tmp_path: Path) -> None:
    file = tmp_path / "shipsafe-baseline.toml"
    assert again(file, SHELL, OLD) == (OLD, SHELL)
    text = file.read_text(encoding="utf-8")
    assert (
        text
        == """\
# Findings that were there before: they are known, and do not block. What is new does.
# Written by --write-baseline; written again, it keeps dates, owners and ends, and drops what is gone.
# An entry may be given an end: expires = 2027-01-31
version = 1

[[findings]]
rule = "dependencies/vulnerable"
subject = "function:Billing"
severity = "medium"
message = "jinja2 3.1.2 renders attributes."
key = "jinja2"
advisory = "GHSA-h5c8-rqwp-cp95"
aliases = "CVE-2024-22195 PYSEC-2024-9"
date = 2026-11-21
owner = "Ann"
expires = 2027-02-28

[[findings]]
rule = "lint/B602"
subject = "function:Billing"
severity = "high"
message = "subprocess is called with shell=True."
key = "app.py:B602:0123456789abcdef:1"
date = 2026-10-01
owner = "team@example.com"
"""
    )
    assert [entry["rule"] for entry in tomllib.loads(text)["findings"]] == ["dependencies/vulnerable", "lint/B602"]
    places = [str(entry.location) for entry in read_baseline(file, shown="b.toml", today=TODAY).entries]
    assert places == ["b.toml:6", "b.toml:18"]


def test_the_order_of_writing_and_doubles_do_not_matter(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write_baseline(one, [SHELL, OLD, SHELL])
    write_baseline(other, [OLD, SHELL])
    assert one.read_bytes() == other.read_bytes()


def test_a_reviewer_sees_every_character(tmp_path: Path) -> None:
    hostile = replace(SHELL, message='ok"\n[[findings]]\r\x00\u202e\u2028\ufeff \\', key="\x7f\t'", owner="Zoë")
    assert again(tmp_path / "b.toml", hostile) == (hostile,)
    text = (tmp_path / "b.toml").read_text(encoding="utf-8")
    assert all(char == "\n" or char.isprintable() for char in text)
    assert text.count("[[findings]]\n") == 1
    assert 'owner = "Zoë"' in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense\n", "b.toml:1: Not a baseline of shipsafe. Name a file that --write-baseline wrote."),
        ('extends = "baseline"\n', "b.toml:1: Not a baseline of shipsafe. Name a file that --write-baseline wrote."),
        ("", "b.toml: Not a baseline of shipsafe. Name a file that --write-baseline wrote."),
        ("# a comment\n\n[[findings]]\n", "b.toml:3: Not a baseline of shipsafe. Name a file that --write-baseline wrote."),
        ("version = 1\nrule = 'x'\n", "b.toml:2: Not a baseline of shipsafe. Name a file that --write-baseline wrote."),
        ("version = 2\n", "b.toml:1: It is of version 2, and this shipsafe reads version 1. Use the shipsafe that wrote it."),
        (HEAD, "b.toml:2: The entry has no `rule`." + AGAIN),
        (HEAD + ENTRY.replace('"o"', '" "'), "b.toml:2: The entry has no `owner`." + AGAIN),
        (HEAD + 'rulez = "x"\n', "b.toml:3: Unknown key `rulez`." + AGAIN),
        (HEAD + 'rule = "a"\nrule = "b"\n', "b.toml:4: `rule` stands twice in one entry." + AGAIN),
        (HEAD + 'rule = "a\n', "b.toml:3: The value of `rule` is not valid TOML." + AGAIN),
        (HEAD + "rule = 1\n", "b.toml:3: `rule` is not a text." + AGAIN),
        (HEAD + "date = 2026-02-31\n", "b.toml:3: The value of `date` is not valid TOML." + AGAIN),
        (HEAD + "date = 2026-01-01T00:00:00\n",
         "b.toml:3: `date` is not a date such as 2027-01-31." + AGAIN),
        (HEAD + ENTRY.replace("2026-11-01", "2026-11-22"),
         "b.toml:7: The entry is of 2026-11-22, which is after today. Write the day on which it was recorded."),
        (HEAD + ENTRY.replace("high", "awful"),
         "b.toml:5: There is no severity `awful`. Choose one of critical, high, medium, low, unscored."),
        (HEAD + "a.b.c.d = 1\n",
         'b.toml:3: Not of the form `name = "text"` or `name = DATE`, which is all that an entry may hold.' + AGAIN),
        (HEAD + "aliases = { a.b.c = 1 }\n",
         'b.toml:3: Not of the form `name = "text"` or `name = DATE`, which is all that an entry may hold.' + AGAIN),
        (HEAD + "rule = " + "1" * 5000 + "\n",
         "b.toml:3: The value of `rule` is not valid TOML." + AGAIN),
    ],
)  # fmt: skip
def test_what_is_said_of_a_file_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "b.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_baseline(file, shown="b.toml", today=TODAY)
    assert str(caught.value) == message


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "b.toml"
    with pytest.raises(ConfigError, match="A baseline of 1 findings is too large"):
        write_baseline(file, [replace(SHELL, key="k" * (33 << 20))])
    assert not file.exists()


def test_a_file_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^b.toml: There is no such baseline. Write one with --write-baseline FILE."):
        read_baseline(tmp_path / "b.toml", shown="b.toml", today=TODAY)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="Not UTF-8"):
        read_baseline(tmp_path / "b.toml", shown="b.toml", today=TODAY)


def test_a_person_may_write_comments_blanks_and_line_ends_of_windows(tmp_path: Path) -> None:
    text = (
        "\ufeff# ours\nversion = 1 # of the format\n\n[[ findings ]] # the first\n"
        + ENTRY.replace("\n", " # why\n")
        + "expires = 2027-01-01\n"
    )
    (tmp_path / "b.toml").write_bytes(text.replace("\n", "\r\n").encode())
    (entry,) = read_baseline(tmp_path / "b.toml", shown="b.toml", today=TODAY).entries
    assert (entry.rule, entry.expires) == ("lint/B602", date(2027, 1, 1))


TEXT = st.text(max_size=20)
WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Zs", "Cc", "Zl", "Zp"]), min_size=1, max_size=8)
ENTRIES = st.builds(
    BaselineEntry, rule=WORD, subject=WORD, key=TEXT, message=TEXT, severity=st.sampled_from(Severity), recorded=st.dates(max_value=TODAY),
    owner=WORD, expires=st.none() | st.dates(), advisory=st.none() | WORD,
    aliases=st.sets(WORD, max_size=2).map(lambda found: tuple(sorted(found))))  # fmt: skip


@given(st.lists(ENTRIES, max_size=4))
def test_what_is_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, entries: list[BaselineEntry]) -> None:
    file = tmp_path_factory.mktemp("law") / "b.toml"
    assert set(again(file, *entries)) == set(entries)


@given(
    st.lists(
        st.sampled_from(["[[findings]]", "\n", "rule", " = ", '"x"', "'", '"""', "2026-01-01", "version = 1", "{", "a.b", "\\u", "#"]),
        max_size=25,
    )
)
def test_no_file_does_worse_than_our_error(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    file = tmp_path_factory.mktemp("law") / "b.toml"
    file.write_text("".join(pieces))
    with suppress(ConfigError):
        read_baseline(file, shown="b.toml", today=TODAY)
