"""`shipsafe report comment`: one comment of a pull request for each project, and nobody else's is touched."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.github_api import GitHub
from shipsafe.adapters.github_job import AUTHOR
from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.flows.comment import LIMIT, footer_of, marker_of, planned, pull_of, written
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision
from shipsafe.reports.json_report import write
from tests.approval.conftest import TOKEN
from tests.approval.loopback import Answer, Api
from tests.approval.pulls import R, person
from tests.reports.sample import record

COMMENTS = f"/{R}/issues/12/comments"


@pytest.fixture
def failed() -> RunRecord:
    """A run that found something."""
    return record(Decision.FAIL)


@pytest.fixture
def job(api: Api, tmp_path: Path, failed: RunRecord, monkeypatch: pytest.MonkeyPatch) -> str:
    """A job of a pull request; gives its report."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 12}}))
    for name, value in {"GITHUB_API_URL": api.url, "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "acme/orders", "GITHUB_RUN_ID": "77",
                        "GITHUB_SERVER_URL": "https://github.com", "GITHUB_EVENT_PATH": str(event)}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    report = tmp_path / "report.json"
    report.write_text(write(failed))
    return str(report)


def kept(api: Api, *comments: dict[str, Any]) -> None:
    """The comments of the pull request, and that one may be added and changed."""
    api.always[f"GET {COMMENTS}"] = list(comments)
    api.always[f"POST {COMMENTS}"] = Answer(status=201, value={"id": 900, "html_url": "https://github.com/acme/orders/pull/12#900"})
    for one in comments:
        api.always[f"PATCH /{R}/issues/comments/{one['id']}"] = {"id": one["id"]}


def comment(number: int, body: str, by: str = AUTHOR) -> dict[str, Any]:
    return {"id": number, "body": body, "user": person(by)}


def changes(api: Api) -> list[str]:
    """What was changed."""
    return [path for path in api.paths() if not path.startswith("GET ")]


