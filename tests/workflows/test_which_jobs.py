"""Which jobs a run has: what the job `plan` asks of `shipsafe policy pipeline`, with everything that GitHub and the policy may say."""

import re
from pathlib import Path

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError
from tests.workflows import step
from tests.workflows.planning import BRANCH, POLICY, SHA, WORKFLOW, Plan, planned

_RELEASE = {"approval", "attest", "sign", "deploy", "verify"}
_NO_KEY, _NO_TARGET, _NO_DEPLOY, _OFF = {"key": ""}, {"target": "", "deploy": ""}, {"deploy": ""}, {"approvals": ""}
_ELSEWHERE = {"source": 'source = "approved.json"\n'}
_NEXT = "2" * 40


@pytest.fixture
def plan(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The job in an empty folder."""
    return planned(tmp_path, capsys, monkeypatch)


@pytest.mark.parametrize(
    ("said", "jobs"),
    [
        ({}, _RELEASE),
        ({"EVENT": "workflow_dispatch"}, _RELEASE),
        ({"RELEASE": "false"}, set()),
        ({"REF": "refs/heads/change"}, set()),
        ({"REF": "refs/heads/main2"}, set()),
        ({"REF": "refs/tags/main"}, set()),
        ({"REF": "refs/tags/v1", "RELEASE": "true"}, _RELEASE),
        ({"REF": "refs/tags/v1", "RELEASE": "true", "COMMIT": "HEAD~1"}, _RELEASE),
        ({"REF": "refs/tags/v1", "RELEASE": "true", "COMMIT": "beside"}, set()),
        ({"REF": "refs/heads/change", "RELEASE": "true", "COMMIT": "beside"}, set()),
        ({"REF": "refs/heads/change", "RELEASE": "true", "COMMIT": "0" * 40}, set()),
        ({"REF": "refs/tags/main", "RELEASE": "true", "COMMIT": "beside"}, set()),
        ({"EVENT": "pull_request_review", "REF": "refs/pull/7/merge", "RELEASE": "true", "COMMIT": "beside"}, set()),
        ({"EVENT": "merge_group", "REF": "refs/heads/gh-readonly-queue/main/pr-1", "RELEASE": "true", "COMMIT": "beside"}, set()),
        (
            {"EVENT": "merge_group", "REF": "refs/heads/gh-readonly-queue/main/pr-1", "RELEASE": "true"},
            set(),
        ),  # run again, once it is merged
        ({"REF": "refs/tags/v1", "COMMIT": "HEAD"}, set()),
        ({"REF": "refs/tags/v1", "RELEASE": "false", "COMMIT": "HEAD"}, set()),
        ({"BRANCH": "trunk"}, set()),
        ({"BRANCH": "trunk", "REF": "refs/heads/trunk"}, _RELEASE),
        ({"BRANCH": ""}, _RELEASE),  # which no policy names: the default one
        ({"BRANCH": "", "REF": "refs/heads/trunk"}, set()),
        ({"BRANCH": "", "REF": "refs/heads/"}, set()),
        ({"EVENT": "schedule"}, set()),
        ({"EVENT": "workflow_run"}, set()),
        ({"EVENT": "merge_group", "REF": "refs/heads/gh-readonly-queue/main/pr-1"}, set()),
        ({"EVENT": "release", "RELEASE": "true"}, _RELEASE),
        ({"EVENT": "pull_request", "REF": "refs/pull/7/merge"}, set()),
        ({"EVENT": "pull_request", "REF": "refs/heads/main", "RELEASE": "true"}, set()),
        (_NO_TARGET, {"attest"}),
        (_NO_DEPLOY, {"approval", "attest", "sign"}),
        (_OFF, _RELEASE - {"approval"}),
        (_ELSEWHERE, _RELEASE - {"approval"}),
        (_NO_KEY, _RELEASE),
        (_NO_KEY | {"ATTESTATIONS": "false"}, _RELEASE - {"attest"}),
        (_NO_KEY | {"PRIVATE": "true"}, _RELEASE - {"attest"}),
        (_NO_KEY | {"PRIVATE": "true", "ATTESTATIONS": "true"}, _RELEASE),
        (_NO_KEY | _NO_TARGET | _OFF | {"ATTESTATIONS": "false"}, set()),
    ],
)
def test_a_run_is_a_release_only_where_it_was_meant_and_may_be(plan: Plan, said: dict[str, str], jobs: set[str]) -> None:
    """A pull request never is, whatever its caller says; nor is what is not on the protected branch, or not asked for."""
    told = plan(said)
    assert told.code == 0
    assert told.on & _RELEASE == jobs
    assert told.outputs["protected"] == plan.commit
    assert ("Nothing is signed or deployed" in told.summary) == (not jobs and "key" not in said)


@pytest.mark.parametrize(
    ("said", "on"),
    [
        ({}, {"scanned", "attested"}),
        ({"PRIVATE": "true"}, set()),
        ({"PRIVATE": ""}, set()),  # an event that does not say it
        ({"PRIVATE": "true", "CODE_SCANNING": "true"}, {"scanned"}),
        ({"CODE_SCANNING": "false", "ATTESTATIONS": "false"}, set()),
        ({"EVENT": "pull_request", "FORK": "true"}, {"fork", "attested"}),
        ({"EVENT": "pull_request", "FORK": "true", "CODE_SCANNING": "true"}, {"fork", "attested"}),
        ({"EVENT": "pull_request", "FORK": "gone"}, {"fork", "attested"}),
        ({"EVENT": "pull_request"}, {"scanned", "attested"}),
    ],
)
def test_what_github_does_besides_depends_on_who_may_see_the_repository(plan: Plan, said: dict[str, str], on: set[str]) -> None:
    """A fork's findings do not go to code scanning, and the summary says so."""
    told = plan(said)
    assert told.on - _RELEASE == on
    assert ("It comes from a fork" in told.summary) == ("fork" in on)


@pytest.mark.parametrize("event", ["push", "pull_request"])
@pytest.mark.parametrize("running", [f"{WORKFLOW}{_NEXT}", f"{WORKFLOW}{SHA}", ""])
def test_a_commit_that_has_no_roles_yet_is_told_before_a_job_asks_for_one(plan: Plan, event: str, running: str) -> None:
    """Also on the pull request in which Dependabot proposes it."""
    said = {"EVENT": event, "RUNNING": running}
    trusted = f"This is {running}, and the policy says that roles on AWS trust {WORKFLOW}{SHA}: "
    assert (trusted in plan(said).printed) == running.endswith(_NEXT)
    assert plan(said).printed.startswith("::warning title=") == running.endswith(_NEXT)
    both = POLICY["pipeline"].replace(f'"{WORKFLOW}{SHA}"', f'["{WORKFLOW}{SHA}", "{WORKFLOW}{_NEXT}"]')
    neither = POLICY["pipeline"].replace(f'workflow = "{WORKFLOW}{SHA}"\n', "")
    for more in (_NO_TARGET, {"pipeline": both}, {"pipeline": neither}):
        assert "::warning" not in plan(said, more).printed
    third = {"RUNNING": f"{WORKFLOW}{'3' * 40}", "pipeline": both}
    assert f"trust {WORKFLOW}{SHA} and {WORKFLOW}{_NEXT}: " in plan(said, third).printed


def test_a_branch_that_no_policy_names_is_not_looked_for(plan: Plan) -> None:
    """In a repository whose default branch is `master`, `main` is one that anybody may push: its policy, and its commits, are nobody's."""
    condition = step("pipeline.yml", "plan", "Check out the protected branch")["if"]
    assert condition.startswith("${{ steps.branch.outputs.branch != '' && steps.branch.outputs.branch != ")
    assert plan(called=BRANCH).outputs == {"branch": ""}
    named = plan({"pipeline": POLICY["pipeline"] + 'branch = "trunk"\n'}, called=BRANCH)
    assert (named.outputs, named.summary) == ({"branch": "trunk"}, "")


def test_a_workflow_that_lets_strangers_write_is_refused(plan: Plan) -> None:
    """On pull_request_target the token is that of the repository, and the code that of whoever asks."""
    for called in (BRANCH, None):
        told = plan({"EVENT": "pull_request_target"}, **({"called": called} if called else {}))
        assert (told.code, told.outputs) == (2, {})
        assert re.match("::error title=[^:]*::pull_request_target", told.printed)


@pytest.mark.parametrize("said", [{"RELEASE": "yes"}, {"ATTESTATIONS": "True"}, {"CODE_SCANNING": ""}])
def test_a_word_that_means_nothing_is_an_error(plan: Plan, said: dict[str, str]) -> None:
    """And not another way to say no."""
    told = plan(said)
    assert (told.code, told.outputs) == (2, {})
    assert re.match("::error title=[^:]*::release, attestations and code-scanning are", told.printed)


@pytest.mark.parametrize(
    ("path", "policy", "code"),
    [
        (".", "", 0),
        ("services/orders", "policies/release.toml", 0),
        ("a..b/...", "", 0),
        ("../source/orders", "", 2),
        (".", "policies/../../source/shipsafe.toml", 2),
        ("..", "", 2),
        ("services/..", "", 2),
        ("/etc", "", 2),
        (".", "/etc/shipsafe.toml", 2),
        ("services\n--role=arn:aws:iam::1:role/x", "", 2),  # arguments of an action are one a line
    ],
)
@pytest.mark.parametrize("called", [BRANCH, None])
def test_no_path_leads_from_the_protected_branch_to_the_commit(plan: Plan, path: str, policy: str, code: int, called: str | None) -> None:
    """Whoever asks for a release of a branch of theirs would have its policy read in the place of the protected one."""
    protected = plan.folder / "protected"
    for name in ("services/orders", "a..b/..."):
        (protected / name).mkdir(parents=True)
    (protected / "policies").mkdir()
    (protected / "policies/release.toml").write_text('[pipeline]\nrepository = "acme/orders"\n')
    # Not even where a run that is no release could do without the project.
    told = plan({"PROJECT_PATH": path, "POLICY_PATH": policy, "EVENT": "pull_request"}, **({"called": called} if called else {}))
    assert told.code == code
    assert bool(told.outputs) == (not code)
    assert ("cannot be a path of this repository" in told.printed) == bool(code)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"REF": "refs/heads/main"}, 2),
        ({"REF": "refs/heads/trunk", "RELEASE": "false"}, 2),
        ({"REF": "refs/tags/v1", "RELEASE": "true"}, 2),
        ({"REF": "refs/heads/change"}, 0),
        ({"REF": "refs/pull/7/merge", "EVENT": "pull_request"}, 0),
        ({"REF": "refs/pull/7/merge", "EVENT": "pull_request", "RELEASE": "true"}, 0),
        ({"REF": "refs/heads/gh-readonly-queue/trunk/pr-1", "EVENT": "merge_group", "RELEASE": "true"}, 0),
    ],
)
@pytest.mark.parametrize("lacking", [{"PROJECT_PATH": "new"}, {"STAGE": "new"}, {"source": "nothing = 1\n"}])
def test_a_project_that_the_protected_branch_does_not_have_yet_is_no_release(
    plan: Plan, lacking: dict[str, str], said: dict[str, str], code: int
) -> None:
    """A change that brings it along, or mends its policy, is built and judged, and people are told; a release of it is an error."""
    told = plan({"BRANCH": "trunk", **said}, lacking)
    assert told.code == code
    assert told.on & _RELEASE == set()
    assert ("::error" in told.printed) == bool(code)
    assert ("The protected branch does not say where it would go: " in told.summary) == (not code)
    assert (told.outputs.get("protected") == plan.commit) == (not code)


