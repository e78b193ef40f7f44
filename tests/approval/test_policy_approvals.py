"""`shipsafe policy approvals` from a checkout, against an API on this machine; and what `sign` makes of its answer."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.http import fetch
from shipsafe.cli.app import run
from shipsafe.errors import ConfigError
from shipsafe.flows.approvals import approvals_outcome
from shipsafe.flows.approvals_file import approvals_of, read_approvals
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision, Unanswered, Verdict
from shipsafe.policy import load
from shipsafe.reports import load as load_report
from shipsafe.reports import names
from tests.approval.conftest import TOKEN
from tests.approval.loopback import Answer, Api
from tests.approval.pulls import R, pull, review, tell
from tests.approval.repositories import ASKS, TODAY, commit, git, repository, waiver


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "orders", {"shipsafe.toml": ASKS + waiver()})


@pytest.fixture
def job(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job of GitHub's; gives the file of its outputs."""
    outputs = tmp_path / "outputs"
    for name, value in {"GITHUB_ACTIONS": "true", "GITHUB_API_URL": api.url, "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "acme/orders",
                        "GITHUB_OUTPUT": str(outputs)}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return outputs


def outputs(file: Path) -> dict[str, str]:
    """The outputs of a step, as the runner reads them."""
    lines, found = file.read_text().splitlines(), {}
    while lines:
        name, _, word = lines.pop(0).partition("<<")
        end = lines.index(word)
        found[name] = "\n".join(lines[:end])
        lines = lines[end + 1 :]
    return found