def test_the_first_run_adds_a_comment_and_says_where(job: str, api: Api, failed: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    kept(api)
    assert run(["report", "comment", "--yes", job]) == 0
    assert changes(api) == [f"POST {COMMENTS}"]
    body = api.asked[-1].body["body"]
    assert body.startswith(f"{marker_of(failed)}\n## shipsafe")
    assert "**FAIL**" in body
    assert body.endswith("\n[This run](https://github.com/acme/orders/actions/runs/77) wrote it, and the next changes it.\n")
    said = capsys.readouterr().out
    assert said.endswith("Written: https://github.com/acme/orders/pull/12#900\n")
    assert TOKEN not in said


def test_the_next_run_changes_it_and_one_that_says_the_same_changes_nothing(
    job: str, api: Api, failed: RunRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(api, comment(1, "hello", "ann"), comment(2, f"{marker_of(failed)}\r\nbefore"))
    assert run(["report", "comment", "--yes", job]) == 0
    assert changes(api) == [f"PATCH /{R}/issues/comments/2"]
    kept(api, comment(2, api.asked[-1].body["body"].replace("\n", "\r\n")))
    api.asked.clear()
    assert run(["report", "comment", job]) == 0
    assert changes(api) == []
    assert "Comment 2 of acme/orders#12 is as it should be." in capsys.readouterr().out


@pytest.mark.parametrize("by", ["eve", "github-actions", "github-actions[bot]x", "other[bot]"])
def test_a_comment_of_somebody_else_with_our_marker_is_left_alone(job: str, api: Api, failed: RunRecord, by: str) -> None:
    kept(api, comment(5, f"{marker_of(failed)}\nmine", by))
    run(["report", "comment", "--yes", job])
    assert changes(api) == [f"POST {COMMENTS}"]


@pytest.mark.parametrize("body", ["> {marker}\nquoted", "x {marker}", "{marker}x\n", "\n{marker}\n", "", None])
def test_a_comment_that_only_holds_the_marker_somewhere_is_not_ours(job: str, api: Api, failed: RunRecord, body: str | None) -> None:
    kept(api, {**comment(5, ""), "body": body and body.format(marker=marker_of(failed))})
    run(["report", "comment", "--yes", job])
    assert changes(api) == [f"POST {COMMENTS}"]


def test_projects_of_one_repository_have_comments_of_their_own(github: GitHub, api: Api, failed: RunRecord) -> None:
    other = replace(failed, prefix="services/other")
    kept(api, comment(3, f"{marker_of(other)}\nx"), comment(4, f"{marker_of(failed)}\nx"))
    assert planned(failed, github, "acme/orders", 12, author=AUTHOR).number == 4
    assert planned(other, github, "acme/orders", 12, author=AUTHOR).number == 3
    assert planned(replace(failed, prefix="third"), github, "acme/orders", 12, author=AUTHOR).number == 0


def test_ours_is_found_behind_many_others(github: GitHub, api: Api, failed: RunRecord) -> None:
    kept(api, *(comment(number, "x", "ann") for number in range(250)), comment(999, f"{marker_of(failed)}\nx"))
    assert planned(failed, github, "acme/orders", 12, author=AUTHOR).number == 999


def test_a_long_report_is_cut_to_what_github_takes(github: GitHub, api: Api, failed: RunRecord) -> None:
    kept(api)
    one = failed.verdict.blocking[0]
    many = tuple(replace(one, key=str(number), message=f"{number} \U0001f4a3 " + "x" * 400) for number in range(2000))
    long = replace(failed, verdict=replace(failed.verdict, blocking=many))
    found = planned(long, github, "acme/orders", 12, author=AUTHOR, footer="\nend\n")
    assert LIMIT * 0.9 < len(found.body.encode()) <= LIMIT
    assert "more findings" in found.body
    assert found.body.endswith("\nend\n")


def test_nothing_is_written_without_somebody_who_agrees(job: str, api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    kept(api)
    assert run(["report", "comment", "--dry-run", job]) == 0
    with pytest.raises(ConfigError, match="no terminal"):
        run(["report", "comment", job])
    assert changes(api) == []
    assert "acme/orders#12 gets a comment of" in capsys.readouterr().out


def test_a_token_that_may_not_write_is_told_what_is_missing(job: str, api: Api) -> None:
    kept(api)
    api.always[f"POST {COMMENTS}"] = Answer(status=403, value={"message": "Resource not accessible by integration"})
    with pytest.raises(IncompleteError, match="does not let this token") as caught:
        run(["report", "comment", "--yes", job])
    assert "from a fork gets none" in caught.value.remedy
    assert TOKEN not in str(caught.value)


def test_an_answer_that_names_no_comment_is_not_taken_for_one(github: GitHub, api: Api, failed: RunRecord) -> None:
    kept(api)
    api.always[f"POST {COMMENTS}"] = Answer(status=201, value=[])
    with pytest.raises(IncompleteError, match="does not say whether"):
        written(planned(failed, github, "acme/orders", 12, author=AUTHOR), github)


def test_the_pull_request_is_that_of_the_job_or_the_one_that_is_named(job: str, api: Api, tmp_path: Path) -> None:
    api.always[f"GET /{R}/issues/31/comments"] = []
    api.always[f"POST /{R}/issues/31/comments"] = Answer(status=201, value={"id": 1})
    assert run(["report", "comment", "--yes", "--pull", "31", job]) == 0
    none: list[Any] = [
        {},
        {"pull_request": {"number": "12/../../x"}},
        {"pull_request": {"number": True}},
        {"pull_request": 12},
        [],
        {"number": 12},
    ]
    for event in none:
        file = tmp_path / "other.json"
        file.write_text(json.dumps(event))
        with pytest.raises(ConfigError, match="no run of a pull request"):
            pull_of({"GITHUB_EVENT_PATH": str(file)})
    with pytest.raises(ConfigError, match="--pull"):
        pull_of({})


@pytest.mark.parametrize(
    "changed",
    [
        {"GITHUB_SERVER_URL": "javascript:x"},
        {"GITHUB_SERVER_URL": "https://x/](y)"},
        {"GITHUB_RUN_ID": "1)[x](y"},
        {"GITHUB_REPOSITORY": "a)/b"},
    ],
)
def test_a_link_to_something_else_than_a_run_is_left_out(changed: dict[str, str]) -> None:
    plain = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/orders", "GITHUB_RUN_ID": "77"}
    assert footer_of(plain)
    assert footer_of({**plain, **changed}) == ""


def test_what_is_no_report_is_refused_before_anybody_is_asked(job: str, api: Api) -> None:
    Path(job).write_text('{"schema_version": "1.0"}')
    with pytest.raises(ConfigError, match="Not a report"):
        run(["report", "comment", "--yes", job])
    assert api.asked == []