@pytest.mark.parametrize("words", [("--branch", "main"), ("--release", "true"), ("--attestations", "false"), ("--code-scanning", "x")])
def test_what_is_said_of_a_run_needs_the_checkout(plan: Plan, words: tuple[str, str]) -> None:
    """Else who forgot it would get facts of the policy, and take them for those of the run."""
    with pytest.raises(ConfigError, match="belong to --checkout"):
        run(["policy", "pipeline", *words, str(plan.folder / "protected")])


def test_the_summary_says_which_jobs_are_left_out_and_why(plan: Plan) -> None:
    """A sentence each, from the policy."""
    assert plan().summary == ""
    assert plan(_NO_DEPLOY).summary.startswith("- Nothing is deployed: the policy has no [deploy]; `rollout` in it")
    assert plan(_NO_TARGET).summary.count("\n- ") == 2


def test_two_projects_and_two_stages_of_one_run_keep_their_artifacts_apart(plan: Plan) -> None:
    """Under a name that is one, whatever their paths are."""
    for name in ("a", "a/dev", "$(id)'; `x`"):
        (plan.folder / "protected" / name).mkdir(parents=True)
    stages = {"deploy": '[[deploy.stage]]\nname = "dev"\ntarget = "prod"\n[[deploy.stage]]\nname = "prod"\ntarget = "prod"\n'}
    said = [{"PROJECT_PATH": "a", "STAGE": "prod"}, {"PROJECT_PATH": "a", "STAGE": "dev"}, {"PROJECT_PATH": "a/dev", "STAGE": "prod"},
            {"PROJECT_PATH": "$(id)'; `x`", "STAGE": "prod"}]  # fmt: skip
    ids = [plan(stages, one).outputs["id"] for one in said]
    assert len(set(ids)) == len(said)
    assert all(re.fullmatch(r"[0-9a-f]{12}", one) for one in ids)


def test_a_stage_says_the_stack_that_it_changes(plan: Plan) -> None:
    """For the job that deploys, which checks out the template then."""
    stage = '[[deploy.stage]]\nname = "live"\ntarget = "prod"\n'
    assert plan({"deploy": stage}).outputs["stack"] == ""
    told = plan({"deploy": stage + 'stack = "shop"\n'})
    assert (told.outputs["stack"], told.outputs["stage"]) == ("shop", "live")
    assert told.on & _RELEASE == _RELEASE
