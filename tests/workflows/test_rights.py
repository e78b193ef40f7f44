"""What each job of a workflow may do, and which actions it runs: the tables, so that nobody widens one by the way."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shipsafe.model.pipeline import Job
from shipsafe.starting.workflow_text import RIGHTS
from tests.workflows import ALL, ROOT, WORKFLOWS, jobs, pins, read, steps, used

CHECKOUT, CREDENTIALS = "actions/checkout", "aws-actions/configure-aws-credentials"
UPLOAD, DOWNLOAD = "actions/upload-artifact", "actions/download-artifact"
OURS = "$/actions/"
READS = {"contents": "read"}
TAKES_A_ROLE = {"contents": "read", "id-token": "write"}
# job: what its token may do, and every action that runs there
PIPELINE: dict[str, tuple[dict[str, str], set[str]]] = {
    "plan": (READS, {CHECKOUT, UPLOAD, OURS + "setup"}),
    "build": (READS, {CHECKOUT, UPLOAD, DOWNLOAD, OURS + "setup", OURS + "build"}),
    "collect": (READS, {CHECKOUT, UPLOAD, DOWNLOAD, OURS + "setup"}),
    "code-scanning": ({"actions": "read", "security-events": "write"}, {DOWNLOAD, "github/codeql-action/upload-sarif"}),
    "comment": ({"pull-requests": "write"}, {DOWNLOAD, OURS + "setup"}),
    "approval": ({"contents": "read", "pull-requests": "read"}, {CHECKOUT, OURS + "setup"}),
    "attest": ({"attestations": "write", "id-token": "write"}, {DOWNLOAD, UPLOAD, OURS + "setup", CREDENTIALS, "actions/attest"}),
    "sign": (TAKES_A_ROLE, {CHECKOUT, DOWNLOAD, UPLOAD, OURS + "sign", CREDENTIALS}),
    "deploy": (TAKES_A_ROLE, {CHECKOUT, DOWNLOAD, UPLOAD, OURS + "deploy", CREDENTIALS}),
    "verify": (TAKES_A_ROLE, {CHECKOUT, DOWNLOAD, OURS + "verify", CREDENTIALS}),
}
SCHEDULED = {"plan": READS, "advisories": TAKES_A_ROLE, "permissions": TAKES_A_ROLE}
# action: its commit and its version, read from its own repository
PINNED = {
    CHECKOUT: ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    UPLOAD: ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    DOWNLOAD: ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "actions/attest": ("1e69f48acb82d1966a394da916b4c1698aa569d6", "v4.2.2"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "github/codeql-action/upload-sarif": ("8aad20d150bbac5944a9f9d289da16a4b0d87c1e", "v4.36.2"),
    CREDENTIALS: ("e6de054238d6b7531b4efff3b6587d9aade6a06c", "v6.2.3"),
}
CALLED = ("pipeline.yml", "pipeline-ghes.yml", "scheduled.yml")


def permissions(name: str) -> dict[str, Mapping[str, str]]:
    """Of each job; the workflow itself has none."""
    assert read(WORKFLOWS / name)["permissions"] == {}
    return {job: found["permissions"] for job, found in jobs(name).items()}


def test_each_job_of_the_pipeline_has_its_rights_and_its_actions_and_no_others() -> None:
    """Who builds has no token of OpenID Connect; who signs or deploys takes a role, and writes nowhere else."""
    assert permissions("pipeline.yml") == {job: rights for job, (rights, _) in PIPELINE.items()}
    assert used(WORKFLOWS / "pipeline.yml") == {job: actions for job, (_, actions) in PIPELINE.items()}


def test_on_a_server_each_job_has_the_same_rights_and_reads_our_repository_besides() -> None:
    """Nothing is attested there, and no artifact of GitHub's is used."""
    here = {job: {**READS, **rights} for job, (rights, _) in PIPELINE.items()}
    here["attest"].pop("attestations")
    assert permissions("pipeline-ghes.yml") == here
    gone = {UPLOAD, DOWNLOAD, "actions/attest"}
    expected = {}
    for job, (_, actions) in PIPELINE.items():
        own = {name.replace("$/", "./.shipsafe/") for name in actions - gone}
        expected[job] = own | {CHECKOUT} | ({"./.shipsafe/actions/setup"} if actions & {UPLOAD, DOWNLOAD} else set())
    assert used(WORKFLOWS / "pipeline-ghes.yml") == expected


