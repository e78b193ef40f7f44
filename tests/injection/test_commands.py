"""Whatever names a project has, what a step prints and writes only says them: nothing is obeyed, started, hidden or rendered."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.approval.conftest import TOKEN
from tests.approval.loopback import Answer, Api, served
from tests.approval.pulls import R, pull, tell
from tests.approval.repositories import git
from tests.end_to_end.program import Ended, shipsafe
from tests.injection.hostile import BRANCH, EVIL, MORE, project
from tests.injection.runner import ANNOTATIONS, commands, hidden, live, outputs
from tests.packing.staging import write


class Job:
    """A step of GitHub's in the hostile project, and what it left."""

    def __init__(self, folder: Path, api: Api) -> None:
        self.root = project(folder / "project")
        self.folder, self.api = folder, api
        self.env = {
            "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(folder / "outputs"), "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_API_URL": api.url, "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "acme/orders", "GITHUB_HEAD_REF": BRANCH,
            "GITHUB_REF_NAME": BRANCH, "GITHUB_ACTOR": EVIL, "GITHUB_WORKFLOW": EVIL, "SHIPSAFE_CACHE_DIR": str(folder / "cache"),
        }  # fmt: skip

    def run(self, *words: str, says: str = "", cwd: Path | None = None) -> Ended:
        """Run the program; whatever it prints and writes does nothing."""
        for name in ("outputs", "summary"):
            (self.folder / name).unlink(missing_ok=True)
        done = shipsafe(*words, cwd=cwd or self.root, env=self.env)
        assert "Traceback" not in done.err
        assert says in done.out + done.err
        for text in (done.out, done.err):
            obeyed = list(commands(text))
            assert {one.name for one in obeyed} <= (ANNOTATIONS if {"github", "--checkout"} & {*words} else frozenset()), obeyed
            for one in obeyed:
                assert set(one.properties) <= {"file", "line", "col", "title"}, one
                assert not hidden(one.data + "".join(one.properties.values())), one
                assert "\n" not in one.data + "".join(one.properties.values()), one
                assert one.properties, one  # ours have a title, and what is obeyed in the middle of a line has none
            assert not hidden(text)
        assert live(self.summary) == []
        assert hidden(self.summary) == set()
        assert not list(self.folder.rglob("pwned"))
        return done

    @property
    def summary(self) -> str:
        """What it wrote for people."""
        path = self.folder / "summary"
        return path.read_text() if path.exists() else ""

    @property
    def outputs(self) -> dict[str, str]:
        """What it wrote for later steps."""
        path = self.folder / "outputs"
        return outputs(path.read_text()) if path.exists() else {}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """One for all: none of these commands changes the project."""
    with served() as api:
        yield Job(tmp_path_factory.mktemp("job"), api)


@pytest.fixture(scope="module")
def report(job: Job) -> str:
    """What `check` found, as JSON."""
    file = str(job.folder / "report.json")
    done = job.run("check", "--format", "github", "--report", f"json={file}", "--report", f"markdown={job.folder / 'report.md'}")
    assert done.code == 4, done.err
    told = [one["message"] for one in json.loads(Path(file).read_text())["findings"]]
    assert any(one.startswith("evil 1.0 has PYSEC-2026-7 (CVE-2026-7): ::error::forged%0A") for one in told)
    assert any(one.startswith("::error::forged $(touch pwned) 1.0 lies in the code") for one in told)
    return file


def test_annotations_the_summary_and_outputs_only_say_what_was_found(job: Job, report: str) -> None:
    done = job.run("check", "--format", "github", "--report", f"sarif={job.folder / EVIL[:20]}")
    assert {one.name for one in commands(done.out)} == ANNOTATIONS
    assert "stock/$(touch pwned)`touch pwned`'\"; touch pwned #.py" in [one.properties.get("file") for one in commands(done.out)]
    assert set(job.outputs) == {"decision", "exit-code", "report-sarif"}
    assert job.outputs["report-sarif"] == str(job.root / job.folder / EVIL[:20])
    assert "forged" in job.summary
    told = (job.folder / "report.md").read_text()
    assert (live(told), hidden(told)) == ([], set())
    assert Path(report).exists()


@pytest.mark.parametrize("form", ["text", "markdown", "json", "csv", "junit", "sarif", "openvex", "cyclonedx-vex"])
def test_every_report_can_be_printed_into_a_log(job: Job, report: str, form: str) -> None:
    job.run("report", "show", "--format", form, "--verbose", report)


def test_a_comment_only_says_what_was_found(job: Job, report: str) -> None:
    job.api.always[f"GET /{R}/issues/12/comments"] = [{"id": 1, "body": EVIL + MORE, "user": {"login": "eve", "type": "User"}}]
    address = f"https://github.com/{EVIL}{MORE}"
    job.api.always[f"POST /{R}/issues/12/comments"] = Answer(status=201, value={"id": 5, "html_url": address})
    job.run("report", "comment", "--yes", "--pull", "12", report, says="Written")
    body = job.api.asked[-1].body["body"]
    assert live(body) == []
    assert hidden(body) == set()
    assert "forged" in body
    job.api.always[f"POST /{R}/issues/12/comments"] = Answer(status=422, value={"message": EVIL + MORE})
    assert job.run("report", "comment", "--yes", "--pull", "12", report, says="422").code == 4


