"""What a policy says of locks."""

from pathlib import Path

from shipsafe.model.policy import LockChoice
from tests.policy.test_load import read, said


def test_groups_and_extras_hold_for_all_and_for_some(tmp_path: Path) -> None:
    policy = read(
        tmp_path,
        'groups = ["lambda"]\nextras = ["pdf"]\n[[select]]\nfunction = "Report*"\ngroups = ["reports"]\nonly-groups = true\n'
        '[[select]]\nfunction = "ReportDaily"\nextras = []\nmember = "daily"\n',
    )
    assert policy.choice("Pay") == LockChoice(groups=("lambda",), extras=("pdf",))
    assert policy.choice("ReportWeekly") == LockChoice(groups=("reports",), extras=("pdf",), only_groups=True)
    assert policy.choice("ReportDaily") == LockChoice(groups=("reports",), only_groups=True, member="daily")


def test_a_function_of_a_project_without_a_template_says_it_of_itself(tmp_path: Path) -> None:
    policy = read(
        tmp_path,
        'groups = ["all"]\n[[select]]\nfunction = "*"\nextras = ["x"]\n[[functions]]\nname = "pay"\nhandler = "app.handler"\n'
        'runtime = "python3.13"\ncode = "."\ngroups = ["pay"]\nextras = []\n',
    )
    assert policy.choice("pay") == LockChoice(groups=("pay",))
    assert policy.choice("stock") == LockChoice(groups=("all",), extras=("x",))


def test_files_are_relative_to_the_policy(tmp_path: Path) -> None:
    policy = read(tmp_path, 'shared-lock = "locks/uv.lock"\nconstraints = ["limits.txt"]\n')
    assert policy.shared_lock == str(tmp_path / "locks/uv.lock")
    assert policy.constraints == (str(tmp_path / "limits.txt"),)


def test_what_cannot_be_meant_is_said_at_its_line(tmp_path: Path) -> None:
    assert said(tmp_path, '[[select]]\ngroups = ["a"]\n').startswith("shipsafe.toml:1: Entry 1 of `[[select]]` has no `function`.")
    assert said(tmp_path, 'groups = "a"\n').startswith("shipsafe.toml:1: `groups` is not a list of texts.")
    assert "Did you mean `groups`?" in said(tmp_path, '[[select]]\nfunction = "a"\ngroup = ["a"]\n')