def test_what_runs_on_a_schedule_only_reads() -> None:
    """With the role that only reads."""
    assert permissions("scheduled.yml") == SCHEDULED
    roles = {one["with"]["role-to-assume"] for _, one in steps(WORKFLOWS / "scheduled.yml") if CREDENTIALS in one.get("uses", "")}
    assert roles == {"${{ needs.plan.outputs.role }}", "${{ needs.plan.outputs.doctor-role }}"}
    told = jobs("scheduled.yml")["plan"]["outputs"]
    assert (told["role"], told["doctor-role"]) == ("${{ steps.facts.outputs.verify-role }}", "${{ steps.facts.outputs.doctor-role }}")


def test_whoever_calls_the_pipeline_gives_it_what_its_jobs_may_do_together() -> None:
    """GitHub starts no run of a called workflow that asks for more than its caller has."""
    together: dict[str, str] = {}
    for rights, _ in PIPELINE.values():
        for name, level in rights.items():
            together[name] = max(level, together.get(name, ""), key=["", "read", "write"].index)
    assert dict(word.split(": ") for word in RIGHTS) == together
    assert f"permissions: {{{', '.join(RIGHTS)}}}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", ["pipeline.yml", "pipeline-ghes.yml"])
def test_only_the_jobs_that_sign_and_deploy_have_an_environment_and_each_takes_its_own_role(name: str) -> None:
    """So that neither can be what the other is."""
    environments = {job: found["environment"] for job, found in jobs(name).items() if "environment" in found}
    assert environments == {job: f"${{{{ needs.plan.outputs.{job}-environment }}}}" for job in ("sign", "deploy")}
    roles = {job: one["with"]["role-to-assume"] for job, one in steps(WORKFLOWS / name) if CREDENTIALS in one.get("uses", "")}
    names = {"attest": "build", "sign": "sign", "deploy": "deploy", "verify": "verify"}
    assert roles == {job: f"${{{{ needs.plan.outputs.{role}-role }}}}" for job, role in names.items()}


@pytest.mark.parametrize("name", CALLED)
def test_no_job_outlives_its_role(name: str) -> None:
    """Who deploys asks for its role for as long as the job may take, which is as long as the role can be had; the others for an hour."""
    for job, step in steps(WORKFLOWS / name):
        if CREDENTIALS not in step.get("uses", ""):
            continue
        asked = int(step["with"].get("role-duration-seconds", 3600))
        assert asked == (Job.DEPLOY if job == "deploy" else Job.VERIFY).session
        assert int(jobs(name)[job]["timeout-minutes"]) * 60 <= asked


@pytest.mark.parametrize("name", ["pipeline.yml", "pipeline-ghes.yml"])
def test_who_holds_a_role_checks_out_nothing_but_the_protected_branch(name: str) -> None:
    """And our own repository, where its actions are used by path. The job that signs what the builder states checks out nothing."""
    for job in ("approval", "attest", "sign", "deploy", "verify"):
        checked_out = [one for one in jobs(name)[job]["steps"] if CHECKOUT in one.get("uses", "")]
        projects = [one for one in checked_out if one["with"]["path"] not in (".shipsafe", "${{ env.SOURCE }}")]
        assert [one["with"]["ref"] for one in projects] == ([] if job == "attest" else ["${{ needs.plan.outputs.protected }}"])
        assert all("repository" not in one["with"] for one in projects)
        # The template of a stack is that of the commit which was built and signed.
        beside = [(one["if"], one["with"]["ref"]) for one in checked_out if one["with"]["path"] == "${{ env.SOURCE }}"]
        assert beside == ([("${{ needs.plan.outputs.stack != '' }}", "${{ github.sha }}")] if job == "deploy" else [])


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_from_outside_reaches_a_shell_but_through_the_environment(path: Path) -> None:
    """No expression stands in a script, no script writes what later steps run or find, and no secret is named at all."""
    text = path.read_text()
    assert not re.search(r"\bsecrets\b", re.sub(r"(?m)#.*$", "", text))
    for _, step in steps(path):
        script = step.get("run", "")
        assert "${{" not in script
        assert not re.search(r"GITHUB_(ENV|PATH)", script)
        if CHECKOUT in step.get("uses", ""):
            assert step["with"]["persist-credentials"] == "false" or step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", ["pipeline.yml", "pipeline-ghes.yml"])