@pytest.mark.parametrize("place", ["template.yaml", "shipsafe.toml"])
def test_a_function_with_such_a_name_is_refused_and_its_name_only_shown(job: Job, tmp_path: Path, place: str) -> None:
    name = json.dumps(EVIL + MORE)
    template = f"Resources:\n  {name}: {{Type: AWS::Lambda::Function, Properties: {{Handler: a.b, Runtime: python3.13, Code: src/}}}}\n"
    policy = f'[[functions]]\nname = {name}\nhandler = "a.b"\nruntime = "python3.13"\ncode = "src"\n'
    write(tmp_path, {place: template if place == "template.yaml" else policy, "src/a.py": ""})
    for words in (("check", "--format", "github"), ("build", "--plan", "--shards", "2", "--format", "json")):
        assert job.run(*words, cwd=tmp_path, says="forged").code == 2
        assert job.outputs.get("exit-code", "2") == "2"
        assert not job.outputs.get("decision")


def test_who_approved_is_only_said(job: Job) -> None:
    waived = git(job.root, "rev-parse", "HEAD~1")
    tell(job.api, waived, [])
    assert job.run("policy", "approvals", says="refused: lint/B602 for").code == 1
    assert set(job.outputs) == {"approvals", "approvals-state"}
    assert json.loads(job.outputs["approvals"])["changes"][0]["brought"][0].startswith(f"lint/B602 for {EVIL}")
    answer = job.folder / "answer.json"
    answer.write_text(job.outputs["approvals"])
    for login in (EVIL, "../../../user", "a\nb"):
        tell(job.api, waived, [pull(user={"login": login, "type": "User"})])
        assert job.run("policy", "approvals", says="unanswered: lint/B602 for").code == 4
    assert job.run("policy", "approvals", "--since", EVIL, says="no revision").code == 2
    assert job.run("policy", "approvals", "--since", BRANCH).code == 0


def test_a_branch_and_a_path_with_such_a_name_are_only_names(job: Job) -> None:
    assert job.run("check", "--baseline-ref", BRANCH, "--format", "github", says=f"Looking at {BRANCH}"[:40]).code == 4
    for word in (f"{EVIL}{MORE}", "--version$(touch pwned)"):
        assert job.run("check", "--", word).code == 2
        assert job.run("check", "--baseline-ref", word, "--format", "github").code == 2
    word = f"::error::{MORE}{EVIL}"
    for words in (("check", "--policy"), ("report", "comment"), ("sign", "--yes", "--approvals"), ("sign", "--yes", "--manifest-digest")):
        assert job.run(*words, word).code == 2
    assert job.run("verify", "--function", word).code in (2, 4)


@pytest.mark.parametrize(
    "words",
    [
        ("policy", "waivers"),
        ("policy", "waivers", "--json"),
        ("policy", "pipeline"),
        ("policy", "show", "--origin"),
        ("build", "--plan"),
        ("build", "--plan", "--shards", "2", "--format", "json"),
        ("build", "--format", "github"),
        ("check", "--verbose"),
        ("init", "--yes", "--ref", "0" * 40, "--dry-run"),
    ],
)
def test_what_other_steps_print_does_nothing(job: Job, words: tuple[str, ...]) -> None:
    job.run(*words)
    assert all("\n" not in name for name in job.outputs)


@pytest.mark.parametrize("event", ["push", "pull_request"])
@pytest.mark.parametrize(
    "words",
    [(), ("--branch", f"{BRANCH}2"), ("--stage", EVIL + MORE), ("--policy", BRANCH), ("--policy", EVIL), ("--release", EVIL), ("--", MORE)],
)
def test_what_a_run_is_called_does_nothing(job: Job, monkeypatch: pytest.MonkeyPatch, event: str, words: tuple[str, ...]) -> None:
    """Its branch, the workflow that it is of, and what the caller gives: in annotations, outputs and the summary."""
    file = job.folder / "event.json"
    said = {"repository": {"default_branch": f"{BRANCH}3"}, "pull_request": {"head": {"repo": {"full_name": EVIL}}}}
    file.write_text(json.dumps(said))
    for name, value in {
        "GITHUB_EVENT_NAME": event, "GITHUB_REF": f"refs/heads/{BRANCH}", "GITHUB_SHA": git(job.root, "rev-parse", "HEAD"),
        "GITHUB_EVENT_PATH": str(file), "SHIPSAFE_WORKFLOW_REF": EVIL,
    }.items():  # fmt: skip
        monkeypatch.setitem(job.env, name, value)
    branch = () if "--branch" in words else ("--branch", "")
    done = job.run("policy", "pipeline", "--checkout", ".", *branch, *words)
    assert done.code == (2 if {EVIL, MORE} & {*words} else 0), done.out + done.err
    assert bool(job.outputs) == (done.code == 0)
    assert ("does not say where it would go" in job.summary) == (done.code == 0 and bool({"--stage", "--policy"} & {*words}))


def test_a_report_that_somebody_else_wrote_is_only_shown(job: Job, report: str) -> None:
    """A share of a build comes from a machine that ran the project's code: every text in it may be anything."""
    raw = json.loads(Path(report).read_text())

    def worse(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {name: worse(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [worse(item, key) for item in value]
        free = (
            "message",
            "remedy",
            "subject",
            "reason",
            "project",
            "template",
            "prefix",
            "owner",
            "hints",
            "path",
            "notes",
            "policy",
            "key",
        )
        return f"{EVIL}{MORE}{value}" if isinstance(value, str) and key in free else value

    file = job.folder / "worse.json"
    file.write_text(json.dumps(worse(raw)))
    for form in ("github", "text", "markdown", "csv", "junit"):
        job.run("report", "show", "--format", form, "--verbose", str(file))
    job.api.always[f"GET /{R}/issues/12/comments"] = []
    job.api.always[f"POST /{R}/issues/12/comments"] = Answer(status=201, value={"id": 5})
    job.run("report", "comment", "--yes", "--pull", "12", str(file), says="Written")
    assert live(job.api.asked[-1].body["body"]) == []