def asked(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and screen."""
    code = run(["policy", "approvals", str(root), *words])
    told = capsys.readouterr()
    assert TOKEN not in told.out + told.err
    return code, told.out


def outcome(root: Path, answer: Path | None = None, *, here: bool = True) -> Outcome | None:
    policy = load(root, offline=True, cache=root / "none", fetch=fetch, today=TODAY)
    told = approvals_of(str(answer)) if answer else None
    return approvals_outcome(policy, root / "shipsafe.toml", told, here=here, today=TODAY)


def state(found: Outcome | None) -> tuple[State, str]:
    assert found is not None
    assert (found.gate, found.subject) == ("approvals", "project")
    return found.state, found.reason


def test_what_was_approved_is_told_to_people_and_to_the_job_that_signs(
    root: Path, job: Path, api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(api, git(root, "rev-parse", "HEAD"))
    answer = tmp_path / "approvals.json"
    code, said = asked(root, capsys, "--out", str(answer))
    assert (code, said) == (0, "approved: layers/unpinned for function:Pay (waiver in shipsafe.toml): #12 by ann, approved by bob\n")
    told = outputs(job)
    assert told["approvals-state"] == "approved"
    assert f"{told['approvals']}\n" == answer.read_text()
    assert approvals_of(told["approvals"]) == read_approvals(answer)
    found = outcome(root, answer)
    assert state(found) == (State.ANSWERED, "")
    assert found is not None
    assert found.notes == ("layers/unpinned for function:Pay (waiver in shipsafe.toml): #12 by ann, approved by bob",)
    assert found.evidence["repository"] == "acme/orders"


def test_what_only_its_author_approved_is_refused_and_keeps_sign_from_signing(
    root: Path, job: Path, api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(api, git(root, "rev-parse", "HEAD"), reviews=[])
    answer = tmp_path / "approvals.json"
    code, said = asked(root, capsys, "--out", str(answer))
    assert code == 1
    assert "refused: layers/unpinned for function:Pay (waiver in shipsafe.toml): nobody but its author has approved #12 by ann\n" in said
    assert "Ask somebody else" in said
    assert outputs(job)["approvals-state"] == "refused"
    what, reason = state(outcome(root, answer))
    assert what is State.UNANSWERED
    assert "nobody but its author has approved #12 by ann" in reason


@pytest.mark.parametrize("how", ["in the merge", "on top of it"])
def test_an_approval_is_not_for_what_whoever_merged_put_beside_it(
    root: Path, job: Path, api: Api, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    """GitHub takes a pull request for merged when its commits are pushed to the branch, whatever else comes with them."""
    tell(api, git(root, "rev-parse", "HEAD"))
    git(root, "checkout", "-q", "-b", "change")
    head = commit(root, {"shipsafe.toml": ASKS + waiver() + waiver("lint/B602")})
    git(root, "checkout", "-q", "main")
    if how == "in the merge":
        commit(root, {"a": "1"})
        git(root, "merge", "-q", "--no-ff", "--no-commit", "change")
    else:
        git(root, "merge", "-q", "--ff-only", "change")
        tell(api, head, [pull(13, head={"sha": head})], reviews=[review("bob", commit=head)])
    merge = commit(root, {"shipsafe.toml": ASKS + waiver() + waiver("lint/B602") + waiver("lint/B701")})
    tell(api, merge, [pull(13, head={"sha": head}, merge_commit_sha=merge)], reviews=[review("bob", commit=head)])
    code, out = asked(root, capsys)
    assert (code, outputs(job)["approvals-state"]) == (1, "refused"), out
    assert f"#13, which {merge[:12]} merged, does not hold lint/B701 for function:Pay (waiver in shipsafe.toml)" in out
    git(root, "reset", "-q", "--hard", "HEAD~1")
    if how == "in the merge":
        git(root, "merge", "-q", "--no-ff", "-m", "merge", "change")
        tell(api, git(root, "rev-parse", "HEAD"), [pull(13, head={"sha": head})])
    job.unlink()
    assert asked(root, capsys)[0] == 0


def test_what_was_refused_stays_refused_when_something_else_is_merged_after_it(
    root: Path, job: Path, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    first = git(root, "rev-parse", "HEAD")
    tell(api, first, [])
    assert asked(root, capsys)[0] == 1
    commit(root, {"app.py": "x = 1\n"})
    assert asked(root, capsys)[0] == 1
    assert outputs(job)["approvals-state"] == "refused"


def test_where_github_cannot_be_asked_nothing_is_approved(root: Path, job: Path, api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    head = git(root, "rev-parse", "HEAD")
    tell(api, head)
    api.always[f"GET /{R}/pulls/12/reviews"] = Answer(status=403, value={"message": "Resource not accessible by integration"})
    code, said = asked(root, capsys)
    assert code == 4
    assert "unanswered: " in said
    assert outputs(job)["approvals-state"] == "unanswered"


def test_the_gravest_answer_is_the_exit_code(root: Path, job: Path, api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    one = git(root, "rev-parse", "HEAD")
    two = commit(root, {"shipsafe.toml": ASKS + waiver() + waiver("lint/B602")})
    tell(api, one, [])
    tell(api, two, [pull(13, user=None)])
    code, said = asked(root, capsys)
    assert code == 4
    assert outputs(job)["approvals-state"] == "unanswered"
    assert said.index("unanswered: lint/B602") < said.index("refused: layers/unpinned")


def test_since_the_commit_before_only_the_change_is_asked_about(
    root: Path, job: Path, api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = git(root, "rev-parse", "HEAD")
    two = commit(root, {"shipsafe.toml": ASKS + waiver() + waiver("lint/B602")})
    tell(api, two)
    answer = tmp_path / "approvals.json"
    code, said = asked(root, capsys, "--since", one, "--out", str(answer))
    assert (code, said.count("approved: ")) == (0, 1)
    assert f"GET /{R}/commits/{one}/pulls" not in api.paths()
    assert state(outcome(root, answer))[0] is State.ANSWERED
    assert json.loads(answer.read_text())["since"] == one
    nothing = f"Nothing to approve: the policy at {two[:12]} waives nothing more since {two[:12]}.\n"
    assert asked(root, capsys, "--since", "HEAD") == (0, nothing)
    assert outputs(job)["approvals"]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (waiver(), "the policy does not ask who approved its waivers"),
        (ASKS + waiver(), "this is no job of GitHub's; `[approvals] source` names another"),
    ],
)
def test_elsewhere_and_where_the_policy_does_not_want_it_nobody_is_asked(
    tmp_path: Path, policy: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path / "orders", {"shipsafe.toml": policy})
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    code, told = asked(root, capsys)
    assert (code, told.startswith("Not asked: ")) == (0, True)
    assert said in told
    assert outputs(tmp_path / "outputs") == {"approvals": "", "approvals-state": "not-asked"}


def test_a_job_of_another_repository_is_refused(root: Path, job: Path, api: Api) -> None:
    commit(root, {"shipsafe.toml": f'[pipeline]\nrepository = "acme/else"\n{ASKS}{waiver()}'})
    with pytest.raises(ConfigError, match="job of acme/orders, and acme/else is meant"):
        run(["policy", "approvals", str(root)])
    assert (api.asked, job.exists()) == ([], False)


def test_a_job_without_a_token_is_told_how_to_get_one(root: Path, job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    with pytest.raises(ConfigError, match="GITHUB_TOKEN"):
        run(["policy", "approvals", str(root)])
    assert not job.exists()


# What `sign` says


def test_a_policy_that_does_not_ask_adds_nothing_to_what_sign_says(tmp_path: Path) -> None:
    root = repository(tmp_path / "orders", {"shipsafe.toml": waiver()})
    assert outcome(root) is None


@pytest.mark.parametrize("form", names())
def test_every_report_tells_of_it(root: Path, form: str) -> None:
    found = outcome(root)
    assert found is not None
    missing = Unanswered(gate=found.gate, subject=found.subject, reason=found.reason)
    lint = Outcome.answered("lint", "function:Pay")
    verdict = Verdict(decision=Decision.INCOMPLETE, unanswered=(missing,))
    told = load_report(form).write(RunRecord(command="sign", project="orders", verdict=verdict, outcomes=(lint, found)))
    assert ("Nobody says who approved" in told) == (form not in ("openvex", "cyclonedx-vex")), told


def test_strict_asks_and_what_waives_nothing_needs_no_approval(tmp_path: Path) -> None:
    root = repository(tmp_path / "orders", {"shipsafe.toml": 'extends = "strict"\n'})
    assert state(outcome(root)) == (State.NOT_ASKED, "The policy waives nothing, so there is nothing to approve.")
    commit(root, {"shipsafe.toml": f'extends = "strict"\n{waiver(expires=str(TODAY + timedelta(days=40)))}'})
    assert state(outcome(root))[0] is State.UNANSWERED
    assert state(outcome(root, here=False))[0] is State.NOT_ASKED


def test_an_answer_about_another_policy_is_none(
    root: Path, job: Path, api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(api, git(root, "rev-parse", "HEAD"))
    answer = tmp_path / "approvals.json"
    assert asked(root, capsys, "--out", str(answer))[0] == 0
    commit(root, {"shipsafe.toml": ASKS + waiver() + waiver("lint/B602")})
    what, reason = state(outcome(root, answer))
    assert what is State.UNANSWERED
    assert "is not what the policy waives now" in reason
    assert job.exists()


def filled(questions: Path, **changed: Any) -> None:
    """What another system answers: every change was approved."""
    raw = json.loads(questions.read_text())
    for one in raw["changes"]:
        one.update({"agreed": "approved", "reason": "", "pull": 7, "authors": ["ann"], "approved_by": ["bob"], **changed})
    questions.write_text(json.dumps(raw))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A repository whose policy names another system's answer, beside the checkout."""
    policy = f'[approvals]\nwaivers = "required"\nsource = "../approvals.json"\n{waiver()}'
    return repository(tmp_path / "orders", {"shipsafe.toml": policy})


def test_another_system_answers_the_questions_that_are_written_for_it(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = elsewhere.parent / "approvals.json"
    assert "its job" in state(outcome(elsewhere))[1] or "is not there" in state(outcome(elsewhere))[1]
    assert state(outcome(elsewhere))[0] is State.UNANSWERED
    assert asked(elsewhere, capsys, "--questions", str(file))[0] == 0
    assert state(outcome(elsewhere, here=False))[0] is State.UNANSWERED
    filled(file)
    assert state(outcome(elsewhere, here=False))[0] is State.ANSWERED
    said = "approved: layers/unpinned for function:Pay (waiver in shipsafe.toml): #7 by ann, approved by bob\n"
    assert asked(elsewhere, capsys) == (0, said)


def test_an_answer_that_comes_with_the_change_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = f'[approvals]\nwaivers = "required"\nsource = "approvals.json"\n{waiver()}'
    root = repository(tmp_path / "orders", {"shipsafe.toml": policy})
    assert asked(root, capsys, "--questions", str(root / "approvals.json"))[0] == 0
    filled(root / "approvals.json")
    commit(root, {})
    what, reason = state(outcome(root))
    assert what is State.UNANSWERED
    assert "the policy's is another" in reason


def test_an_answer_that_names_no_change_is_none(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = elsewhere.parent / "approvals.json"
    asked(elsewhere, capsys, "--questions", str(file))
    file.write_text(json.dumps({**json.loads(file.read_text()), "changes": []}))
    assert "names no change" in state(outcome(elsewhere))[1]


WRONG: list[dict[str, Any]] = [
    {"approved_by": []},
    {"approved_by": ["Ann"]},
    {"authors": []},
    {"agreed": "yes"},
    {"pull": -1},
    {"pull": True},
    {"brought": []},
    {"commit": "main"},
    {"more": 1},
    {"reason": "x" * 2000},
    {"authors": ["ann", 7]},
]


@pytest.mark.parametrize("changed", WRONG)
def test_an_answer_of_another_form_is_refused(elsewhere: Path, changed: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    file = elsewhere.parent / "approvals.json"
    asked(elsewhere, capsys, "--questions", str(file))
    filled(file, **changed)
    with pytest.raises(ConfigError, match="does not say who approved what"):
        outcome(elsewhere)


@pytest.mark.parametrize("text", ["{", "{}", '{"version": ' + "[" * 100_000, '{"version": 1}'])
def test_what_is_given_in_place_of_a_file_has_its_form(text: str) -> None:
    with pytest.raises(ConfigError, match="--approvals"):
        approvals_of(text)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', "null", "[" * 10_000, '{"version": 1, "changes": {}}'])
def test_a_file_that_is_no_answer_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(ConfigError):
        read_approvals(file)


def test_a_base_that_fixes_it_cannot_be_loosened(tmp_path: Path) -> None:
    base = f'fixed = ["approvals"]\n{ASKS}'
    digest = hashlib.sha256(base.encode()).hexdigest()
    extends = f'extends = {{ path = "base.toml", sha256 = "{digest}" }}\n'
    root = repository(tmp_path / "orders", {"base.toml": base, "shipsafe.toml": extends + waiver()})
    assert state(outcome(root))[0] is State.UNANSWERED
    commit(root, {"shipsafe.toml": f'{extends}[approvals]\nwaivers = "off"\n{waiver()}'})
    with pytest.raises(ConfigError, match=r"`approvals.waivers` is fixed as 'required'"):
        outcome(root)
    commit(root, {"shipsafe.toml": f'{extends}[approvals]\nsource = "approvals.json"\n{waiver()}'})
    with pytest.raises(ConfigError, match=r"`approvals.source` is fixed"):
        outcome(root)