def test_a_job_that_got_no_role_says_what_to_run(name: str) -> None:
    """All that AWS says is that it was not authorized."""
    takers = {job: found["steps"] for job, found in jobs(name).items() if "role" in [one.get("id") for one in found["steps"]]}
    assert takers.keys() == {"attest", "sign", "deploy", "verify"}
    for listed in takers.values():
        at = next(number for number, one in enumerate(listed) if CREDENTIALS in one.get("uses", ""))
        assert listed[at]["id"] == "role"
        assert listed[at + 1]["if"] == "${{ failure() && steps.role.outcome == 'failure' }}"
        assert "::error::AWS gave this job no role. `shipsafe doctor` says" in listed[at + 1]["run"]


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_actions_of_others_are_named_by_the_commit_of_one_version(path: Path) -> None:
    """The same everywhere, so that one table has to be looked at."""
    for name, commit, version in pins(path):
        assert (commit, version) == PINNED[name]


def test_what_people_copy_from_the_guides_names_actions_by_their_commit() -> None:
    """One that is known here, or `SHA` for them to fill in."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs/guides").glob("*.md"))]
    found = [(page.name, *one) for page in pages for one in pins(page)]
    assert len(found) > len(CALLED)
    for page, name, commit, version in found:
        assert commit == "SHA" or (commit, version) == PINNED.get(name), f"{page}: {name}@{commit}"


@pytest.mark.parametrize("name", CALLED)
def test_every_job_ends_some_time_and_none_goes_on_after_a_failure(name: str) -> None:
    """A step that may fail unseen is a gate that cannot close."""
    for found in jobs(name).values():
        assert 0 < int(found["timeout-minutes"]) <= 360
        assert "continue-on-error" not in str(found)
        assert "always()" not in str(found)


@pytest.mark.parametrize("name", ["pipeline.yml", "pipeline-ghes.yml"])
def test_nothing_is_signed_where_a_job_before_it_should_have_run_and_did_not(name: str) -> None:
    """GitHub skips a job where one before it failed, unless its condition says otherwise: skipped is not the same as not needed."""
    conditions = {job: " ".join(found["if"].split()) for job, found in jobs(name).items() if "if" in found}
    for job in ("approval", "attest"):
        assert conditions[job] == f"${{{{ !cancelled() && needs.plan.outputs.{job} == 'true' && needs.collect.result == 'success' }}}}"
        assert f"needs.{job}.result == (needs.plan.outputs.{job} == 'true' && 'success' || 'skipped')" in conditions["sign"]
    assert "needs.collect.result == 'success'" in conditions["sign"]
    assert "needs.sign.result == 'success'" in conditions["deploy"]
    assert "needs.deploy.result == 'success'" in conditions["verify"]
    assert all(" || " not in re.sub(r"\([^)]*\)", "", condition) for condition in conditions.values())


@pytest.mark.parametrize("name", ["pipeline.yml", "pipeline-ghes.yml"])
def test_a_release_has_the_shares_of_machines_that_came_to_their_end(name: str) -> None:
    """In a bucket another run, as that of a pull request, may have laid a share where one is going to be: then its machine fails."""
    steps = jobs(name)["collect"]["steps"]
    names = [one["name"] for one in steps]
    at = names.index("Refuse a release of which a machine did not come to its end")
    assert steps[at]["if"] == "${{ env.BASELINE == '' && needs.build.result != 'success' }}"
    assert steps[at]["run"].endswith("exit 5\n")
    assert names.index("Join them, and judge the whole") < at < names.index("Hand the release on")


def test_a_release_is_never_stopped_in_the_middle() -> None:
    """A newer commit takes the place of the older one in pull requests alone; one project and stage has one release at a time."""
    for name in ("pipeline.yml", "pipeline-ghes.yml"):
        said: Mapping[str, Any] = read(WORKFLOWS / name)["concurrency"]
        assert said["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
        assert {"inputs.path", "inputs.stage"} <= set(re.findall(r"inputs\.\w+", said["group"]))
        # A pull request in the group of the releases would cancel the one that runs.
        assert "github.event_name != 'pull_request' && (inputs.release == 'true' ||" in said["group"]
