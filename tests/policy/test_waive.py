"""A waiver written into the policy file: in order, nothing else touched, and only what the policy admits."""

import hashlib
import tomllib
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipsafe.errors import ConfigError
from shipsafe.model.policy import Waiver
from shipsafe.policy import load
from shipsafe.policy.waive import Edit, plan_waiver

TODAY = date(2026, 11, 21)
WAIVER = Waiver(target="lint/B602", subject="function:Billing", reason="r", owner="o", expires=date(2027, 1, 31))
TABLE = '[[waivers]]\nrule = "lint/B602"\nsubject = "function:Billing"\nreason = "r"\nowner = "o"\nexpires = 2027-01-31\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def planned(folder: Path, waiver: Waiver = WAIVER, *, explicit: Path | None = None) -> Edit:
    def fetch(url: str) -> bytes:
        raise AssertionError(url)

    return plan_waiver(folder, waiver, explicit=explicit, offline=True, cache=folder / "cache", fetch=fetch, today=TODAY)


def written(folder: Path, text: str, waiver: Waiver = WAIVER) -> str:
    (folder / "shipsafe.toml").write_bytes(text.encode())
    planned(folder, waiver).apply()
    return (folder / "shipsafe.toml").read_bytes().decode()


def refused(folder: Path, text: str, waiver: Waiver = WAIVER) -> str:
    (folder / "shipsafe.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        planned(folder, waiver)
    assert (folder / "shipsafe.toml").read_text() == text
    return str(caught.value)


def entry(rule: str, subject: str = "x") -> str:
    return f'[[waivers]]\nrule = "{rule}"\nsubject = "{subject}"\nreason = "r"\nowner = "o"\nexpires = 2027-01-01\n'


def test_without_a_policy_file_one_is_made(folder: Path) -> None:
    edit = planned(folder)
    assert (edit.before, edit.shown, edit.line) == (None, "shipsafe.toml", 1)
    edit.apply()
    assert (folder / "shipsafe.toml").read_text() == TABLE


def test_everything_else_in_the_file_stays_as_it_is(folder: Path) -> None:
    text = '# ours\nextends   =  "baseline" # why\n\n[gates.lint]\nmode = "observe"'
    assert written(folder, text) == f"{text}\n\n{TABLE}"


def test_a_waiver_goes_where_the_order_of_the_others_wants_it(folder: Path) -> None:
    first, last = entry("layers/unpinned"), entry("package/startup-hook")
    text = f"{first}\n# about the hook\n{last}\n# the end\n[layers]\npublishers = []\n"
    assert written(folder, text) == text.replace("# about", f"{TABLE}\n# about")


def test_where_the_others_are_in_no_order_it_goes_after_the_last(folder: Path) -> None:
    text = f"{entry('package/startup-hook')}\n{entry('layers/unpinned')}\n# the end\n[layers]\npublishers = []\n"
    assert written(folder, text) == text.replace("# the end", f"{TABLE}\n# the end")


def test_a_table_of_pyproject_gets_it_under_its_own_name(folder: Path) -> None:
    text = '[project]\nname = "x"\n\n[tool.shipsafe]\nextends = "baseline"\n\n[tool.other]\na = 1\n'
    (folder / "pyproject.toml").write_text(text)
    planned(folder).apply()
    assert (folder / "pyproject.toml").read_text() == f"{text}\n{TABLE.replace('[[waivers]]', '[[tool.shipsafe.waivers]]')}"


def test_line_ends_of_windows_stay(folder: Path) -> None:
    text = 'extends = "baseline"\r\n'
    assert written(folder, text) == f"{text}\r\n" + TABLE.replace("\n", "\r\n")


def test_a_line_that_only_looks_like_a_table_is_not_one(folder: Path) -> None:
    long = entry("lint/B101").replace('"r"', '"""r\n[[waivers]]\n[z]"""')
    text = f"{entry('layers/unpinned')}\n{long}"
    after = written(folder, text, replace(WAIVER, target="lint/B102"))
    assert after.startswith(text)
    assert len(tomllib.loads(after)["waivers"]) == 3


def test_every_key_of_a_waiver_is_written_and_read_again(folder: Path) -> None:
    waiver = replace(
        WAIVER,
        target="CVE-2026-1",
        reason='a "quoted" \\ line\nand \x7f more é',
        until_fixed=True,
        justification="component_not_present",
    )
    written(folder, "", waiver)
    (found,) = load(folder, offline=True, cache=folder / "cache", fetch=lambda _: b"", today=TODAY).waivers
    assert replace(found, location=None) == waiver


@pytest.mark.parametrize(
    ("text", "waiver", "message"),
    [
        ('unwaivable = ["lint/b602"]\n', WAIVER,
         "shipsafe.toml: lint/B602 cannot be waived (`unwaivable`, shipsafe.toml:1). Fix what it finds."),
        ('extends = "strict"\n', replace(WAIVER, expires=date(2027, 6, 1)),
         ("shipsafe.toml: The waiver for lint/B602 lasts longer than 90 days (`longest-waiver`, preset strict). "
          "Let it expire on 2027-02-19 or before.")),
        ("", replace(WAIVER, expires=None),
         "shipsafe.toml: The waiver for lint/B602 has no end. Give it `expires = DATE` or `until-fixed = true`."),
        ("", replace(WAIVER, justification="component_not_present"),
         "shipsafe.toml: Only a waiver of an advisory has a justification. Leave it out."),
        (f"\n{TABLE}", WAIVER, "shipsafe.toml:2: lint/B602 is already waived for function:Billing. Edit that waiver."),
        (entry("lint/B602", "*"), WAIVER, "shipsafe.toml:1: lint/B602 is already waived for *. Edit that waiver."),
        (TABLE, replace(WAIVER, subject="Billing", target="LINT/b602"),
         "shipsafe.toml:1: lint/B602 is already waived for function:Billing. Edit that waiver."),
        ("waivers = []\n", WAIVER,
         ("shipsafe.toml: There is no place in this file where a `[[waivers]]` table can stand. "
          "Write the waivers that it has as `[[waivers]]` tables.")),
        ("requird = []\n", WAIVER, "shipsafe.toml:1: Unknown key `requird`. Did you mean `required`?"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_and_the_file_is_left_as_it_is(folder: Path, text: str, waiver: Waiver, message: str) -> None:
    assert refused(folder, text, waiver) == message


def test_where_the_organisation_allows_no_waivers_none_is_written(folder: Path) -> None:
    (folder / "org.toml").write_text('fixed = ["waivers"]\n')
    digest = hashlib.sha256((folder / "org.toml").read_bytes()).hexdigest()
    text = f'extends = {{ path = "org.toml", sha256 = "{digest}" }}\n'
    assert "`waivers` is fixed by org.toml:1, and a waiver loosens." in refused(folder, text)


def test_a_file_that_changed_in_between_is_left_alone(folder: Path) -> None:
    (folder / "shipsafe.toml").write_text("")
    edit = planned(folder)
    (folder / "shipsafe.toml").write_text('lock = "uv.lock"\n')
    with pytest.raises(ConfigError, match="Changed while this was asked"):
        edit.apply()
    assert (folder / "shipsafe.toml").read_text() == 'lock = "uv.lock"\n'


PIECES = st.sampled_from([
    "# c", "", "[layers]\npublishers = []", entry("lint/B1"), entry("lint/B2", "[[waivers]]"), entry("package/x"), "  # d", "\t",
    '[parameters]\nA = """\n[[waivers]]\n[b]\n"""', "[gates.lint]\nmode = 'observe' # e",
])  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=6, unique=True), st.sampled_from(["lint/B0", "lint/B15", "zz/z"]), st.booleans())
def test_whatever_the_file_looks_like_the_waiver_is_added_and_no_line_is_lost(
    folder: Path,
    pieces: list[str],
    target: str,
    ends: bool,  # noqa: FBT001 - hypothesis passes it by position
) -> None:
    text = "\n".join(pieces) + ("\n" if ends else "")
    after = written(folder, text, replace(WAIVER, target=target))
    waivers = tomllib.loads(after)["waivers"]
    assert sum(one["rule"] == target for one in waivers) == 1
    added = Counter(after.splitlines()) - Counter(text.splitlines())
    assert +added == Counter([*TABLE.replace("lint/B602", target).splitlines(), *[""] * added[""]])
    assert not Counter(text.splitlines()) - Counter(after.splitlines())
